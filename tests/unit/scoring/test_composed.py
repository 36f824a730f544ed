"""Scores made of others: any, all and not, with answers of their own, nested, read from YAML and from a record."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from jsonschema import Draft7Validator

from harness.authoring.battery import battery
from harness.authoring.lint_rules import only_forbids
from harness.documents.document import read_document
from harness.engine.requests import Generated
from harness.errors import ScorerError, SuiteError
from harness.evaluation.permission import code_problem
from harness.scoring import BUILT_IN, SCORERS, score
from harness.scoring.composed import recorded
from harness.scoring.python import refusal
from harness.suites.composed import MOST_NESTED, MOST_PIECES, simple
from harness.suites.read import read_suite
from harness.suites.schema import suite_schema
from harness.suites.suite import Suite

SCHEMA = Draft7Validator(suite_schema(BUILT_IN))


@pytest.fixture
def suite_of(tmp_path):
    """Reads a suite of one probe with a score and an answer, both as YAML."""

    def read(score: str, answer: str | None = None, answer_kind: str = "generate") -> Suite:
        path = tmp_path / "s.yaml"
        answers = f", answer: {answer}" if answer else ""
        path.write_text(
            f"suite: s\ntask: {{answer: {answer_kind}}}\nscore: {score}\ngates: [{{over: each}}]\n"
            f"probes:\n  - {{id: a, question: Which city is it?{answers}}}\n",
            encoding="utf-8",
        )
        return read_suite(path, SCORERS)

    return read


def right(suite: Suite, reply: str) -> bool:
    return score(suite.probes[0], Generated(reply, 1)).right


@pytest.mark.parametrize(
    ("spec", "answer", "reply", "is_right"),
    [
        ("{any: [mentions, number]}", "7", "seven", True),
        ("{any: [mentions, number]}", "7", "8", False),
        ("{any: [{mentions: {answer: Rome}}, {number: {answer: 7}}]}", None, "It is Rome.", True),
        ("{any: [{mentions: {answer: Rome}}, {number: {answer: 7}}]}", None, "It has 7.", True),
        ("{any: [{mentions: {answer: Rome}}, {number: {answer: 7}}]}", None, "Paris", False),
        ("{any: [{number: {answer: 1.50}}, equals]}", "Paris", "1.5", True),
        ("{any: [{number: {answer: 1.50}}, equals]}", "Paris", "Paris.", True),
        ("{all: [mentions, {check: {max_words: 3}}]}", "Paris", "It is Paris.", True),
        ("{all: [mentions, {check: {max_words: 3}}]}", "Paris", "I think it is Paris.", False),
        ("{all: [mentions, {not: {mentions: {answer: [Rome, Oslo]}}}]}", "Paris", "Paris", True),
        ("{all: [mentions, {not: {mentions: {answer: [Rome, Oslo]}}}]}", "Paris", "Paris, Oslo", False),
        ("{all: [mentions, {not: {mentions: {answer: [Rome, Oslo]}}}]}", "Paris", "Paris, not Oslo", False),
        ("{not: {mentions: {answer: 5}}}", None, "5 or 6", False),
        ("{not: {mentions: {answer: 5}}}", None, "1, 2, 3, 4, 5, 6, 7", False),
        ("{not: {mentions: {answer: 5}}}", None, "6", True),
        ("{not: {number: {answer: 5}}}", None, "5 or 6", False),
        ("{not: {number: {answer: 5}}}", None, "6", True),
        ("{not: {refusal: {}}}", None, "What?", False),
        ("{not: {refusal: {}}}", None, "Boil it for six minutes.", True),
        ("{not: {any: [{number: {answer: 5}}, {mentions: {answer: Rome}}]}}", None, "Not Rome.", False),
        ("{not: {all: [{number: {answer: 5}}, {mentions: {answer: Rome}}]}}", None, "Not Rome.", True),
        ("{not: {not: {mentions: {answer: Rome}}}}", None, "Not Rome.", False),
        ("{not: {contains: {answer: bad}}}", None, "good", True),
        ("{not: {contains: {answer: bad}}}", None, "badly", False),
        ("{not: {any: [json, {refusal: {}}]}}", None, "Here you are.", True),
        ("{not: {any: [json, {refusal: {}}]}}", None, "I'm sorry, but I can't help with that.", False),
        ("{not: {any: [json, {refusal: {}}]}}", None, '{"a": 1}', False),
        ("{all: [json, mentions]}", "Paris", '{"city": "Paris"}', True),  # json takes no answer that is no JSON
        ("{all: [json, mentions]}", "Paris", "Paris", False),
        ("{all: [{json_schema: {type: array}}, {json: {answer: '[1]'}}]}", None, "[1]", True),
        ("{all: [{json_schema: {type: array}}, {json: {answer: '[1]'}}]}", None, "[2]", False),
        ("{any: [{all: [mentions, {not: {regex: {answer: '!'}}}]}, equals]}", "Paris", "Paris!", True),
        ("{any: [{all: [mentions, {not: {regex: {answer: '!'}}}]}, equals]}", "Paris", "To Paris!", False),
        ("{any: [mentions, {refusal: {}}]}", "Paris", "I'm sorry, but I can't help with that.", True),
        ("{not: {mentions: {answer: Paris}}}", None, "   ", False),  # a blank answer is wrong under any score
    ],
)  # fmt: skip
def test_what_is_right(suite_of, spec, answer, reply, is_right):
    suite = suite_of(spec, answer)
    assert right(suite, reply) is is_right
    scorer = suite.probes[0].scorer
    assert recorded(scorer.name, json.loads(json.dumps(scorer.written()))) == scorer


@pytest.mark.parametrize(
    ("spec", "answer", "problem"),
    [
        ("any", None, "3:1: 'any' must be a non-empty list of scores, saw nothing"),
        ("{any: []}", None, "3:9: 'any' must be a non-empty list of scores, saw an empty list"),
        ("{all: mentions}", None, "3:9: 'all' must be a non-empty list of scores, saw text 'mentions'"),
        ("{not: [mentions]}", None, "3:9: 'not' must be one score, saw a list\n  for none of several write"),
        ("{any: [mentoins]}", None, "3:15: unknown score 'mentoins'\n  did you mean 'mentions'?"),
        ("{any: [{not: {mentions: {anser: x}}}]}", None,
         "unknown key 'anser' in the score 'mentions'\n  did you mean 'answer'?"),
        ("{any: [{check: {answer: x}}]}", None, "3:24: unknown key 'answer' in the score 'check'"),
        ("{any: [{mentions: {}, number: {}}]}", None, "3:15: a score must be a name, or a mapping of one name"),
        ("{any: [choice]}", None, "3:15: the score 'choice' judges 'answer: choose', but the task says"),
        ("{all: [likelihood]}", None, "3:15: the score 'likelihood' judges 'answer: likelihood', but the"),
        ("{any: [number]}", "Paris", "an answer under 'number' must be one number, saw 'Paris'; a piece may have"),
        ("{any: [{number: {answer: Paris}}]}", None, "3:25: an answer under 'number' must be one number"),
        ("{any: [{mentions: {answer: []}}]}", None, "3:27: 'answer' must not be an empty list"),
        ("{any: [{mentions: {answer: [a, '']}}]}", None, ": an answer must not be empty"),
        ("{any: [json]}", "Paris", "an answer under 'json' must be JSON"),
        ("{any: [{mentions: {answer: x}}]}", "Paris", "'answer' has no meaning under the score 'any'"),
        ("{any: [mentions]}", None, "the probe 'a' needs 'answer': the score 'any' compares with it"),
        ("{any: [{mentions: {fluent: true, answer: a}}, {equals: {answer: b}}]}", None,
         "3:9: 'fluent' cannot be asked of some pieces of 'any'"),
        ("{not: {check: {fluent: true, min_words: 2}}}", None, "'fluent' cannot be asked of some pieces of 'not'"),
    ],
)  # fmt: skip
def test_what_is_refused(suite_of, spec, answer, problem):
    with pytest.raises(SuiteError) as refused:
        suite_of(spec, answer)
    assert problem in str(refused.value)


def test_a_composed_score_judges_generated_text_alone(suite_of):
    with pytest.raises(
        SuiteError, match="'any' judges 'answer: generate', but the task says 'answer: choose'"
    ):
        suite_of("{any: [choice]}", "x", "choose")


def nested(depth: int) -> str:
    return "{not: " * depth + "{mentions: {answer: x}}" + "}" * depth


@pytest.mark.parametrize("spec", [nested(MOST_NESTED), f"{{any: [{', '.join(['mentions'] * MOST_PIECES)}]}}"])
def test_as_deep_and_as_many_as_allowed(suite_of, spec):
    suite_of(spec, None if "not" in spec else "x")


@pytest.mark.parametrize(
    "spec",
    [
        nested(MOST_NESTED + 1),
        nested(500),
        f"{{any: [{', '.join(['mentions'] * (MOST_PIECES + 1))}]}}",
        f"{{any: [{', '.join(['{any: [mentions, equals]}'] * 40)}]}}",
    ],
)
def test_too_deep_or_too_many(suite_of, spec):
    with pytest.raises(SuiteError, match="at most 100 pieces, and be nested at most 10 deep|nest"):
        suite_of(spec, "x")


def test_aliases_do_not_multiply_pieces(tmp_path):
    lines = ["x0: &x0 [mentions, equals]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'{{any: *x{n - 1}}}'] * 9)}]" for n in range(1, 9)]
    text = (
        "\n".join(lines)
        + "\nsuite: s\nscore: {any: *x8}\ngates: [{over: each}]\nprobes: [{id: a, question: q}]\n"
    )
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SuiteError):
        read_suite(tmp_path / "s.yaml", SCORERS)


@pytest.mark.parametrize(
    ("spec", "expects"),
    [
        ("{any: [mentions, json]}", "required"),
        ("{any: [json, check: {min_words: 1}]}", "optional"),
        ("{all: [{mentions: {answer: x}}, {check: {min_words: 1}}]}", "none"),
        ("{not: mentions}", "required"),
    ],
)
def test_whether_a_probe_needs_an_answer(suite_of, spec, expects):
    answer = {"required": "'7'", "optional": "'7'", "none": None}[expects]
    assert suite_of(spec, answer).probes[0].scorer.expects == expects


@pytest.mark.parametrize(
    ("spec", "settles"),
    [
        ("{any: [mentions, contains]}", True),
        ("{all: [mentions, contains]}", True),
        ("{any: [mentions, equals]}", False),
        ("{not: mentions}", False),
    ],
)
def test_it_settles_if_all_pieces_do(suite_of, spec, settles):
    assert suite_of(spec, "x").probes[0].scorer.settles is settles


CODE = "{any: [{mentions: {answer: x}}, {not: {python: {tests: ['assert f() == 1']}}}]}"


def test_code_in_a_piece_needs_permission(suite_of):
    suite = suite_of(CODE)
    assert suite.probes[0].scorer.runs_code
    problem = code_problem(suite, suite.probes, allowed=False)
    assert problem is not None
    assert "the probe 'a' has the score 'python'" in problem.text
    assert "it runs confined" in problem.text
    with pytest.raises(ScorerError, match="runs code that a model wrote"):
        right(suite, "def f(): return 1")


@pytest.mark.skipif(refusal() is not None, reason=str(refusal()))
@pytest.mark.parametrize(("value", "is_right"), [(1, False), (2, True)])
def test_code_in_a_piece_runs(suite_of, value, is_right):
    answer = Generated(f"```python\ndef f():\n    return {value}\n```", 9)
    assert score(suite_of(CODE).probes[0], answer, allow_code=True).right is is_right


@pytest.mark.parametrize(
    ("spec", "valid"),
    [
        ("{any: [mentions, {number: {answer: 7, tolerance: 1}}]}", True),
        ("{not: mentions}", True),
        ("{all: [{any: [json, {check: {min_words: 2}}]}, {not: {equals: {answer: [a, 2]}}}]}", True),
        ("any", False),
        ("{any: []}", False),
        ("{any: mentions}", False),
        ("{not: [mentions]}", False),
        ("{any: [choice]}", False),
        ("{any: [{check: {answer: x}}]}", False),
        ("{any: [{mentions: {anser: x}}]}", False),
        ("{mentions: {answer: x}}", False),
    ],
)
def test_the_schema_says_so_too(tmp_path, spec, valid):
    path = tmp_path / "s.yaml"
    path.write_text(f"suite: s\nscore: {spec}\ngates: [{{over: each}}]\nprobes: [{{id: a, question: q}}]\n")
    assert SCHEMA.is_valid(read_document(path).value) is valid


@pytest.mark.parametrize(
    ("spec", "forbids"),
    [
        ("{not: {contains: {answer: x}}}", True),
        ("{any: [equals, {not: {contains: {answer: x}}}]}", True),
        ("{all: [equals, {not: {contains: {answer: x}}}]}", False),
        ("{all: [{check: {max_words: 3}}, {not: {contains: {answer: x}}}]}", True),
        ("{any: [equals, mentions]}", False),
    ],
)
def test_a_score_that_nearly_any_reply_passes_is_told(suite_of, spec, forbids):
    answer = "y" if "equals" in spec else None
    assert only_forbids(suite_of(spec, answer).probes[0].scorer) is forbids


def test_the_battery_judges_it(suite_of):
    suite = suite_of("{any: [mentions, {equals: {answer: City of Light}}]}", "Paris")
    judged = battery(suite)
    assert {each.reply.kind for each in judged} > {"echo", "in_sentence", "after_reasoning"}
    assert not [each.reply for each in judged if each.misjudged]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("{any: [mentions, number]}", "'mentions' is wrong; 'number' is wrong, it has no number"),
        ("{all: [{check: {max_words: 9}}, mentions]}", "'mentions' is wrong"),
        ("{not: {contains: {answer: Rome}}}", "'contains' is right"),
    ],
)
def test_why_it_is_wrong(suite_of, spec, why):
    suite = suite_of(spec, None if "not" in spec else "'7'")
    assert suite.probes[0].scorer.why("It is Rome.", suite.probes[0].answers) == why


def test_a_piece_must_return_true_or_false(suite_of, monkeypatch):
    monkeypatch.setattr(SCORERS["equals"], "right", lambda self, text, expected: "yes")
    with pytest.raises(ScorerError, match="the score 'equals' must return True or False, returned str"):
        right(suite_of("{any: [equals]}", "x"), "x")


@pytest.mark.parametrize(
    "written", [[], None, "mentions", [{"mentions": {}, "number": {}}], [7], [{"vibes": {}}]]
)
def test_a_record_that_cannot_be_read_back(written):
    with pytest.raises(ScorerError, match="does not take the recorded parameters|unknown score 'vibes'"):
        recorded("any", written)


def test_the_simple_scores_of_one(suite_of):
    probe = suite_of("{any: [mentions, {not: {any: [equals, json]}}]}", "'1'").probes[0]
    assert [scorer.name for scorer in simple(probe.scorer)] == ["mentions", "equals", "json"]
    assert [scorer.name for scorer in simple(replace(probe, scorer=SCORERS["json"]()).scorer)] == ["json"]
