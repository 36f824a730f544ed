"""What a suite becomes that can be read, bounds of the reader, and what it says of a file as a whole; anything else is said too."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SuiteError
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from harness.suites.suite import EachGate, MarginGate, Probe, RiseGate, Shot, Task
from tests.support.suites import NAME, suite_with


def test_nesting_that_libyaml_sees_before_us(problems):
    place, _, message = problems("a: " + "[" * 100_000).partition(": ")
    assert message == "nested more than 40 levels deep"
    assert place in ("1:43", "1:1003")  # since PyYAML 6.0.4, it reads ahead no further than 1,000 levels


@pytest.mark.parametrize("number", ["0x" + "f" * 5000, "9" * 5000], ids=["hexadecimal", "decimal"])
def test_a_number_too_long_to_be_meant(problems, number):
    text = problems(suite_with(gates=f"[{{over: all, max_drop: {number}}}]"))
    assert f"2:31: '{number[:40]}' is not a value of type int\n  quote it to mean text" in text


def test_a_prompt_without_the_field_and_a_field_without_the_prompt(problems):
    assert problems(suite_with(task="{prompt: '{country}'}")) == (
        "6:13: unknown key 'question' in a probe: the prompt does not use it\n"
        "  its name is 'country'; write: - {id: a, country: Why?, answer: b}"
    )


def test_everything_wrong_is_reported_at_once_in_the_order_of_lines(problems):
    text = """\
suite: s
score: mentions
gates: [{over: all, max_drop: 2}, {over: category, max_drop: x}]
probes:
  - {id: a, question: Why?, answr: b}
  - {id: a, question: "", answer: c}
  - {id: "x y", question: Why?, answer: ""}
  - nonsense
