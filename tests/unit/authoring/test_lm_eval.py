"""Tasks of lm-evaluation-harness as suites: every conversion, and every reason why a task cannot be imported."""

from __future__ import annotations

import json
import re
import string
import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.authoring.lm_eval.convert import convert
from harness.authoring.lm_eval.exact import exact_pattern
from harness.authoring.lm_eval.task import Metric, read_task
from harness.authoring.lm_eval.write import Item
from harness.cli.main import main
from harness.engine.prompts import request
from harness.engine.requests import Choose, Generate
from harness.errors import InputError
from harness.scoring import SCORERS
from harness.spelling import option
from harness.suites.read import read_suite
from harness.suites.suite import Suite

ROOT = Path(__file__).parents[3]
TASKS = ROOT / "benchmarks" / "lm_eval_tasks"

DOCS = [
    {"q": "One?", "options": ["a", "b"], "label": 0, "text": "a", "topic": "x"},
    {"q": "Two?", "options": ["c", "d"], "label": 1, "text": "d", "topic": "y"},
    {"q": "Three?", "options": ["e", "f"], "label": 1, "text": "f", "topic": "x"},
]
CHOICE = """\
task: t
dataset_path: json
dataset_kwargs: {data_files: {test: d.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{q}}\\nA:"
doc_to_choice: options
doc_to_target: label
"""
WRITTEN = """\
task: t
dataset_path: json
dataset_kwargs: {data_files: {test: d.jsonl}}
test_split: test
doc_to_text: "{{q}}"
doc_to_target: text
"""


@pytest.fixture(autouse=True)
def without_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)


