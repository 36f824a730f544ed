"""The JSON Schema of suite files: what the reader takes, it takes; what it refuses by its shape, it refuses too."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel, ValidationError

from harness.documents.document import read_document
from harness.scoring import BUILT_IN
from harness.suites.format import GateFormat
from harness.suites.schema import Schema, suite_schema

ROOT = Path(__file__).parents[3]
SUITES = sorted((ROOT / "suites").glob("*.y*ml"))
SCHEMA = suite_schema(BUILT_IN)
VALIDATOR = Draft7Validator(SCHEMA)

SOUND = """\
suite: s
score: mentions
gates: [{over: all, max_drop: 0.1}]
probes:
  - {id: a, question: Why?, answer: b}
"""
LIKELIHOOD = """\
suite: s
task: {answer: likelihood, format: text}
gates: [{over: each}]
probes: [{id: a, text: Some words.}]
"""
CHOOSE = """\
suite: s
task: {answer: choose}
gates: [{over: each}]
probes: [{id: a, question: Why?, choices: [b, c], answer: b}]
"""


@pytest.fixture
def places(tmp_path):
    """The places of a suite's text that the schema refuses; none for a suite that it takes."""

    def check(text: str) -> list[str]:
        path = tmp_path / "s.yaml"
        path.write_text(text, encoding="utf-8")
        return sorted({error.json_path for error in VALIDATOR.iter_errors(read_document(path).value)})

    return check


def test_it_is_a_schema():
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.name)
def test_every_shipped_suite_fits(path):
    assert [error.message for error in VALIDATOR.iter_errors(read_document(path).value)] == []


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.name)
def test_every_shipped_suite_tells_editors_of_it(path):
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first == "# yaml-language-server: $schema=../docs/suite.schema.json"


@pytest.mark.parametrize(
    "text",
    [
        SOUND,
        LIKELIHOOD,
        CHOOSE,
        SOUND.replace("answer: b", "answer: [b, 7, true]"),
        SOUND.replace("answer: b", "answer: 1945, severity: low, note: so, hobby: 3"),
        SOUND.replace("id: a", "id: 12"),
        SOUND.replace("mentions", "{number: {tolerance: 0.1}}"),
        SOUND.replace("mentions", "{number: {}}"),
        SOUND.replace("mentions", "{check: {mentions: a, all: [{not: {any: [{lowercase: true}]}}]}}"),
        SOUND.replace("mentions", "{check: {mentions: [a, b]}}"),
        SOUND.replace("mentions", "{json_schema: {type: object, required: [name]}}"),
        SOUND.replace("score:", "task: {shots: [{question: Who?, answer: 3}], system: null, stop: [x]}\nscore:"),
        SOUND.replace("probes:\n  - {id: a, question: Why?, answer: b}", "probes_from: data/x.csv"),
        SOUND.replace(
            "probes:\n  - {id: a, question: Why?, answer: b}", "probes_from: {dataset: x, sample: 10}"
        ),
        SOUND + "generators: [{count: 3, draw: {a: {whole: [1, 9]}}, probe: {question: '{a}?', answer: '{a}'}}]\n",
        SOUND + "generators: [{count: 1, probe: {answer: a}, probes: [{question: Why?}, {id: x, question: Who?}]}]\n",
    ],
)  # fmt: skip
def test_what_the_reader_takes_by_its_shape(places, text):
    assert places(text) == []