severity: hgih
"""
    assert problems(text) == (
        "3:31: 'max_drop' must be at most 1, saw 2\n"
        "  a fraction of 1: 0.1 means 10 %; write: gates: [{over: all, max_drop: 0.02}, {over: category, max_drop: x}]\n"
        "3:62: 'max_drop' must be a number, saw text 'x'\n"
        "5:29: unknown key 'answr' in a probe: the prompt does not use it\n  did you mean 'answer'?\n"
        "6:6: repeated id 'a'\n  line 5 has it already\n"
        "6:13: 'question' must be non-empty text, saw empty text\n"
        f"7:10: 'id' must be {NAME}, saw text 'x y'\n"
        '  write: - {id: x-y, question: Why?, answer: ""}\n'
        "8:5: a probe must be a mapping, saw text 'nonsense'\n"
        '  write: - {id: capital, question: "What is the capital of France?", answer: Paris}\n'
        "9:11: 'severity' must be critical, high, medium or low, saw text 'hgih'\n  did you mean 'high'?"
    )


def test_a_broken_probe_does_not_hide_its_category(problems):
    text = suite_with(
        "{id: a b, question: Why?, answer: b, category: x}", gates="[{over: category, max_drop: 0.1}]"
    )
    assert problems(text) == (
        f"6:10: 'id' must be {NAME}, saw text 'a b'\n"
        "  write: - {id: a-b, question: Why?, answer: b, category: x}"
    )


def test_a_broken_prompt_says_nothing_of_the_shots(problems):
    text = suite_with(task="{prompt: '{question', shots: [{question: x, answer: y}]}")
    assert len(problems(text).splitlines()) == 1


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
)


CHAIN = (
    "? [&a0 [x], "
    + ", ".join(f"&a{level} [*a{level - 1}]" for level in range(1, 3000))
    + "]\n: x\nb: *a2999\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BOMB, "aliases expand to more than 10000 values\n  write the values out"),
        (BOMB.replace("[", "{k: [").replace("]", "]}"), "aliases expand to more than 10000 values"),
        (CHAIN, "nested more than 40 levels deep"),
    ],
    ids=["lists", "mappings", "a chain"],
)
def test_aliases_that_explode_are_refused_fast(problems, text, expected):
    start = time.process_time()
    assert expected in problems(text)
    assert time.process_time() - start < 2


def test_aliases_that_do_not_explode_are_fine(read):
    text = suite_with(
        "{id: a, question: &q Why?, answer: &yes [b, c]}\n  - {id: b, question: *q, answer: *yes}"
    )
    assert [probe.answers for probe in read(text).probes] == [("b", "c")] * 2


def test_a_file_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SuiteError) as caught:
        read_suite(tmp_path / "none.yaml", SCORERS)
    assert str(caught.value) == "none.yaml: cannot be read: No such file or directory"


def test_a_link_that_leads_nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").symlink_to("gone.yaml")
    with pytest.raises(SuiteError) as caught:
        read_suite(tmp_path / "s.yaml", SCORERS)
    assert (
        str(caught.value) == "s.yaml: cannot be read: No such file or directory\n  it is a link to gone.yaml"
    )


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(path, mode):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(suite_with())
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SuiteError) as caught:
        read_suite(tmp_path / "s.yaml", SCORERS)
    assert str(caught.value) == (
        "s.yaml: cannot be read: Permission denied\n  let the user who runs this read it: chmod a+r"
    )


@pytest.mark.parametrize("name", ["s.yml.txt", "s.yaml~", "s.yaml.bak", "s.txt"])
def test_a_name_that_is_no_suite_s(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(suite_with(more="x: 1\n"))
    with pytest.raises(SuiteError) as caught:
        read_suite(tmp_path / name, SCORERS)
    assert str(caught.value) == (
        f"{name}:1:1: a suite's name ends in .yaml or .yml\n  rename the file\n"
        f"{name}:7:1: unknown key 'x' in a suite"
    )


@pytest.mark.parametrize("name", ["s.yaml", "S.YML", "My Suite.Yaml", "suite"])
def test_a_name_that_is_a_suite_s(tmp_path, name):
    (tmp_path / name).write_text(suite_with())
    assert read_suite(tmp_path / name, SCORERS).name == "s"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("true", "true"), ("True", "True"), ("1.50", "1.50"),
        ("007", "007"), ("12:30", "12:30"), ("0x1F", "0x1F"), ("1_000", "1_000"), ("1e3", "1e3"),
        ("2024-03-05", "2024-03-05"), ("+1", "+1"), (".5", ".5"), (".inf", ".inf"), ("<<", "<<"), ("=", "="),
        ("!!str 5", "5"), ("'null'", "null"), ("nil", "nil"), ("'  b '", "  b "), ("é", "é"),
    ],
)  # fmt: skip
def test_an_answer_is_the_text_that_its_author_wrote(read, written, meant):
    assert read(suite_with(f"{{id: a, question: Why?, answer: {written}}}")).probes[0].answers == (meant,)
    assert read(suite_with(f"{{id: a, question: Why?, answer: [{written}]}}")).probes[0].answers == (meant,)


def test_numbers_are_text_wherever_a_probe_or_a_shot_has_text(read):
    suite_read = read(suite_with(
        "{id: 007, question: 12, answer: 1.50, category: 2024, note: 3}",
        task="{shots: [{question: 1.0, answer: true}]}",
    ))  # fmt: skip
    probe = suite_read.probes[0]
    assert (probe.id, dict(probe.fields), probe.answers) == ("007", {"question": "12"}, ("1.50",))
    assert probe.category == "2024"
    assert suite_read.task.shots == (Shot({"question": "1.0"}, "true"),)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("2e-4", 2e-4),
        ("0.10", 0.1),
        ("1", 1.0),
        ("0", 0.0),
        (".5", 0.5),
        ("5.e-1", 0.5),
        ("0x1", 1.0),
        ("0o1", 1.0),
    ],
)
def test_numbers_of_yaml_1_2(read, written, number):
    assert read(suite_with(gates=f"[{{over: all, max_drop: {written}}}]")).gates[0].max_drop == number


@pytest.mark.parametrize("text", [suite_with(), suite_with().replace("\n", "\r\n"), "\ufeff" + suite_with()])
def test_line_ends_and_byte_order_marks_do_not_matter(read, text):
    assert read(text).name == "s"


def test_a_whole_suite(read, tmp_path):
    loaded = read("""\
suite: s
about: Facts.
severity: critical
task:
  system: Be brief.
  prompt: "{question} {{now}}"
  shots:
    - {question: One?, answer: two}
  max_new_tokens: 5
  stop: ["\\n"]
score: mentions
gates:
  - {over: all, max_drop: 0.1, on_inconclusive: fail}
  - {over: category, max_drop: 0.2}
  - {over: each, require: pass}
probes:
  - {id: a, question: Why?, answer: [b, c], category: x, severity: low}
  - {id: b, question: Who?, answer: 4, category: y, score: {number: {tolerance: 1}}}
  - {id: c, question: How?, answer: b, category: x, note: easy}
