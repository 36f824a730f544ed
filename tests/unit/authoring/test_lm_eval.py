"""Tasks of lm-evaluation-harness as suites: every conversion."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.authoring.lm_eval.convert import convert
from harness.authoring.lm_eval.exact import exact_pattern
from harness.authoring.lm_eval.read import read_task
from harness.authoring.lm_eval.task import Metric
from harness.cli.main import main
from harness.engine.prompts import request
from harness.engine.requests import Generate, MultipleChoice
from harness.scoring import SCORERS
from harness.spelling import option
from harness.suites.read import read_suite
from tests.support.lm_eval import CHOICE, CODE, DOCS, WRITTEN

ROOT = Path(__file__).parents[3]


TASKS = ROOT / "benchmarks" / "lm_eval_tasks"


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
    assert request(suite, suite.probes[0]) == MultipleChoice(
        request(suite, suite.probes[0]).prompt, (" a", " b")
    )
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
    assert read.notes == (f"scored by 'acc_norm'; left out: f1, acc (choose with {option('metric')})",)
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
        ("all", 0.10, "confirmed"), ("category", 0.20, "pass"),
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
    assert message.startswith("base.yaml:1:14: 'output_type' must be multiple_choice or generate_until")


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
        r"# An answer is a pattern that only right texts match, from \A (the beginning) to \Z (the end):",
        "#   (?i) upper and lower case are equal",
        r"#   [!-/:-@\[-`{-~]* punctuation here is ignored",
        r"#   \s* white space at both ends is ignored",
        "# A probe's note is its right answer as plain text.",
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
    assert request(suite, suite.probes[0]) == MultipleChoice(
        request(suite, suite.probes[0]).prompt, tuple(f" {choice}" for choice in choices)
    )
    shown = request(suite, suite.probes[0]).prompt.text
    assert shown == (prompt if not prompt[-1].isspace() else shown)
    assert shown + " " == prompt + " "
    assert suite.probes[0].answers == (choices[1],)


# The command


def test_the_command(task, capsys):
    task.write(CHOICE)
    assert main(["import", "lm-eval", "t.yaml", "--category", "topic", "--limit", "2"]) == 0
    out = capsys.readouterr()
    assert out.out == "suites/t.yaml: t, 2 probes in 2 categories\n"
    assert out.err == "note: scored by 'acc'; left out: acc_norm (choose with --metric)\n"
    text = (task.folder / "suites" / "t.yaml").read_text()
    assert text.startswith("# Imported from t.yaml by `python -m harness import lm-eval`")
    assert yaml.safe_load(text)["suite"] == "t"
    assert main(["import", "lm-eval", "t.yaml"]) == 4
    assert (
        capsys.readouterr().err
        == "suites/t.yaml exists\n  name another file with --out, or overwrite it with --force\n"
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
    assert "a right answer of 100,000 characters is too long for an exact comparison" in task.problems(long)