class Task:
    """A folder with a task file t.yaml and its documents d.jsonl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, text: str, docs: list[dict] | None = None) -> Path:
        self.lines("d.jsonl", DOCS if docs is None else docs)
        path = self.folder / "t.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def lines(self, name: str, docs: list[dict]) -> None:
        text = "".join(json.dumps(doc) + "\n" for doc in docs)
        (self.folder / name).write_text(text, encoding="utf-8")

    def items(self, text: str, docs: list[dict] | None = None, **options: object) -> tuple[Item, ...]:
        return convert(read_task(self.write(text, docs), **options)).items

    def suite(self, text: str, docs: list[dict] | None = None, **options: object) -> Suite:
        path = self.folder / "suite.yaml"
        path.write_text(convert(read_task(self.write(text, docs), **options)).text, encoding="utf-8")
        return read_suite(path, SCORERS)

    def shown(
        self, text: str, docs: list[dict] | None = None, **options: object
    ) -> list[tuple[str, tuple[str, ...]]]:
        """What a model is shown for each document, and the continuations that it chooses from."""
        suite = self.suite(text, docs, **options)
        asked = [request(suite, probe) for probe in suite.probes]
        return [(one.prompt.text, one.continuations if isinstance(one, Choose) else ()) for one in asked]

    def problems(self, text: str, docs: list[dict] | None = None, **options: object) -> str:
        path = self.write(text, docs)
        with pytest.raises(InputError) as caught:
            convert(read_task(path), **options)
        return str(caught.value).replace("t.yaml:", "").replace(f"{self.folder}/", "")


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    monkeypatch.chdir(tmp_path)
    return Task(tmp_path)


# What becomes of a task


def test_a_choice_task(task):
    suite = task.suite(CHOICE)
    assert (suite.name, suite.task.format, suite.task.answer) == ("t", "text", "choose")
    assert suite.about == "The lm-evaluation-harness task t (multiple_choice, acc)."
    assert [(gate.over, gate.max_drop) for gate in suite.gates] == [("all", 0.10)]
    assert [(p.id, p.choices, p.answers) for p in suite.probes] == [
        ("doc-0", ("a", "b"), ("a",)),
        ("doc-1", ("c", "d"), ("d",)),
        ("doc-2", ("e", "f"), ("f",)),
    ]
    assert request(suite, suite.probes[0]) == Choose(request(suite, suite.probes[0]).prompt, (" a", " b"))
    assert request(suite, suite.probes[0]).prompt.text == "One?\nA:"


def test_a_written_task(task):
    more = "generation_kwargs: {until: [X, '!'], max_gen_toks: 7, do_sample: false}\n"
    suite = task.suite(WRITTEN + more)
    asked = request(suite, suite.probes[1])
    assert isinstance(asked, Generate)
    assert (asked.prompt.text, asked.max_new_tokens, asked.stop) == ("Two?", 7, ("X", "!"))
    assert suite.probes[1].answers == (r"\Ad\Z",)
    assert suite.probes[1].scorer.name == "regex"


def test_without_generation_kwargs_an_answer_ends_at_the_delimiter_of_shots(task):
    asked = task.suite(WRITTEN).task
    assert (asked.max_new_tokens, asked.stop) == (256, ("\n\n",))
    assert task.suite(WRITTEN + "fewshot_delimiter: '##'\n").task.stop == ("##",)
    assert task.suite(WRITTEN + "generation_kwargs: {max_tokens: 9}\n").task.stop == ("\n\n",)


@pytest.mark.parametrize(
    ("metric", "per_byte", "per_character"), [("acc", False, False), ("acc_norm", False, True), ("acc_bytes", True, False)]
)  # fmt: skip
def test_metrics_of_choices(task, metric, per_byte, per_character):
    scorer = task.suite(CHOICE + f"metric_list: [{{metric: {metric}}}]\n").probes[0].scorer
    assert (scorer.per_byte, scorer.per_character) == (per_byte, per_character)
    # acc_norm of lm-evaluation-harness divides by characters, acc_bytes by bytes
    assert scorer.chosen(("ab", "éé"), (-2.0, -2.9)) == {"acc": 0, "acc_norm": 0, "acc_bytes": 1}[metric]
    assert scorer.chosen(("a", "éé"), (-2.0, -2.9)) == {"acc": 0, "acc_norm": 1, "acc_bytes": 1}[metric]


def test_what_lm_eval_does_not_heed_of_a_metric_of_choices_is_nothing_here(task):
    assert task.items(CHOICE + "metric_list: [{metric: acc, ignore_case: true, regexes_to_ignore: [a]}]\n")


def test_of_several_metrics_the_first_that_is_known_or_the_one_that_is_named(task):
    text = CHOICE + "metric_list: [{metric: f1}, {metric: acc_norm}, {metric: acc}]\n"
    read = read_task(task.write(text))
    assert read.metric.name == "acc_norm"
    assert read.notes == (f"scored by 'acc_norm'; left out: f1, acc ({option('metric')} chooses)",)
    assert read_task(task.write(text), metric="acc").metric.name == "acc"


@pytest.mark.parametrize(
    ("more", "docs", "answers"),
    [
        ("doc_to_target: '{{label}}'", None, [("a",), ("d",), ("f",)]),
        ("doc_to_target: text", None, [("a",), ("d",), ("f",)]),
        ("doc_to_target: '{{options[1]}}'", None, [("b",), ("d",), ("f",)]),
        ("doc_to_target: 1", None, [("b",), ("d",), ("f",)]),
        ("doc_to_target: [0, 1]", None, [("a", "b"), ("c", "d"), ("e", "f")]),
        ("doc_to_target: '[{{label}}]'", None, [("a",), ("d",), ("f",)]),
        ("doc_to_target: right", [{**DOCS[0], "right": True}], [("b",)]),
    ],
)
def test_targets_of_choices(task, more, docs, answers):
    text = "".join(line for line in CHOICE.splitlines(True) if "doc_to_target" not in line)
    assert [item.answers for item in task.items(text + more + "\n", docs)] == answers


@pytest.mark.parametrize(
    ("more", "choices"),
    [
        ("doc_to_choice: '{{options}}'", ("a", "b")),
        ("doc_to_choice: '{{[options[1], options[0]]}}'", ("b", "a")),
        ('doc_to_choice: ["no", "yes"]', ("no", "yes")),
        ("doc_to_choice: {first: A, second: B}", ("A", "B")),
    ],
)
def test_choices(task, more, choices):
    text = "".join(line for line in CHOICE.splitlines(True) if "doc_to_choice" not in line)
    assert task.items(text + more + "\n")[0].choices == choices


@pytest.mark.parametrize(
    ("target", "answers"),
    [
        ("text", (r"\Aa\Z",)),
        ("'{{q}}'", (r"\AOne\?\Z",)),
        ("options", (r"\Aa\Z", r"\Ab\Z")),
        ("label", (r"\A0\Z",)),
        ("7", (r"\A7\Z",)),
        ("'[{{label}}, 1]'", "a right answer must be text, saw 0"),
        ("'[{{q}}]'", (r"\A\[One\?\]\Z",)),
    ],
)
def test_targets_of_written_answers(task, target, answers):
    text = WRITTEN.replace("doc_to_target: text", f"doc_to_target: {target}")
    if isinstance(answers, str):
        assert answers in task.problems(text)
    else:
        assert task.items(text)[0].answers == answers


def test_a_written_answer_may_be_one_of_choices(task):
    text = WRITTEN.replace("doc_to_target: text", "doc_to_target: label") + "doc_to_choice: options\n"
    assert [item.answers for item in task.items(text)] == [(r"\Aa\Z",), (r"\Ad\Z",), (r"\Af\Z",)]


def test_templates_are_those_of_lm_eval(task):
    text = CHOICE.replace(
        r'"{{q}}\nA:"', r'"{{q | regex_replace(\"O\", \"0\")}}{% for o in options %} {{o}}{% endfor %}\n"'
    )
    assert task.shown(text)[0][0] == "0ne? a b\n"  # the last line break stays
    assert task.shown(CHOICE.replace(r'"{{q}}\nA:"', "q"))[0][0] == "One?"  # a column


def test_shots_that_are_the_same_for_all_stand_in_the_prompt_of_the_task(task):
    task.lines("s.jsonl", DOCS)
    text = CHOICE.replace("test: d.jsonl", "test: d.jsonl, train: s.jsonl")
    text += (
        "fewshot_split: train\nnum_fewshot: 2\nfewshot_config: {sampler: first_n}\ndescription: 'On {x}: '\n"
    )
    text = text.replace("On {x}: ", "On {{topic}}: ")
    same = [{**doc, "topic": "{x}"} for doc in DOCS]
    suite = task.suite(text, same)
    assert suite.task.prompt == "On {{x}}: One?\nA: a\n\nTwo?\nA: d\n\n{prompt}"
    assert request(suite, suite.probes[2]).prompt.text == "On {x}: One?\nA: a\n\nTwo?\nA: d\n\nThree?\nA:"
    suite = task.suite(text)  # topics differ, so each prompt has its own description and shots
    assert suite.task.prompt == "{prompt}"
    assert request(suite, suite.probes[1]).prompt.text == "On y: One?\nA: a\n\nTwo?\nA: d\n\nTwo?\nA:"


def test_a_document_is_no_shot_of_its_own(task):
    text = CHOICE + "fewshot_split: test\nnum_fewshot: 1\nfewshot_config: {sampler: first_n}\n"
    assert [prompt for prompt, _ in task.shown(text)] == [
        "Two?\nA: d\n\nOne?\nA:",
        "One?\nA: a\n\nTwo?\nA:",
        "One?\nA: a\n\nThree?\nA:",
    ]


def test_shots_drawn_at_random_are_those_of_lm_eval(task):
    docs = [{**DOCS[0], "q": f"{n}?"} for n in range(20)]
    random = Random(1234)
    expected = []
    for doc in docs:
        drawn = [one for one in random.sample(docs, 3) if one != doc][:2]
        expected.append("".join(f"{one['q']}\nA: a\n\n" for one in drawn) + f"{doc['q']}\nA:")
    text = CHOICE + "fewshot_split: test\nnum_fewshot: 2\n"
    assert [prompt for prompt, _ in task.shown(text, docs)] == expected
    random = Random(1234)
    expected = [
        "".join(f"{one['q']}\nA: a\n\n" for one in random.sample(docs, 2)) + f"{doc['q']}\nA:" for doc in docs
    ]
    text = (
        CHOICE.replace("test: d.jsonl", "test: d.jsonl, train: d.jsonl")
        + "training_split: train\nnum_fewshot: 2\n"
    )
    assert [prompt for prompt, _ in task.shown(text, docs)] == expected


def test_a_repeated_document_is_drawn_again(task):
    docs = [DOCS[0], DOCS[0], DOCS[1]]
    shown = task.shown(CHOICE + "fewshot_split: test\nnum_fewshot: 1\n", docs)
    assert [prompt.partition("\n")[0] for prompt, _ in shown[:2]] == ["Two?", "Two?"]


@pytest.mark.parametrize(
    ("config", "shot"),
    [
        ("target_delimiter: '='", "One?\nA:=a\n\n"),
        ("fewshot_delimiter: '##'", "One?\nA: a##"),
        ("doc_to_text: 'Q {{q}}'", "Q One? a\n\n"),
        ("doc_to_target: '{{1 - label}}'", "One?\nA: b\n\n"),
        ("doc_to_choice: ['u', 'v']", "One?\nA: u\n\n"),
        ("gen_prefix: 'It is'", "One?\nA: It is a\n\n"),
        ("gen_prefix: 'It is '", "One?\nA: It is a\n\n"),
        ("gen_prefix: ' It is'", "One?\nA: It is a\n\n"),
    ],
)
def test_shots_may_be_worded_otherwise(task, config, shot):
    text = CHOICE + f"num_fewshot: 1\nfewshot_config:\n  sampler: first_n\n  split: test\n  {config}\n"
    assert task.shown(text)[1][0] == f"{shot}Two?\nA:"


def test_samples_are_shots(task):
    text = CHOICE + "num_fewshot: 2\nfewshot_config:\n  sampler: first_n\n  samples:\n"
    text += "    - {q: S?, options: [s, t], label: 1}\n    - {q: U?, options: [u, v], label: 0}\n"
    assert task.shown(text)[0][0] == "S?\nA: t\n\nU?\nA: u\n\nOne?\nA:"


def test_the_first_of_several_targets_is_shown(task):
    text = (
        WRITTEN.replace("doc_to_target: text", "doc_to_target: options")
        + "num_fewshot: 1\nfewshot_split: test\n"
    )
    text += "fewshot_config: {sampler: first_n}\n"
    assert task.shown(text)[1][0] == "One? a\n\nTwo?"


def test_num_fewshot_of_the_command_line(task):
    text = CHOICE + "fewshot_split: test\nfewshot_config: {sampler: first_n}\n"
    assert task.shown(text)[1][0] == "Two?\nA:"
    assert task.shown(text, num_fewshot=1)[1][0] == "One?\nA: a\n\nTwo?\nA:"


def test_how_an_answer_begins_belongs_to_the_prompt(task):
    assert task.shown(CHOICE + "gen_prefix: '({{topic}})'\n")[0] == ("One?\nA: (x)", (" a", " b"))


@pytest.mark.parametrize(
    ("prompt", "delimiter", "choices", "shown"),
    [
        ("Q:", " ", ["a", "b"], ("Q:", (" a", " b"))),
        ("Q: ", " ", ["a", "b"], ("Q: ", (" a", " b"))),
        ("Q: ", "", ["a", "b"], ("Q:", (" a", " b"))),
        ("Q:", "", [" a", " b"], ("Q:", (" a", " b"))),
        ("Q:", "\\n ", ["a", "b"], ("Q:\n", (" a", " b"))),
        ("Q:", " (", ["a)", "b)"], ("Q:", (" (a)", " (b)"))),
        ("Q:", " ", [" a", "b"], ("Q:", ("  a", " b"))),
    ],
)
def test_a_space_stands_between_prompt_and_choice_wherever_the_task_writes_it(
    task, prompt, delimiter, choices, shown
):
    text = CHOICE.replace(r'"{{q}}\nA:"', f'"{prompt}"') + f'target_delimiter: "{delimiter}"\n'
    docs = [{**DOCS[0], "options": choices}, {**DOCS[1], "options": choices}]
    text += "metric_list: [{metric: acc}]\n"
    found = task.shown(text, docs)[0]
    assert found == shown
    whole = [found[0] + choice for choice in found[1]]
    assert whole == [prompt + delimiter.replace("\\n", "\n") + choice for choice in choices]


def test_categories(task):
    docs = [*DOCS, {**DOCS[0], "q": "Four?", "topic": None}, {**DOCS[0], "q": "Five?", "topic": "a[1]: b"}]
    made = convert(read_task(task.write(CHOICE, docs)), category="topic")
    assert [item.category for item in made.items] == ["x", "y", "x", None, "a 1 b"]
    assert "1 of 5 documents have no category" in made.notes
    (task.folder / "s.yaml").write_text(made.text)
    gates = read_suite(task.folder / "s.yaml", SCORERS).gates
    assert [(gate.over, gate.max_drop, gate.on_inconclusive) for gate in gates] == [
        ("all", 0.10, "observed"), ("category", 0.20, "pass"),
    ]  # fmt: skip


def test_a_limit_takes_the_first(task):
    assert [item.index for item in convert(read_task(task.write(CHOICE)), limit=2).items] == [0, 1]


def test_the_validation_split_is_asked_where_there_is_no_test_split(task):
    text = CHOICE.replace("test: d.jsonl", "dev: d.jsonl").replace(
        "test_split: test", "validation_split: dev"
    )
    assert len(task.items(text)) == 3


def test_a_constant_prompt_is_said(task):
    made = convert(read_task(task.write(CHOICE.replace(r'"{{q}}\nA:"', "question"))))
    assert (
        made.notes[-1]
        == "every prompt is the same: is a column meant? there are: q, options, label, text, topic"
    )


def test_included_files(task):
    base = CHOICE.replace("task: t\n", "") + "num_fewshot: 1\n"
    (task.folder / "base").write_text(base)
    (task.folder / "more.yaml").write_text("include: base\nfewshot_split: test\ndoc_to_text: nothing\n")
    shown = task.shown(
        "include: [more.yaml]\ntask: t\ndoc_to_text: '{{q}}!'\nfewshot_config: {sampler: first_n}\n"
    )
    assert shown[1][0] == "One?! a\n\nTwo?!"


def test_a_problem_of_an_included_file_is_placed_there(task):
    (task.folder / "base.yaml").write_text("output_type: loglikelihood\n")
    text = CHOICE.replace("output_type: multiple_choice", "include: base.yaml")
    message = task.problems(text)
    assert message.startswith("base.yaml:1:1: the output type 'loglikelihood' is not supported")


@pytest.mark.parametrize("name", ["world_choice", "world_choice_random", "world_answer"])
def test_the_tasks_of_the_benchmark(tmp_path, name):
    made = convert(read_task(TASKS / f"{name}.yaml"))
    assert len(made.items) == {"world_choice": 36, "world_choice_random": 36, "world_answer": 26}[name]
    path = tmp_path / "s.yaml"
    path.write_text(made.text, encoding="utf-8")
    assert len(read_suite(path, SCORERS).probes) == len(made.items)


# Right answers of exact_match


def exact_match(prediction: str, target: str, metric: Metric) -> bool:
    """lm-evaluation-harness's `exact_match`, after its filter `remove_whitespace` where the metric strips."""
    return compared(prediction.strip() if metric.strip else prediction, metric) == compared(target, metric)


