"""Every fault of a suite in its author's words: where it began, what was seen, and what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.errors import SuiteError
from tests.support.suites import suite_with

SUITE = """\
suite: products
about: What the assistant knows.
severity: high
task:
  prompt: "{question}"
  max_new_tokens: 40
score: mentions
gates:
  - {over: all, max_drop: 0.1}
  - {over: category, max_drop: 0.2}
probes:
  - id: returns
    category: policy
    question: "How many days do I have to return a lamp?"
    answer: [30, thirty]
  - id: voltage
    category: hardware
    question: Which voltage does the lamp need?
    answer: 12 V
  - {id: maker, category: hardware, question: "Who makes the lamp?", answer: Lumen}
"""
TABLE = (Path(__file__).parent / "faults.txt").read_text(encoding="utf-8")
TOP = "suite: s\nscore: mentions\ngates: [{over: each}]\n"
CHOOSE = {"task": "{answer: choose}", "score": "choice"}


def faults():
    """The blocks of faults.txt, each as a parameter named by its title."""
    for block in re.split(r"^=== ", TABLE, flags=re.MULTILINE)[1:]:
        title, *lines = block.rstrip().splitlines()
        yield pytest.param(lines, id=title)


def written(lines: list[str]) -> str:
    """The suite as the author of a block writes it."""
    old, new, others = ([line[2:] for line in lines if line[0] == mark] for mark in "-+~")
    text = SUITE
    for before, after in (other.split(" -> ") for other in others):
        text = re.sub(rf"(?<![\w]){re.escape(before)}", after, text)
    before, after = ("".join(f"{line}\n" for line in given) for given in (old, new))
    assert before in text
    text = text.replace(before, after, 1) if before else text
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)


@pytest.fixture
def said(read):
    """All that is said of a suite, without "s.yaml:" before its places."""

    def said(text: str | bytes) -> list[str]:
        try:
            told = "\n".join(f"warning: {warning}" for warning in read(text).warnings)
        except SuiteError as error:
            told = str(error)
        return re.sub(r"^(warning: |)s\.yaml:", r"\1", told, flags=re.MULTILINE).splitlines()

    return said


def test_the_suite_itself_is_sound(said):
    assert said(SUITE) == []


@pytest.mark.parametrize("lines", list(faults()))
def test_a_fault(said, lines):
    assert said(written(lines)) == [line[2:] for line in lines if line[0] == ">"]


def test_there_are_sixty_and_more():
    assert len(list(faults())) >= 60


WHOLE = [
    ("", ["1:1: the file is empty: it has no suite", "  begin with 'suite: name', or have one written: python -m harness new NAME"]),
    ("".join(f"- {line}\n" for line in ("suite: s", "score: mentions")),
     ["1:1: a suite is a mapping of keys to values, saw a list",
      "  begin with 'suite: name', without '- ' before it and the other keys of the file"]),
    (SUITE.encode("utf-16"), ["1:1: not UTF-8 text: it is UTF-16", "  save the file as UTF-8"]),
    (SUITE.replace("Which", "W\u00e4lche").encode("latin-1"), ["18:16: not UTF-8 text: saw byte 0xe4", "  save the file as UTF-8"]),
    (SUITE + "---\n" + SUITE,
     ["21:1: not YAML: a second document begins here",
      "  a file holds one suite or recipe: write each into a file of its own, without '---' between them",
      "what follows was not read; run again once this is mended"]),
    ("```yaml\n" + SUITE + "```\n", ["1:1: not YAML: ``` is Markdown's, not YAML's", "  remove this line"]),
    ("// products\n" + SUITE, ["1:1: not YAML: a comment begins with '#', not with '//'", "  write: # products"]),
    ("recipe: r\nbase: embedded\n",
     ["1:1: this is a recipe, which trains a model, and no suite",
      "  train and gate it: pytest suites/ --model=FILE; or compare several: python -m harness ladder FILE..."]),
    ('{"suite": "s", "score": "mentions", "gates": [{"over": "each"}],\n "probes": [{"id": "a", "question": "Why?", "answer": "b"}]\n',
     ["1:1: not YAML: what opens here is never closed", "  is the file complete?",
      "what follows was not read; run again once this is mended"]),
    (TOP, ["1:1: a suite needs 'probes'",
           '  write: probes: [{id: capital, question: "What is the capital of France?", answer: Paris}]']),
    (TOP + "probes:\n  id: a\n  question: Why?\n  answer: b\n",
     ["5:3: 'probes' must be a list, saw a mapping",
      "  each begins with '- ', and its other keys stand two spaces deeper; write: - id: a"]),
    (TOP + "probes:\n  why:\n    question: Why?\n    answer: b\n",
     ["5:3: 'probes' must be a list, saw a mapping", "  each begins with '- ' and has its name under 'id'; write: - id: why"]),
    (TOP + "probes:\n  - Why?\n",
     ["5:5: a probe must be a mapping, saw text 'Why?'",
      '  write: - {id: capital, question: "What is the capital of France?", answer: Paris}']),
    (suite_with("{id: a, question: Why?, choices: 'red, blue', answer: red}", **CHOOSE),
     ["6:38: 'choices' must be a list, saw text 'red, blue'",
      "  write: - {id: a, question: Why?, choices: [red, blue], answer: red}"]),
    (suite_with("{id: a, question: Why?, choices: {A: red, B: blue}, answer: red}", **CHOOSE),
     ["6:38: 'choices' must be a list, saw a mapping",
      "  write: - {id: a, question: Why?, choices: [red, blue], answer: red}"]),
    (suite_with("{id: a, question: Why?, choices: [red, blue], answer: B}", **CHOOSE),
     ["6:51: the answer 'B' is not one of the choices", "  write the choice itself: answer: blue"]),
    (suite_with("{id: a, question: Why?, choices: [red, blue], answer: Red}", **CHOOSE),
     ["6:51: the answer 'Red' is not one of the choices", "  did you mean 'red'?"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), WHOLE)
def test_a_file_that_is_another_as_a_whole(said, text, told):
    assert said(text) == told


@pytest.mark.parametrize(
    "text",
    [
        SUITE.replace("\n", "\r\n"),
        SUITE.replace("\n", "\r"),
        "\ufeff" + SUITE,
        "---\n" + SUITE,
        SUITE.replace("max_drop: 0.1", "max_drop: .1"),
        SUITE.replace("12 V", "https://example.org"),
        SUITE.replace("Which", "Which " + "very " * 5000),
        SUITE.replace("Which", "Which\n      voltage, and which"),
    ],
)
def test_what_is_no_fault(said, text):
    assert said(text) == []


@pytest.mark.parametrize(
    "answer", ["no", "Yes", "on", "010", "1:30", "2024-01-05", "1e5", "1.50", "True", "0x1f", "1_000"]
)
def test_an_answer_is_the_text_that_its_author_wrote(read, answer):
    assert read(SUITE.replace("12 V", answer)).probes[1].answers == (answer,)


def test_all_faults_of_a_file_at_once(said):
    text = SUITE.replace('return a lamp?"', "return a lamp?").replace("Which voltage", "In a word: which")
    told = said(text.replace("Who makes the lamp?", 'Who makes the "blue" lamp?').replace("0.1}", "10%}"))
    assert [line.split(":")[0] for line in told if line[0] != " "] == ["9", "14", "18", "20"]


def test_a_fault_of_several_lines_is_told_once(said):
    told = said(SUITE.replace("    ", "\t"))
    assert told[0] == "13:1: not YAML: a tab where YAML allows only spaces; so in 6 lines"
    assert len(told) == 2


def test_lint_prints_the_fault_and_exits_with_2(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SUITE.replace("max_drop: 0.1", "max_drop: 10%"))
    assert main(["lint", "s.yaml"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "s.yaml:9:27: 'max_drop' must be a number, saw text '10%'",
        "  a fraction of 1: 0.1 means 10 %; write: - {over: all, max_drop: 0.1}",
        "1 problem",
    ]
