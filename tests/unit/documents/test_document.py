"""Plain values and the place of each one, from YAML."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.documents.document import Document, read_document
from harness.errors import InputError, Span


@pytest.fixture
def document(tmp_path: Path) -> Callable[[str], Document]:
    def read(text: str) -> Document:
        path = tmp_path / "d.yaml"
        path.write_text(text, encoding="utf-8", newline="")
        return read_document(path)

    return read


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True), ("True", True), ("TRUE", True), ("false", False), ("no", "no"), ("off", "off"), ("y", "y"),
        ("null", None), ("~", None), ("Null", None), ("", None), ("nUll", "nUll"),
        ("12", 12), ("-3", -3), ("+3", 3), ("007", 7), ("0o17", 15), ("0x1f", 31), ("1_000", "1_000"),
        ("0b11", "0b11"), ("12:30", "12:30"), ("190:20:30", "190:20:30"),
        ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("2e-4", 2e-4), ("1E3", 1e3), ("-.5e1", -5.0), (".inf", math.inf),
        ("-.Inf", -math.inf), ("1e", "1e"), (".", "."), ("2024-03-05", "2024-03-05"), ("=", "="), ("<<", "<<"),
        ("'12'", "12"), ('"true"', "true"), ("!!str 12", "12"), ("!!float 1", 1.0), ("!!null x", None),
        ("[a, 1]", ["a", 1]), ("{a: {b: c}}", {"a": {"b": "c"}}), ("{1: a}", {"1": "a"}), ("|\n  a\n  b", "a\nb"),
    ],
)  # fmt: skip
def test_values_by_the_core_schema_of_yaml_1_2(document, written, value):
    read = document(f"key: {written}")
    assert read.value == {"key": value}
    assert type(read.value["key"]) is type(value)
    assert read.problems == []


def test_nan(document):
    assert math.isnan(document(".nan").value)


def test_places_of_keys_and_values(document, tmp_path):
    read = document("a: 1\nb:\n  - {c: x,  d: 2.50}\n  - y\n")
    path = tmp_path / "d.yaml"
    assert read.keys["a",] == Span(path, 1, 1)
    assert read.values["a",] == Span(path, 1, 4)
    assert read.keys["b", 0, "d"] == Span(path, 3, 13)
    assert read.values["b", 0, "d"] == Span(path, 3, 16)
    assert read.values["b", 1] == Span(path, 4, 5)
    assert read.written == {("a",): "1", ("b", 0, "d"): "2.50"}


@pytest.mark.parametrize(
    ("place", "line", "column"),
    [
        (("b", 0, "c"), 3, 6),
        (("b", 0), 3, 5),
        (("b", 0, "missing"), 3, 5),
        (("b", 7, "c"), 2, 1),
        (("nothing", "here"), 1, 1),
        ((), 1, 1),
    ],
)
def test_the_span_of_a_place_is_its_key_its_value_or_what_encloses_it(
    document, tmp_path, place, line, column
):
    read = document("a: 1\nb:\n  - {c: x}\n")
    assert read.span(place) == Span(tmp_path / "d.yaml", line, column)


def test_columns_count_characters(document, tmp_path):
    assert document("éé: {ü: x}").values["éé", "ü"] == Span(tmp_path / "d.yaml", 1, 9)


def test_what_can_be_read_around_is_kept_with_its_problems(document):
    read = document("a: !x 1\nb: 2\nb: 3\n<<: {c: 4}\n? [k]\n: 5\nd: &d [*d]\n")
    assert read.value == {"a": None, "b": 2, "d": [None]}
    assert [problem.message for problem in read.problems] == [
        "'!x' is a tag for YAML, and not allowed",
        "repeated key 'b'",
        "merge keys ('<<') are not supported",
        "a key must be text, saw a list or mapping",
        "an alias that contains itself",
    ]


def test_a_file_that_cannot_be_read_at_all(tmp_path):
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_document(tmp_path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"a \ud83d\ude00 b"', "a 😀 b"), (r'"\ud83d\ude00\uD83D\uDE00"', "😀😀"), (r'"\\ud83d\\ude00"', r"\ud83d\ude00"),
        (r'"\\\ud83d\ude00"', "\\😀"), (r"'\ud83d\ude00'", r"\ud83d\ude00"), (r"\ud83d\ude00", r"\ud83d\ude00"),
        ("|\n  x = \"\\ud83d\\ude00\"", 'x = "\\ud83d\\ude00"\n'), (r'"\u00e9"', "é"), ('"\ue000 \\ud83d\\ude00"', "\ue000 😀"),
    ],
)  # fmt: skip
def test_a_surrogate_pair_is_its_character_in_double_quotes(document, tmp_path, written, meant):
    read = document(f"a: {written}\nb: c\n")
    assert read.value["a"] == meant
    assert read.problems == []
    assert read.keys[("b",)].column == 1


def test_a_key_may_be_a_surrogate_pair(document):
    assert document(r'"\ud83d\ude00": {a: b}').value == {"😀": {"a": "b"}}


@pytest.mark.parametrize(
    "text", [r'a: "\ud83d"', r'a: "\ude00\ud83d"', r'a: "\ud83d \ude00"', r'a: "\\\ud83d"']
)
def test_half_a_surrogate_pair_is_refused(document, text):
    with pytest.raises(
        InputError, match="half a surrogate pair is not a character; write the character itself"
    ):
        document(text)


def test_the_place_of_what_follows_a_pair(document):
    (problem,) = document('a: "\\ud83d\\ude00"\nb: "\\ud83d\\ude00" x').problems
    assert (problem.span.line, problem.span.column) == (2, 4)


def test_comments_after_unquoted_text(document):
    read = document(
        "a: b # one\nc: 'd' # two\ne: [f # three\n  , g]\nh: {i: j} # four\nk: l\n  m # five\nn: |\n  o # p\nq: 5 # six\n"
        "# seven\nr: # eight\n  s\n"
    )
    assert read.comments == {("a",): "one", ("e", 0): "three", ("k",): "five"}