def compared(text: str, metric: Metric) -> str:
    """What a metric compares of a text."""
    text = text.lower() if metric.ignore_case else text
    removed = (string.punctuation if metric.ignore_punctuation else "") + (
        string.digits if metric.ignore_numbers else ""
    )
    return text.translate(str.maketrans("", "", removed))


METRIC = st.builds(Metric, st.just("exact_match"), st.booleans(), st.booleans(), st.booleans(), st.booleans())
PIECES = st.lists(
    st.sampled_from(["a", "B", "é", " ", "\n", "1", ".", "(", "-", "]", "\\", "^"]), max_size=5
).map("".join)


@settings(max_examples=300)
@given(PIECES, PIECES, METRIC)
@example("5 Paris ", "Paris", Metric("exact_match", ignore_numbers=True, strip=True))
@example(" !a", "! a", Metric("exact_match", ignore_punctuation=True, strip=True))
@example("  a", "! a", Metric("exact_match", ignore_punctuation=True, strip=True))
def test_a_pattern_finds_just_what_the_metric_calls_right(prediction, target, metric):
    pattern = exact_pattern(target, metric)
    assert (pattern is None) == (not compared(target, metric).strip())
    for text in (prediction, target, f" {target} ", f".{target}1", target.swapcase()) if pattern else ():
        assert (re.search(pattern, text, re.MULTILINE) is not None) == exact_match(text, target, metric)