""")
    assert (loaded.name, loaded.about, loaded.severity, loaded.path) == (
        "s", "Facts.", "critical", tmp_path / "s.yaml",
    )  # fmt: skip
    assert loaded.task == Task(
        system="Be brief.", prompt="{question} {{now}}", shots=(Shot({"question": "One?"}, "two"),),
        max_new_tokens=5, stop=("\n",),
    )  # fmt: skip
    assert loaded.gates == (
        MarginGate(over="all", max_drop=0.1, max_loss=0.15, on_inconclusive="fail"),
        MarginGate(over="category", max_drop=0.2, max_loss=0.35),
        EachGate("pass"),
    )
    mentions, number = SCORERS["mentions"](), SCORERS["number"].model_validate({"tolerance": 1.0})
    assert loaded.probes == (
        Probe("a", mentions, {"question": "Why?"}, ("b", "c"), "x", "low"),
        Probe("b", number, {"question": "Who?"}, ("4",), "y", "critical"),
        Probe("c", mentions, {"question": "How?"}, ("b",), "x", "critical"),
    )
    assert loaded.categories() == ("x", "y")
    assert [str(probe.span) for probe in loaded.probes] == ["s.yaml:17:5", "s.yaml:18:5", "s.yaml:19:5"]
    assert [str(gate.span) for gate in loaded.gates] == ["s.yaml:13:5", "s.yaml:14:5", "s.yaml:15:5"]


def test_choices_and_texts(read):
    chosen = read(
        suite_with("{id: a, question: Why?, answer: 2, choices: [1, 2]}", task="{answer: choose}", score=None)
    )
    assert chosen.probes[0].choices == ("1", "2")
    assert chosen.probes[0].scorer.name == "choice"
    measured = read(
        suite_with(
            "{id: a, text: Hello}",
            gates="[{over: all, max_rise: 0.02}]",
            task="{answer: likelihood, format: text}",
            score=None,
        )
    )
    assert measured.gates == (RiseGate(over="all", max_rise=0.02),)
    assert (measured.probes[0].text, measured.probes[0].scorer.name) == ("Hello", "likelihood")


# Whatever stands in the file: a Suite, or an error for its author. Nothing else.

PIECES = st.sampled_from(
    [
        "suite", "gates", "probes", "task", "score", "id", "answer", "over", "max_drop", "max_loss", "max_rise", "shots", "check",
        "all", "each", "category", "choose", "likelihood", "generate", "choices", "regex", "json_schema",
        "prompt", "question", "{question}", "mentions", "number", "tolerance", "not", "any", "text", "format",
        ": ", ":", "\n", "\n  ", "\n    ", "- ", "{", "}", "[", "]", ", ", "&a ", "*a", "!!int ", "!x ", "? ",
        "'", '"', "|", ">", "#", "%", "@", "`", "~", "null", "true", ".nan", "-.inf", "1e999", "0.1", "0x", "0o9",
        "<<", "---", "...", "\t", "\r", "\x00", "\ufeff", "\u2028", "\x85", "é", "💥", "\\x", "[[a]", "(", "x*",
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def anywhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "s.yaml"


def reads_or_says_why(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        found = read_suite(path, SCORERS)
    except SuiteError as error:
        found = error
    assert str(found) if isinstance(found, SuiteError) else (found.probes and found.gates)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=60))
def test_any_bytes(anywhere, data):
    reads_or_says_why(anywhere, data)


@settings(max_examples=400, deadline=None)
@given(pieces=st.lists(PIECES, max_size=30))
def test_any_yamlish_text(anywhere, pieces):
    reads_or_says_why(anywhere, "".join(pieces).encode())


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [
            "suite: s",
            "all, max_drop",
            "0.1",
            "mentions",
            "Why?",
            "id: a",
            "question",
            "answer: b",
            "{}",
            "over: all",
        ]
    ),
    st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=12),
)
def test_a_good_suite_with_one_part_replaced(anywhere, part, instead):
    reads_or_says_why(anywhere, suite_with().replace(part, instead).encode(errors="ignore"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | PIECES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(PIECES | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    value=VALUES,
    place=st.sampled_from(
        [("suite",), ("about",), ("severity",), ("task",), ("task", "shots"), ("task", "prompt"), ("task", "stop"),
         ("score",), ("score", "check"), ("score", "check", "all"), ("score", "json_schema"), ("score", "number"),
         ("gates",), ("gates", 0), ("gates", 0, "max_drop"), ("probes",), ("probes", 0), ("probes", 0, "answer"),
         ("probes", 0, "choices"), ("probes", 0, "score"), ("probes", 0, "category"), ("probes", 0, "id")]
    ),
)  # fmt: skip
def test_any_value_in_any_place(anywhere, value, place):
    import yaml

    whole: dict[str, object] = {
        "suite": "s", "task": {}, "score": {"mentions": {}}, "gates": [{"over": "all", "max_drop": 0.1}],
        "probes": [{"id": "a", "question": "Why?", "answer": "b"}],
    }  # fmt: skip
    holder: object = whole
    for step in place[:-1]:
        holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]  # type: ignore[index]
    if place[0] == "score" and len(place) > 1:
        whole["score"] = holder = {place[1]: {}}
        for step in place[1:-1]:
            holder = holder[step]
    holder[place[-1]] = value  # type: ignore[index]
    reads_or_says_why(anywhere, yaml.safe_dump(whole, allow_unicode=True).encode(errors="ignore"))