@pytest.mark.parametrize(
    ("was", "now", "where"),
    [
        ("suite: s", "suit: s", ["$"]),
        ("suite: s", "suite: a b", ["$.suite"]),
        ("suite: s", "suite: s\nseverity: hihg", ["$.severity"]),
        ("max_drop", "max_dorp", ["$.gates[0]"]),
        ("max_drop: 0.1", "max_drop: 10", ["$.gates[0].max_drop"]),
        ("max_drop: 0.1", "max_drop: 10 %", ["$.gates[0].max_drop"]),
        ("max_drop: 0.1", "max_rise: 2 %", ["$.gates[0].max_rise"]),
        ("max_drop: 0.1", "max_drop: 0.1, max_loss: 15", ["$.gates[0].max_loss"]),
        ("max_drop: 0.1", "max_drop: 0.1, max_rise: 0.02", ["$.gates[0].max_drop"]),
        ("max_drop: 0.1", "max_rise: 0.02, max_loss: 0.1", ["$.gates[0]"]),
        ("max_drop: 0.1", "max_drop: 0.1, on_inconclusive: maybe", ["$.gates[0].on_inconclusive"]),
        (", max_drop: 0.1", "", ["$.gates[0]"]),
        ("over: all", "over: each", ["$.gates[0]"]),
        ("over: all", "over: all, require: pass", ["$.gates[0]"]),
        ("over: all", "over: everything", ["$.gates[0].over"]),
        ("[{over: all, max_drop: 0.1}]", "[]", ["$.gates"]),
        ("mentions", "mentoins", ["$.score"]),
        ("mentions", "json_schema", ["$.score"]),
        ("mentions", "{mentions: {case: true}}", ["$.score"]),
        ("mentions", "{number: {tolerance: -1}}", ["$.score"]),
        ("mentions", "{check: {min_wrods: 3}}", ["$.score"]),
        ("mentions", "{check: {lowercase: false}}", ["$.score"]),
        ("mentions", "[mentions]", ["$.score"]),
        ("score:", "task: {anwser: choose}\nscore:", ["$.task"]),
        ("score:", "task: {max_new_tokens: many}\nscore:", ["$.task.max_new_tokens"]),
        ("score:", "task: {shots: [{question: x}]}\nscore:", ["$.task.shots[0]"]),
        ("score:", "task: {answer: choose}\nscore:", ["$.probes[0]"]),
        ("id: a, ", "", ["$.probes[0]"]),
        ("id: a", "id: a/b", ["$.probes[0].id"]),
        ("answer: b", "answer: []", ["$.probes[0].answer"]),
        ("answer: b", "answer: {is: b}", ["$.probes[0].answer"]),
        ("answer: b", "answer: b, choices: [b, c]", ["$.probes[0]"]),
        ("question: Why?", "question: [Why?]", ["$.probes[0].question"]),
        ("probes:\n  - {id: a, question: Why?, answer: b}\n", "", ["$"]),
        ("probes:\n  - {id: a, question: Why?, answer: b}\n", "probes: []\n", ["$.probes"]),
    ],
)
def test_typical_mistakes(places, was, now, where):
    assert was in SOUND
    assert places(SOUND.replace(was, now)) == where


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"max_drop": "10 %"}, "'10 %' is not of type 'number', 'null'"),
        ({"max_rise": "2 %"}, "'2 %' is not of type 'number', 'null'"),
        ({"max_drop": 0.1, "max_loss": "15 %"}, "'15 %' is not of type 'number', 'null'"),
        ({"max_drop": 10}, "10 is greater than the maximum of 1"),
        ({}, "'max_drop' is a required property"),
        ({"max_drop": 0.1, "max_rise": 0.02}, "0.1 is not of type 'null'"),
    ],
)
def test_an_editor_shows_a_wrong_margin_once(written, message):
    gate = Draft7Validator({**SCHEMA["$defs"]["GateFormat"], "$defs": SCHEMA["$defs"]})
    assert [error.message for error in gate.iter_errors({"over": "all", **written})] == [message]


def test_a_likelihood_is_of_plain_text(places):
    assert places(LIKELIHOOD.replace(", format: text", "")) == ["$.task"]
    assert places(LIKELIHOOD.replace("text: Some words.", "question: x")) == ["$.probes[0]"]


def test_gates_are_what_the_reader_says_they_are():
    """The rules over the keys of a gate are written twice, in GateFormat and in the schema; they agree."""
    gate = Draft7Validator({**SCHEMA["$defs"]["GateFormat"], "$defs": SCHEMA["$defs"]})
    values = {
        "over": ["all", "category", "each"],
        "max_drop": [..., 0.1, None],
        "max_loss": [..., 0.2],
        "max_rise": [..., 0.02, None],
        "on_inconclusive": [..., "pass"],
        "require": [..., "retained", "pass"],
    }
    for combination in itertools.product(*values.values()):
        written = {key: value for key, value in zip(values, combination, strict=True) if value is not ...}
        assert gate.is_valid(written) == _reads(GateFormat, written), written


def _reads(shape: type[BaseModel], written: Schema) -> bool:
    try:
        shape.model_validate(written)
    except ValidationError:
        return False
    return True


def _properties(schema: Schema, path: str) -> list[tuple[str, Schema]]:
    return [(f"{path}.{name}", value) for name, value in schema.get("properties", {}).items()]


def test_every_key_is_described():
    scores = SCHEMA["$defs"]["score"]["anyOf"][1]["properties"]
    parts = {"suite": SCHEMA, **SCHEMA["$defs"], **{f"score {name}": value for name, value in scores.items()}}
    found = [entry for name, part in parts.items() for entry in _properties(part, name)]
    assert len(found) > 60
    assert [path for path, value in found if not value.get("description")] == []


def test_a_score_of_a_user_is_one_more(scored):
    schema = suite_schema({**BUILT_IN, "shouts": scored})
    names, written = schema["$defs"]["score"]["anyOf"]
    assert "shouts" in names["enum"]
    assert written["properties"]["shouts"]["properties"] == {"least": {"default": 3, "type": "integer"}}


@pytest.fixture
def scored():
    from harness.suites.scorer import Scorer

    class Shouts(Scorer):
        """Loud."""

        least: int = 3

    return Shouts