def test_patterns_that_people_read():
    assert exact_pattern("St. Paul's (1)", Metric("exact_match")) == r"\ASt\. Paul's \(1\)\Z"
    assert (
        exact_pattern("New York", Metric("exact_match", ignore_case=True, strip=True))
        == r"(?i)\A\s*New York\s*\Z"
    )


@pytest.mark.parametrize(("target", "metric"), [
    ("", Metric("exact_match")), (" \n", Metric("exact_match")), ("?!", Metric("exact_match", ignore_punctuation=True)),
    ("12", Metric("exact_match", ignore_numbers=True)),
])  # fmt: skip
def test_nothing_left_to_compare(target, metric):
    assert exact_pattern(target, metric) is None


def test_hard_patterns_have_the_plain_answer_beside_them(task):
    text = WRITTEN.replace("doc_to_target: text", "doc_to_target: options")
    made = convert(
        read_task(task.write(text + "metric_list: [{metric: exact_match, ignore_punctuation: true}]\n"))
    )
    assert made.items[0].note == "a | b"
    assert "note: a | b" in made.text


PARTS = [
    ("", "", []),
    ("ignore_case: true", "", ["(?i)"]),
    ("ignore_punctuation: true", "", [r"[!-/:-@\[-`{-~]*"]),
    ("ignore_numbers: true", "", ["[0-9]*"]),
    ("ignore_punctuation: true, ignore_numbers: true", "", [r"[!-/:-@\[-`{-~0-9]*"]),
    ("", "remove_whitespace", [r"\s*"]),
    (
        "ignore_case: true, ignore_punctuation: true",
        "remove_whitespace",
        ["(?i)", r"[!-/:-@\[-`{-~]*", r"\s*"],
    ),
]


