"""Data files of tasks of lm-evaluation-harness, and every reason why a task cannot be imported."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

from harness.authoring.lm_eval.convert import convert
from harness.authoring.lm_eval.read import read_task
from harness.errors import InputError
from tests.support.lm_eval import CHOICE, CODE, DOCS, WRITTEN, docs

# Data files


def test_json_arrays(task):
    path = task.write(CHOICE)
    (task.folder / "d.jsonl").write_text(json.dumps(DOCS, indent=1))
    assert len(convert(read_task(path)).items) == 3


def test_csv_files(task):
    (task.folder / "d.csv").write_text('q,first,second,label\n"One, or so?",a,b,0\nTwo?,c,d,1\n')
    text = CHOICE.replace("dataset_path: json", "dataset_path: csv").replace("d.jsonl", "d.csv")
    text = text.replace("doc_to_choice: options", "doc_to_choice: '{{[first, second]}}'")
    items = task.items(text)
    assert [(item.prompt, item.answers) for item in items] == [
        ("One, or so?\nA:", ("a",)),
        ("Two?\nA:", ("d",)),
    ]


def test_lists_of_files_and_files_without_a_split(task):
    task.lines("e.jsonl", [{**DOCS[0], "q": "Last?"}])
    text = CHOICE.replace("{test: d.jsonl}", "[d.jsonl, e.jsonl]").replace(
        "test_split: test", "test_split: train"
    )
    assert [item.prompt for item in task.items(text)][-1] == "Last?\nA:"


def test_a_data_file_may_stand_where_the_command_runs(task):
    path = task.write(CHOICE)
    (task.folder / "tasks").mkdir()
    path = path.rename(task.folder / "tasks" / "t.yaml")
    assert len(convert(read_task(path)).items) == 3


def test_datasets_reads_the_data_where_it_is_installed(task, monkeypatch):
    asked = []

    def load_dataset(path, name, **arguments):
        asked.append((path, name, arguments))
        return {"test": DOCS}

    monkeypatch.setitem(sys.modules, "datasets", _hub(load_dataset))
    text = CHOICE.replace("dataset_path: json", "dataset_path: org/name\ndataset_name: main")
    text = text.replace(
        "data_files: {test: d.jsonl}", "data_files: {test: [d.jsonl, 'https://x/y']}, trust_remote_code: true"
    )
    assert len(task.items(text)) == 3
    files = {"test": [str(task.folder / "d.jsonl"), "https://x/y"]}
    assert asked == [("org/name", "main", {"data_files": files})]
    assert "2:1: the data has no split 'test'\n  there are: dev" in _with(
        monkeypatch, task, text, {"dev": DOCS}
    )


def _hub(load_dataset, files=None):
    """The package `datasets`, as far as it is used: `files` are what a data set would read."""
    builder = SimpleNamespace(config=SimpleNamespace(data_files=files))
    return SimpleNamespace(load_dataset=load_dataset, load_dataset_builder=lambda *a, **b: builder)


def _with(monkeypatch, task, text, loaded):
    monkeypatch.setitem(sys.modules, "datasets", _hub(lambda *a, **b: loaded))
    return task.problems(text.replace("dataset_kwargs", "#"))


def test_a_data_set_that_cannot_be_loaded(task, monkeypatch):
    def load_dataset(path, name, **arguments):
        raise ConnectionError("no way to the hub\nreally")

    monkeypatch.setitem(sys.modules, "datasets", _hub(load_dataset))
    assert (
        task.problems(CHOICE)
        == "3:1: the data set 'json' cannot be loaded: ConnectionError: no way to the hub"
    )


# What cannot be imported

DATA_ERRORS = [
    ("dataset_path: json", "dataset_path: parquet", None,
     "3:1: 'dataset_path: parquet' needs the package 'datasets'\n  pip install 'forgetting-gate[data]'"),
    ("dataset_path: json", "dataset_path: org/name", None,
     "3:1: 'dataset_path: org/name' needs the package 'datasets'\n  pip install 'forgetting-gate[data]'"),
    ("{test: d.jsonl}}", "{test: d.jsonl}, field: rows}", None,
     "3:1: 'dataset_path: json' with more than 'data_files' needs the package 'datasets'\n  pip install 'forgetting-gate[data]'"),
    ("test: d.jsonl", "test: '*.jsonl'", None,
     "3:1: text '*.jsonl' as a data file needs the package 'datasets'\n  pip install 'forgetting-gate[data]'"),
    ("test: d.jsonl", "test: x.jsonl", None, "3:1: no data file 'x.jsonl' beside the task file"),
    ("test: d.jsonl", "dev: d.jsonl", None, "3:1: the data has no split 'test'\n  there are: dev"),
    ("", "", [], "3:1: the split 'test' has no documents"),
    ("", "", [[1]], "3:1: d.jsonl: not JSON: row 1 must be an object, saw 1"),
    ("", "", [{**DOCS[0], "day": "2024-01-01"}],
     "3:1: the column 'day' holds values whose type the package 'datasets' decides\n  pip install 'forgetting-gate[data]'"),
    ("", "", [{**DOCS[0], "n": 1}, {**DOCS[1], "n": 1.5}],
     "3:1: the column 'n' holds values whose type the package 'datasets' decides\n  pip install 'forgetting-gate[data]'"),
    ("", "", [{**DOCS[0], "n": {"a": 1}}, {**DOCS[1], "n": {"b": 1}}],
     "3:1: the column 'n' holds values whose type the package 'datasets' decides\n  pip install 'forgetting-gate[data]'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "docs", "message"), DATA_ERRORS)
def test_data_errors(task, old, new, docs, message):
    assert task.problems(CHOICE.replace(old, new), docs) == message


@pytest.mark.parametrize("cell", ["1.5", "NA", "", "true", "2024-01-01", "007"])
def test_csv_cells_whose_type_is_not_plain_are_not_guessed(task, cell):
    (task.folder / "d.csv").write_text(f"q,first,label,other\nOne?,a,0,{cell}\nTwo?,c,1,{cell}\n")
    text = CHOICE.replace("dataset_path: json", "dataset_path: csv").replace("d.jsonl", "d.csv")
    assert task.problems(text).startswith(
        "3:1: the column 'other' holds values whose type the package 'datasets'"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"q": "Who?", "text": NaN}', "d.jsonl:2:1: NaN is not a number"),
        (
            r'{"q": "Who?", "text": "\ud83d"}',
            r"d.jsonl:2:1: half a surrogate pair (\ud83d), which is not a character",
        ),
        ("[" * 100_000, "d.jsonl:2:1: JSON that is nested too deeply"),
        (
            '{"q": "Who?", "text": ' + "[" * 3000 + "]" * 3000 + "}",
            "d.jsonl:2:1: JSON that is nested too deeply",
        ),
    ],
)
@pytest.mark.parametrize("installed", [True, False])
def test_lines_that_hold_no_document(task, monkeypatch, line, message, installed):
    if installed:
        files = {"test": [str(task.folder / "d.jsonl")]}
        monkeypatch.setitem(sys.modules, "datasets", _hub(lambda *a, **b: {"test": DOCS}, files))
    path = task.write(WRITTEN)
    (task.folder / "d.jsonl").write_text('{"q": "Why?", "text": "so"}\n' + line + "\n")
    with pytest.raises(InputError) as caught:
        convert(read_task(path))
    assert str(caught.value) == message


def test_a_number_that_is_none_in_a_column_that_is_used(task, monkeypatch):
    documents = [{"q": "Who?", "text": float("nan"), "other": 1.0}]
    assert _with(monkeypatch, task, WRITTEN, {"test": documents}) == (
        "6:1: document 0: the column 'text' holds nan, which is not a number"
    )
    unused = [{"q": "Who?", "text": "so", "other": float("nan")}]
    monkeypatch.setitem(sys.modules, "datasets", _hub(lambda *a, **b: {"test": unused}))
    assert len(task.items(WRITTEN)) == 1


def test_files_that_a_data_set_of_the_hub_would_read_here(task, monkeypatch):
    hub = _hub(lambda *a, **b: {"test": DOCS}, {"test": ["hf://datasets/o/n/a.parquet", "/etc/passwd"]})
    monkeypatch.setitem(sys.modules, "datasets", hub)
    told = task.problems(
        CHOICE.replace("dataset_path: json", "dataset_path: o/n").replace("dataset_kwargs", "#")
    )
    assert told.startswith("2:1: '/etc/passwd' leads outside")


def test_broken_files(task):
    path = task.write(CHOICE)
    (task.folder / "d.jsonl").write_text("{]")
    with pytest.raises(InputError, match=r"d\.jsonl: not JSON: Expecting property name"):
        convert(read_task(path))
    (task.folder / "d.csv").write_text("a,b\n1\n")
    path.write_text(CHOICE.replace("dataset_path: json", "dataset_path: csv").replace("d.jsonl", "d.csv"))
    with pytest.raises(InputError, match=r"d\.csv:2:1: expected 2 cells, as in the heading, saw 1"):
        convert(read_task(path))


FILE_ERRORS = [
    (CHOICE + "process_docs: !function utils.process\n",
     f"9:15: '!function' {CODE}\n  replace the code with templates, or with the data it produces"),
    (CHOICE.replace("doc_to_target: label", "doc_to_target: !function utils.target"),
     f"8:16: '!function' {CODE}\n  replace the code with templates, or with the data it produces"),
    (
        WRITTEN + "metric_list: [{metric: !function utils.f}]\n",
        f"7:24: '!function' {CODE}\n  replace the code with templates, or with the data it produces",
    ),
    (CHOICE + "process_docs: utils\n", f"9:1: 'process_docs' {CODE}"),
    (CHOICE + "process_results: utils\n", f"9:1: 'process_results' {CODE}"),
    (CHOICE + "custom_dataset: utils\n", f"9:1: 'custom_dataset' {CODE}"),
    (CHOICE + "class: utils\n", f"9:1: 'class' {CODE}"),
    (CHOICE + "doc_to_image: image\n", "9:1: 'doc_to_image' shows images, which a suite cannot"),
    (CHOICE + "doc_to_audio: sound\n", "9:1: 'doc_to_audio' plays sound, which a suite cannot"),
    (CHOICE + "use_prompt: p\n",
     "9:1: 'use_prompt' takes a prompt from promptsource; write it out as 'doc_to_text' and 'doc_to_target'"),
    (CHOICE + "repeats: 3\n", "9:10: 'repeats' must be 1, saw 3"),
    ("group: g\ntask: [a, b]\n", "1:1: this is a group of tasks\n  import its tasks one by one"),
    ("task: [a, b]\n", "1:1: this is a group of tasks\n  import its tasks one by one"),
    (CHOICE + "task_list: [a]\n", "9:1: this is a group of tasks\n  import its tasks one by one"),
    (CHOICE.replace("task: t\n", ""), "1:1: a task needs 'task'"),
    (CHOICE.replace("task: t\n", "task: 7\n"), "1:7: 'task' must be text, saw 7"),
    (CHOICE.replace("multiple_choice", "loglikelihood_rolling"),
     "5:14: 'output_type' must be multiple_choice or generate_until, saw text 'loglikelihood_rolling'"),
    (CHOICE.replace("multiple_choice", "multiple_choise"),
     "5:14: 'output_type' must be multiple_choice or generate_until, saw text 'multiple_choise'\n"
     "  did you mean 'multiple_choice'?"),
    (CHOICE + "doc_to_txt: x\n", "9:1: unknown key 'doc_to_txt' in a task\n  did you mean 'doc_to_text'?"),
    (CHOICE + "num_fewshot: -1\n", "9:14: 'num_fewshot' must be at least 0, saw -1"),
    (CHOICE.replace("dataset_path: json\n", ""),
     "1:1: a task needs 'dataset_path': json, csv, parquet or a data set"),
    (CHOICE.replace("test_split: test\n", ""), "1:1: a task needs a 'test_split' or a 'validation_split'"),
    (WRITTEN.replace('doc_to_text: "{{q}}"\n', ""), "1:1: a task of this kind needs 'doc_to_text'"),
    (CHOICE.replace("doc_to_choice: options\n", ""), "1:1: a task of this kind needs 'doc_to_choice'"),
    (CHOICE.replace('doc_to_text: "{{q}}\\nA:"', "doc_to_text: 1"),
     "6:1: a number as 'doc_to_text' puts the choices into the prompt; a suite's choices come after it"),
    (CHOICE.replace("doc_to_target: label", "doc_to_target: {a: b}"),
     "8:1: 'doc_to_target' must be text, a whole number or a list, saw a mapping"),
    (CHOICE.replace("doc_to_choice: options", "doc_to_choice: 4"),
     "7:1: 'doc_to_choice' must be text, a list or a mapping, saw 4"),
    (CHOICE + "generation_kwargs: {until: x}\n", "9:1: 'generation_kwargs' has no meaning under multiple_choice"),
    (WRITTEN + "generation_kwargs: {do_sample: true}\n",
     "7:21: sampled answers differ from run to run, so they cannot be compared\n  write 'do_sample: false'"),
    (WRITTEN + "generation_kwargs: {temperature: 0.7}\n",
     "7:21: sampled answers differ from run to run, so they cannot be compared\n  write 'do_sample: false'"),
    (WRITTEN + "generation_kwargs: {num_beams: 4}\n", "7:21: 'num_beams' is not supported: decoding is greedy"),
    (WRITTEN + "generation_kwargs: {max_gen_toks: 0}\n", "7:35: 'max_gen_toks' must be at least 1, saw 0"),
    (CHOICE + "fewshot_config: {sampler: balanced}\n",
     "9:27: 'sampler' must be first_n or default, saw text 'balanced'"),
    (CHOICE + "fewshot_config: {process_docs: f}\n", f"9:18: 'process_docs' {CODE}"),
    (CHOICE + "fewshot_config: {fewshot_indices: [1]}\n",
     "9:18: 'fewshot_indices' is ignored by lm-evaluation-harness; give the 'samples' themselves"),
    (CHOICE + "fewshot_config: {sampel: first_n}\n",
     "9:18: unknown key 'sampel' in 'fewshot_config'\n  did you mean 'samples'?"),
    (CHOICE + "metric_list: [{metric: f1}]\n",
     "9:16: the metric 'f1' of a multiple_choice task is not supported; supported: acc, acc_norm, acc_bytes"),
    (WRITTEN + "metric_list: [{metric: bleu}]\n",
     "7:16: the metric 'bleu' of a generate_until task is not supported; supported: exact_match"),
    (CHOICE + "metric_list: [{metric: acc, aggregation: median}]\n",
     "9:29: a gate compares shares of right answers, which is 'aggregation: mean'"),
    (WRITTEN + "metric_list: [{metric: exact_match, regexes_to_ignore: [a]}]\n",
     "7:37: 'regexes_to_ignore' of the metric 'exact_match' is not supported"),
    (CHOICE + "metric_list: [{name: acc}]\n", "9:15: a metric needs 'metric'"),
    (WRITTEN + "filter_list: [{name: n, filter: [{function: regex}]}]\n",
     "7:35: the filter 'regex' is not supported; supported: take_first, remove_whitespace"),
    (CHOICE + "filter_list: [{name: n, filter: [{function: remove_whitespace}]}]\n",
     "9:35: the filter 'remove_whitespace' is not supported; supported: take_first"),
    (WRITTEN + "filter_list:\n  - {name: a, filter: [{function: take_first}]}\n  - {name: b, filter: [{function: take_first}]}\n",
     "9:5: a second filter scores each answer again; a suite scores it once"),
    (CHOICE + "include: other.yaml\n", "9:1: no file 'other.yaml' beside this one to include"),
    (CHOICE + "include: t.yaml\n", "9:1: the file 't.yaml' includes itself"),
    ("- a\n", "1:1: a task is a mapping of keys to values, saw a list"),
    (CHOICE.replace("doc_to_choice: options", "doc_to_choice: [no, yes]"),
     "7:17: lm-evaluation-harness reads this as False, this harness as 'no'\n  quote it to mean text\n"
     "7:21: lm-evaluation-harness reads this as True, this harness as 'yes'\n  quote it to mean text"),
    (CHOICE + "metadata: {version: 010}\n",
     "9:21: lm-evaluation-harness reads this as 8, this harness as 10\n  quote it to mean text"),
    (CHOICE + "metadata: {version: =}\n",
     "9:21: lm-evaluation-harness, which reads YAML 1.1, cannot read this: could not determine a constructor for the "
     "tag 'tag:yaml.org,2002:value'\n  quote it to mean text"),
    (CHOICE + "metadata: {day: 2024-13-01}\n",
     "1:1: lm-evaluation-harness, which reads YAML 1.1, cannot read this: month must be in 1..12\n"
     "  quote it to mean text"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"), FILE_ERRORS, ids=lambda value: None if "task" in value else value[:40]
)
def test_task_errors(task, text, message):
    assert task.problems(text) == message


def test_every_problem_of_a_task_at_once(task):
    text = CHOICE.replace("multiple_choice", "loglikelihood") + "process_results: x\nrepeats: 2\n"
    assert [line.split(":")[0] for line in task.problems(text).splitlines()] == ["5", "9", "10"]


DOCUMENT_ERRORS = [
    (CHOICE, docs(label=2), "8:1: document 0: the right answer is choice 2, but the choices are 0 to 1"),
    (CHOICE, docs(label=-1), "8:1: document 0: the right answer is choice -1, but the choices are 0 to 1"),
    (CHOICE, docs(label="z"), "8:1: document 0: the right answer 'z' is not one of the choices"),
    (CHOICE, docs(label=0.0), "8:1: document 0: 'doc_to_target' must give the index of a choice, gave 0.0"),
    (CHOICE, docs(label=[]), "8:1: document 0: no right choice: the list is empty"),
    (CHOICE, docs(options=["a", "a"]), "7:1: document 0: the choice 'a' appears twice"),
    (CHOICE, docs(options=["a"]), "7:1: document 0: there must be at least two choices"),
    (CHOICE, docs(options=["a", " "]), "7:1: document 0: a choice must not be blank, saw ' '"),
    (CHOICE, docs(options=[1, 2]), "7:1: document 0: a choice must be text, saw 1"),
    (CHOICE, docs(options="ab"), "7:1: document 0: 'doc_to_choice' must give a list, gave text 'ab'"),
    (CHOICE.replace("options\n", "'{{q}}'\n"), None,
     "7:1: document 0: 'doc_to_choice' must give a list, gave text 'One?'\n"
     "7:1: document 1: 'doc_to_choice' must give a list, gave text 'Two?'\n"
     "7:1: document 2: 'doc_to_choice' must give a list, gave text 'Three?'"),
    (CHOICE.replace("{{q}}", "{{question}}"), docs(),
     "6:1: document 0: 'doc_to_text' cannot be filled: 'question' is undefined"),
    (CHOICE.replace("{{q}}\\nA:", "{{q"), docs(),
     "6:1: document 0: 'doc_to_text' cannot be filled: unexpected end of template, expected 'end of print statement'."),
    (CHOICE.replace("{{q}}", "{{q.__class__.mro()}}"), docs(),
     "6:1: document 0: 'doc_to_text' cannot be filled: access to attribute '__class__' of 'str' object is unsafe."),
    (CHOICE.replace('"{{q}}\\nA:"', '"{{label}}"'), docs(),
     "6:1: document 0: 'doc_to_text' gave the number 0, which puts the choices into the prompt; a suite's come after it"),
    (CHOICE.replace('"{{q}}\\nA:"', "label"), docs(), "6:1: document 0: 'doc_to_text' must give text, gave 0"),
    (CHOICE.replace('"{{q}}\\nA:"', "q"), docs(q=" "), "6:1: document 0: an empty prompt: a suite must ask something"),
    (CHOICE, docs(q="\ud800"), "d.jsonl:1:1: half a surrogate pair (\\ud800), which is not a character"),
    (CHOICE + "target_delimiter: ': '\n", docs(),
     "9:1: document 0: a suite puts one space between prompt and choice; the 'target_delimiter' ': ' gives 'One?\\nA:: a'"),
    (CHOICE + "target_delimiter: ''\nmetric_list: [{metric: acc_norm}]\n", docs(options=[" a", " b"]),
     "9:1: document 0: a suite puts one space between prompt and choice; the 'target_delimiter' '' gives "
     "'One?\\nA: a', and 'acc_norm' counts the length of the text after it"),
    (CHOICE + "num_fewshot: 2\nfewshot_split: test\n", docs(),
     "9:1: document 0: too few documents for 2 shots: 1"),
    (CHOICE + "num_fewshot: 2\nfewshot_config: {sampler: first_n, samples: [{q: a}]}\n", docs(),
     "9:1: document 0: too few documents for 2 shots: 1"),
    (CHOICE + "num_fewshot: 1\nfewshot_config: {sampler: first_n, samples: [{q: a, options: [b, c], label: 5}]}\n", docs(),
     "8:1: document 0: a shot's answer is choice 5 of 2"),
    (CHOICE + "num_fewshot: 1\nfewshot_config: {sampler: first_n, samples: [{q: a, options: [b, c], label: 1.5}]}\n", docs(),
     "8:1: document 0: a shot's answer must be text, saw 1.5"),
    (CHOICE + "gen_prefix: label\n", docs(), "9:1: document 0: 'gen_prefix' must give text, gave 0"),
    (WRITTEN, docs(text=""), "6:1: document 0: the metric compares nothing of the right answer ''"),
    (WRITTEN, docs(text=None), "6:1: document 0: no right answer"),
    (WRITTEN, docs(text=["a", 1]),
     "3:1: the column 'text' holds values whose type the package 'datasets' decides\n  pip install 'forgetting-gate[data]'"),
    (WRITTEN + "doc_to_choice: options\n", docs(),
     "6:1: document 0: 'doc_to_target' must give the index of a choice, gave text 'a'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "changed", "message"), DOCUMENT_ERRORS)
def test_document_errors(task, text, changed, message):
    assert task.problems(text, changed) == message


def test_not_more_than_ten_documents_are_named(task):
    lines = task.problems(CHOICE, docs(label=9) * 30).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "10 documents have problems; the rest were not checked"


def test_a_column_for_categories_that_is_not_there(task):
    message = "3:1: the documents have no column 'subject' for categories\n  there are: q, options, label, text, topic"
    assert task.problems(CHOICE, category="subject") == message


def test_a_metric_that_the_task_has_not(task):
    with pytest.raises(InputError, match="the task has no metric 'acc_bytes'; it has: acc, acc_norm"):
        read_task(task.write(CHOICE), metric="acc_bytes")