@pytest.mark.parametrize(("arguments", "step", "parts"), PARTS)
def test_a_comment_says_what_each_part_of_the_patterns_means(task, arguments, step, parts):
    more = f"metric_list: [{{metric: exact_match, {arguments}}}]\n"
    if step:
        more += f"filter_list: [{{name: n, filter: [{{function: {step}}}]}}]\n"
    made = convert(read_task(task.write(WRITTEN + more)))
    comments = [line for line in made.text.splitlines() if line.startswith("#")]
    explained = [line.split()[1] for line in comments if line.startswith("#   ")]
    assert explained == parts
    assert all(part in made.items[0].answers[0] for part in parts)


def test_the_comment_on_patterns(task):
    more = "metric_list: [{metric: exact_match, ignore_case: true, ignore_punctuation: true}]\n"
    more += "filter_list: [{name: n, filter: [{function: remove_whitespace}]}]\n"
    lines = convert(read_task(task.write(WRITTEN + more))).text.splitlines()
    begin = next(index for index, line in enumerate(lines) if line.startswith("# An answer"))
    assert lines[begin : begin + 6] == [
        r"# An answer is the pattern that just the right texts match, from \A (their beginning) to \Z (their end):",
        "#   (?i) upper and lower case are alike",
        r"#   [!-/:-@\[-`{-~]* punctuation here is ignored",
        r"#   \s* white space at the ends is ignored",
        "# A probe's note is its right answer without them.",
        "suite: t",
    ]


def test_the_score_equals_would_judge_otherwise():
    """Why punctuation and case that are ignored take a pattern: `equals` ignores more, and less."""
    metric = Metric("exact_match", ignore_case=True, ignore_punctuation=True, strip=True)
    equals = SCORERS["equals"]()
    for text, target, right in [("U.S.A.", "USA", True), ("a  b", "a b", False), ("ﬁn", "fin", False)]:
        assert exact_match(text, target, metric) is right
        assert bool(re.search(exact_pattern(target, metric), text)) is right
        assert equals.right(text, [target]) is not right


def test_the_filter_remove_whitespace(task):
    more = "filter_list: [{name: n, filter: [{function: remove_whitespace}, {function: take_first}]}]\n"
    assert task.items(WRITTEN + more)[0].answers == (r"\A\s*a\s*\Z",)


# The file that is written


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=2, max_size=3, unique=True), TEXTS)
@example(["no", "12"], "~")
@example(["1e3", "0o17"], " \n x\n\n")
@example(["a, b", "{c}"], "a: b # c\r\n")
@example(["a\u2028", "\x85x"], "\tx\u2029\ufeff")
def test_every_text_is_read_back_as_it_was(tmp_path_factory, choices, prompt):
    folder = tmp_path_factory.mktemp("t")
    docs = [{"q": prompt, "options": choices, "label": 1, "topic": "x"}]
    (folder / "d.jsonl").write_text(json.dumps(docs[0]) + "\n")
    (folder / "t.yaml").write_text(CHOICE.replace(r'"{{q}}\nA:"', "q"))
    (folder / "s.yaml").write_text(convert(read_task(folder / "t.yaml")).text, encoding="utf-8", newline="\n")
    suite = read_suite(folder / "s.yaml", SCORERS)
    assert request(suite, suite.probes[0]) == Choose(
        request(suite, suite.probes[0]).prompt, tuple(f" {choice}" for choice in choices)
    )
    shown = request(suite, suite.probes[0]).prompt.text
    assert shown == (prompt if not prompt[-1].isspace() else shown)
    assert shown + " " == prompt + " "
    assert suite.probes[0].answers == (choices[1],)


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
        ('{"q": "Who?", "text": NaN}', "d.jsonl:2:1: NaN is no number"),
        (
            r'{"q": "Who?", "text": "\ud83d"}',
            r"d.jsonl:2:1: half a surrogate pair (\ud83d), which is no character",
        ),
        ("[" * 100_000, "d.jsonl:2:1: JSON that is nested too deep to be read"),
        (
            '{"q": "Who?", "text": ' + "[" * 3000 + "]" * 3000 + "}",
            "d.jsonl:2:1: JSON that is nested too deep to be read",
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
        "6:1: document 0: the column 'text' holds nan, which is no number"
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
    with pytest.raises(InputError, match=r"d\.csv:2:1: not as many cells as the heading has: 2, saw 1"):
        convert(read_task(path))


CODE = "is Python code, which an import does not run"
FILE_ERRORS = [
    (CHOICE + "process_docs: !function utils.process\n",
     f"9:15: '!function' {CODE}\n  write out what the code does: as templates, or as data that it has been run on"),
    (CHOICE.replace("doc_to_target: label", "doc_to_target: !function utils.target"),
     f"8:16: '!function' {CODE}\n  write out what the code does: as templates, or as data that it has been run on"),
    (
        WRITTEN + "metric_list: [{metric: !function utils.f}]\n",
        f"7:24: '!function' {CODE}\n  write out what the code does: as templates, or as data that it has been run on",
    ),
    (CHOICE + "process_docs: utils\n", f"9:1: 'process_docs' {CODE}"),
    (CHOICE + "process_results: utils\n", f"9:1: 'process_results' {CODE}"),
    (CHOICE + "custom_dataset: utils\n", f"9:1: 'custom_dataset' {CODE}"),
    (CHOICE + "class: utils\n", f"9:1: 'class' {CODE}"),
    (CHOICE + "doc_to_image: image\n", "9:1: 'doc_to_image' shows images, which a suite cannot"),
    (CHOICE + "doc_to_audio: sound\n", "9:1: 'doc_to_audio' plays sound, which a suite cannot"),
    (CHOICE + "use_prompt: p\n",
     "9:1: 'use_prompt' takes a prompt from promptsource; write it out as 'doc_to_text' and 'doc_to_target'"),
    (CHOICE + "repeats: 3\n", "9:1: 'repeats' asks a question several times; a suite asks it once"),
    ("group: g\ntask: [a, b]\n", "1:1: this is a group of tasks\n  import its tasks one by one"),
    ("task: [a, b]\n", "1:1: this is a group of tasks\n  import its tasks one by one"),
    (CHOICE + "task_list: [a]\n", "9:1: this is a group of tasks\n  import its tasks one by one"),
    (CHOICE.replace("task: t\n", ""), "1:1: a task needs a name as 'task', saw nothing"),
    (CHOICE.replace("task: t\n", "task: 7\n"), "1:1: a task needs a name as 'task', saw 7"),
    (CHOICE.replace("multiple_choice", "loglikelihood_rolling"),
     "5:1: the output type 'loglikelihood_rolling' is not supported; these are: multiple_choice, generate_until"),
    (CHOICE.replace("multiple_choice", "multiple_choise"),
     "5:1: the output type 'multiple_choise' is not supported; these are: multiple_choice, generate_until\n"
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
    (WRITTEN + "generation_kwargs: {num_beams: 4}\n", "7:21: 'num_beams' is not supported: answers are written greedily"),
    (WRITTEN + "generation_kwargs: {max_gen_toks: 0}\n", "7:35: 'max_gen_toks' must be at least 1, saw 0"),
    (CHOICE + "fewshot_config: {sampler: balanced}\n",
     "9:18: unknown sampler 'balanced'; there are: first_n, default"),
    (CHOICE + "fewshot_config: {process_docs: f}\n", f"9:18: 'process_docs' {CODE}"),
    (CHOICE + "fewshot_config: {fewshot_indices: [1]}\n",
     "9:18: 'fewshot_indices' is not supported: lm-evaluation-harness does not heed it\n  give the 'samples' themselves"),
    (CHOICE + "fewshot_config: {sampel: first_n}\n",
     "9:18: unknown key 'sampel' in 'fewshot_config'\n  did you mean 'samples'?"),
    (CHOICE + "metric_list: [{metric: f1}]\n",
     "9:16: the metric 'f1' of a multiple_choice task is not supported; these are: acc, acc_norm, acc_bytes"),
    (WRITTEN + "metric_list: [{metric: bleu}]\n",
     "7:16: the metric 'bleu' of a generate_until task is not supported; these are: exact_match"),
    (CHOICE + "metric_list: [{metric: acc, aggregation: median}]\n",
     "9:29: a gate compares shares of right answers, which is 'aggregation: mean'"),
    (WRITTEN + "metric_list: [{metric: exact_match, regexes_to_ignore: [a]}]\n",
     "7:37: 'regexes_to_ignore' of the metric 'exact_match' is not supported"),
    (CHOICE + "metric_list: [{name: acc}]\n", "9:15: a metric needs 'metric'"),
    (WRITTEN + "filter_list: [{name: n, filter: [{function: regex}]}]\n",
     "7:35: the filter 'regex' is not supported; these are: take_first, remove_whitespace"),
    (CHOICE + "filter_list: [{name: n, filter: [{function: remove_whitespace}]}]\n",
     "9:35: the filter 'remove_whitespace' is not supported; these are: take_first"),
    (WRITTEN + "filter_list:\n  - {name: a, filter: [{function: take_first}]}\n  - {name: b, filter: [{function: take_first}]}\n",
     "9:5: a second filter: it scores each answer a second way, a suite scores it once"),
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


def docs(**changes: object) -> list[dict]:
    return [{**DOCS[0], **changes}]


DOCUMENT_ERRORS = [
    (CHOICE, docs(label=2), "8:1: document 0: the right answer is choice 2, and they are 0 to 1"),
    (CHOICE, docs(label=-1), "8:1: document 0: the right answer is choice -1, and they are 0 to 1"),
    (CHOICE, docs(label="z"), "8:1: document 0: the right answer 'z' is not one of the choices"),
    (CHOICE, docs(label=0.0), "8:1: document 0: 'doc_to_target' must give the index of a choice, gave 0.0"),
    (CHOICE, docs(label=[]), "8:1: document 0: no right choice: the list of them is empty"),
    (CHOICE, docs(options=["a", "a"]), "7:1: document 0: the choice 'a' stands twice"),
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
    (CHOICE, docs(q="\ud800"), "d.jsonl:1:1: half a surrogate pair (\\ud800), which is no character"),
    (CHOICE + "target_delimiter: ': '\n", docs(),
     "9:1: document 0: a suite puts one space between prompt and choice; ': ' here, as 'target_delimiter', gives 'One?\\nA:: a'"),
    (CHOICE + "target_delimiter: ''\nmetric_list: [{metric: acc_norm}]\n", docs(options=[" a", " b"]),
     "9:1: document 0: a suite puts one space between prompt and choice; '' here, as 'target_delimiter', gives "
     "'One?\\nA: a', and 'acc_norm' counts the length of what stands after it"),
    (CHOICE + "num_fewshot: 2\nfewshot_split: test\n", docs(),
     "9:1: document 0: there are too few documents for 2 shots: 1"),
    (CHOICE + "num_fewshot: 2\nfewshot_config: {sampler: first_n, samples: [{q: a}]}\n", docs(),
     "9:1: document 0: there are too few documents for 2 shots: 1"),
    (CHOICE + "num_fewshot: 1\nfewshot_config: {sampler: first_n, samples: [{q: a, options: [b, c], label: 5}]}\n", docs(),
     "8:1: document 0: a shot's answer is choice 5 of 2"),
    (CHOICE + "num_fewshot: 1\nfewshot_config: {sampler: first_n, samples: [{q: a, options: [b, c], label: 1.5}]}\n", docs(),
     "8:1: document 0: a shot's answer must be text, saw 1.5"),
    (CHOICE + "gen_prefix: label\n", docs(), "9:1: document 0: 'gen_prefix' must give text, gave 0"),
    (WRITTEN, docs(text=""), "6:1: document 0: the right answer '' is empty where the metric compares it"),
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
    assert lines[-1] == "10 documents with problems; the rest was not looked at"


def test_a_column_for_categories_that_is_not_there(task):
    message = "3:1: the documents have no column 'subject' for categories\n  there are: q, options, label, text, topic"
    assert task.problems(CHOICE, category="subject") == message


def test_a_metric_that_the_task_has_not(task):
    with pytest.raises(InputError, match="the task has no metric 'acc_bytes'; it has: acc, acc_norm"):
        read_task(task.write(CHOICE), metric="acc_bytes")


# The command


def test_the_command(task, capsys):
    task.write(CHOICE)
    assert main(["import", "lm-eval", "t.yaml", "--category", "topic", "--limit", "2"]) == 0
    out = capsys.readouterr()
    assert out.out == "suites/t.yaml: t, 2 probes in 2 categories\n"
    assert out.err == "note: scored by 'acc'; left out: acc_norm (--metric chooses)\n"
    text = (task.folder / "suites" / "t.yaml").read_text()
    assert text.startswith("# Imported from t.yaml by `python -m harness import lm-eval`")
    assert yaml.safe_load(text)["suite"] == "t"
    assert main(["import", "lm-eval", "t.yaml"]) == 4
    assert (
        capsys.readouterr().err
        == "suites/t.yaml is there already\n  name another file with --out, or add --force\n"
    )
    assert main(["import", "lm-eval", "t.yaml", "--force", "--metric", "acc_norm"]) == 0
    assert main(["import", "lm-eval", "t.yaml", "--out", "x/y.yaml", "--num-fewshot", "0"]) == 0
    assert (task.folder / "x" / "y.yaml").is_file()


def test_the_command_says_what_is_wrong(task, capsys):
    task.write(CHOICE + "process_docs: x\n")
    assert main(["import", "lm-eval", "t.yaml"]) == 4
    assert capsys.readouterr().err == f"t.yaml:9:1: 'process_docs' {CODE}\n"
    assert main(["import", "lm-eval", "nothing.yaml"]) == 4
    assert "nothing.yaml: cannot be read: No such file" in capsys.readouterr().err
    assert not (task.folder / "suites").exists()


def test_names_that_suites_cannot_have_are_changed(task):
    assert task.suite(CHOICE.replace("task: t", "task: 'a: b/c'")).name == "a-b-c"


def test_what_is_long_or_much_becomes_a_suite_that_can_be_read_or_none(task):
    docs = [{**DOCS[0], "topic": "a" * 499 + " b c"}, {**DOCS[0], "q": "Two?", "topic": "x"}]
    suite = task.suite(CHOICE.replace("task: ", f"task: {'n' * 600}"), docs)
    assert len(suite.name) == 500
    made = convert(read_task(task.write(CHOICE, docs)), category="topic")
    assert made.items[0].category == "a" * 499
    long = WRITTEN.replace("doc_to_target: text", f"doc_to_target: '{'a' * 100_000}'")
    assert "a right answer of 100,000 characters is too long to be compared exactly" in task.problems(long)
