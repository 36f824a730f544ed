"""Who is asked for the word order of replies, how often, and what comes of it in a run and in its record."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.engine.requests import LogLikelihood
from harness.errors import EngineError, NoEvidenceError
from harness.evaluation.exchange import Exchange
from harness.evaluation.record import rows
from harness.evaluation.rescore import rescored
from harness.evaluation.session import PairSession
from harness.gate.cases import cases
from harness.reporting.exit_code import exit_code
from harness.reporting.rows import Record, RunRow
from harness.scoring.check import Check
from harness.scoring.text import Mentions
from harness.scoring.word_order import SHUFFLES, orders
from harness.suites.suite import EachGate, Gate, MarginGate, Probe, Suite
from tests.support.asked import decide_all
from tests.support.reads import Reads

SENTENCE = "Roses need water, light and air."
SALAD = "Air and light need roses water."
ALL = MarginGate(over="all", max_drop=0.10)
FLUENT = Check.model_validate({"fluent": True, "mentions": ["water"]})


def suite_of(n: int = 40, *gates: Gate, fluent: bool = True) -> Suite:
    scorer, answers = (FLUENT, ()) if fluent else (Mentions(), ("water",))
    probes = tuple(Probe(f"p{i}", scorer, fields={"question": f"q{i}"}, answers=answers) for i in range(n))
    return Suite("s", gates or (ALL,), probes)


def pair(baseline: str = SENTENCE, tuned: str = SENTENCE) -> dict[str, Reads]:
    """Two models that say one thing; the baseline knows the sentence, the tuned one only what it says itself."""
    return {
        "baseline": Reads(lambda question: baseline, [SENTENCE], "before"),
        "tuned": Reads(lambda question: tuned, [tuned], "after"),
    }


def decided(engines, suite: Suite | None = None, **arguments):
    session = PairSession(**arguments)
    return session, decide_all(session, [suite or suite_of()], engines)


@pytest.mark.parametrize(("tuned", "verdict"), [(SENTENCE, "RETAINED"), (SALAD, "FORGOTTEN")])
def test_a_salad_of_the_right_words_is_forgetting(tuned, verdict):
    _, (decision,) = decided(pair(tuned=tuned))
    assert decision.verdict == verdict


def test_the_baseline_alone_is_asked_and_equal_texts_once():
    engines = pair(tuned=SALAD)
    decided(engines)
    assert engines["baseline"].measured == [list(orders(SENTENCE)), list(orders(SALAD))]
    assert engines["tuned"].measured == []
    same = pair()
    decided(same)
    assert same["baseline"].measured == [list(orders(SENTENCE))]


@pytest.mark.parametrize("reply", ["Nobody has ever heard of that here.", "Roses need water.", ""])
def test_nothing_is_measured_that_cannot_turn(reply):
    """Neither a reply that is wrong by its rule, nor one of too few words."""
    engines = pair(reply, reply)
    decided(engines)
    assert engines["baseline"].measured == []


def test_nothing_is_measured_unless_a_score_asks():
    engines = pair(tuned=SALAD)
    _, (decision,) = decided(engines, suite_of(fluent=False))
    assert decision.verdict == "RETAINED"
    assert engines["baseline"].measured == []


def test_both_sides_are_measured():
    session, _ = decided(pair(SALAD, SENTENCE))
    assert {side: session.suites["s"].answers[side]["p0"].word_order for side in ("baseline", "tuned")} == {
        "baseline": 0.0,
        "tuned": 9.0,
    }


def test_a_baseline_without_likelihoods_is_refused_before_anyone_is_asked():
    engines = pair()
    engines["baseline"].kinds = frozenset({"generate"})
    engines["baseline"].function = engines["tuned"].function = None
    with pytest.raises(EngineError) as error:
        decided(engines)
    assert str(error.value) == (
        "the suite 's' cannot be judged: 'fluent' asks how likely the baseline finds an answer\n"
        "  before: it has no 'answer: likelihood'; give a baseline that has, or leave 'fluent' out"
    )


def test_of_a_part_that_asks_for_nothing_the_rest_is_measured_where_it_is_asked():
    """The baseline knows nothing of the part, so it is asked the rest, whose scores are fluent."""
    engines = pair()
    engines["baseline"].function = lambda question: "Soil." if question in ("q0", "q1") else SENTENCE
    plain = suite_of(2, fluent=False).probes
    suite = Suite("s", (ALL,), (*plain, *suite_of(8).probes[2:]))
    (case,) = cases(suite)
    session = PairSession()
    session.need([replace(case, probes=plain)])
    session.ask_both("s", engines.__getitem__)
    assert engines["baseline"].measured == [list(orders(SENTENCE))]


def test_a_tuned_model_needs_no_likelihoods():
    engines = pair()
    engines["tuned"].kinds = frozenset({"generate"})
    assert decided(engines)[1][0].verdict == "RETAINED"


def test_a_model_judged_alone_is_measured_by_the_baseline_too():
    engines = pair(tuned=SALAD)
    _, decisions = decided(engines, suite_of(3, EachGate(require="pass")))
    assert [decision.outcome for decision in decisions] == ["failed"] * 3
    assert engines["baseline"].measured == [list(orders(SALAD))]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (LogLikelihood(math.nan, 3), "whose log-probability is NaN"),
        (LogLikelihood(-math.inf, 3), "whose log-probability is infinite"),
        (LogLikelihood(0.0, 3), "whose log-probability is 0: no model is certain of a text"),
        (LogLikelihood(-3.0, 0), "in which no token was measured"),
    ],
)
def test_a_measurement_that_proves_nothing(answer, problem):
    engines = pair()
    engines["baseline"].likelihood = lambda text: answer
    with pytest.raises(NoEvidenceError) as error:
        decided(engines)
    assert str(error.value) == (
        "the suite 's' cannot be judged\n"
        f"  before: the word order of the answer to the probe 'p0' has a measurement {problem}"
    )


def test_lost_probes_are_measured_again():
    also = {"also_ask": ({"question": "other"},)}
    suite = suite_of(3, EachGate())
    suite = Suite("s", suite.gates, (*suite.probes, Probe("p3", FLUENT, fields={"question": "q3"}, **also)))
    engines = pair()
    engines["tuned"].function = lambda question: SALAD if question in ("q3", "other") else SENTENCE
    session, decisions = decided(engines, suite)
    assert [decision.verdict for decision in decisions] == ["RETAINED"] * 3 + ["FORGOTTEN"]
    (again,) = session.suites["s"].again.values()
    assert [attempt.tuned.answer.word_order for attempt in again] == [0.0, 0.0]
    assert [attempt.baseline.answer.word_order for attempt in again] == [9.0, 9.0]


@pytest.mark.parametrize("arguments", [{"sequential": 0}, {"noise_floor": 1}])
def test_in_runs_of_another_kind(arguments):
    session, (decision,) = decided(pair(tuned=SALAD), suite_of(60), **arguments)
    assert decision.verdict == "FORGOTTEN"
    assert all(score.answer.word_order == 0.0 for score in session.suites["s"].scores["tuned"].values())


@pytest.mark.parametrize("known", [True, False])
def test_a_tuned_model_asked_alone_needs_its_baseline(known):
    """As in a training and a sweep, where the baseline answered before."""
    engines = pair(tuned=SALAD)
    first, _ = decided(engines)
    later = PairSession()
    later.need(cases(suite_of()))
    later.know("baseline", {"s": first.suites["s"].answered("baseline")})
    if not known:
        with pytest.raises(NoEvidenceError, match="whose word order was not measured"):
            later.ask("tuned", engines["tuned"])
        return
    later.ask("tuned", engines["tuned"], baseline=engines["baseline"])
    assert later.decide(list(cases(suite_of())))[0].verdict == "FORGOTTEN"


def test_by_rule_alone_where_the_baseline_is_gone():
    engines = pair(tuned=SALAD)
    session = PairSession(by_rule=True)
    session.need(cases(suite_of()))
    for side, engine in engines.items():
        session.ask(side, engine)
    assert session.decide(list(cases(suite_of())))[0].verdict == "RETAINED"
    assert engines["baseline"].measured == []


def test_processes_share_what_was_measured(tmp_path):
    engines = pair(tuned=SALAD)
    found = []
    for _ in range(2):
        session = PairSession()
        session.need(cases(suite_of()))
        assert Exchange(tmp_path).settle(
            session.suites["s"], lambda session=session: session.ask_both("s", engines.__getitem__) or [""]
        )
        found.append(session.suites["s"].answers["tuned"]["p0"].word_order)
    assert found == [0.0, 0.0]
    assert len(engines["baseline"].measured) == 2


def record_of(session: PairSession, decisions) -> Record:
    gates, probes = rows(decisions)
    run = RunRow(
        harness="0", started="now", seconds=1.0, command=[], exit_status=exit_code(gates), errors=[], versions={},
        strict=False, fail_on="low",
    )  # fmt: skip
    return Record(run=run, gates=gates, probes=probes)


class TestRecord:
    @pytest.fixture
    def record(self) -> Record:
        suite = suite_of(40, ALL, EachGate())
        session, decisions = decided(pair(tuned=SALAD), suite)
        return Record.model_validate_json(record_of(session, decisions).model_dump_json())

    def test_it_holds_the_numbers(self, record):
        row = record.probes[0]
        assert (row.baseline.word_order, row.tuned.word_order) == (9.0, 0.0)
        assert (row.baseline.right, row.tuned.right) == (True, False)
        assert row.scoring["fluent"] is True
        assert row.again[0].tuned.word_order == 0.0

    def test_it_is_judged_again_without_a_model(self, record):
        again = rescored(record)
        assert again.gates == record.gates
        assert again.probes == record.probes

    def test_what_was_not_measured_is_no_evidence(self, record):
        rows = [
            row.model_copy(update={"tuned": row.tuned.model_copy(update={"word_order": None})})
            for row in record.probes
        ]
        with pytest.raises(
            NoEvidenceError, match=r"(?s)'p0' has an answer whose word order was not.*run the gate again"
        ):
            rescored(record.model_copy(update={"probes": rows}))

    def test_other_rows_have_no_such_key(self):
        session, decisions = decided(pair(), suite_of(fluent=False))
        assert "word_order" not in record_of(session, decisions).model_dump_json()


def test_there_are_as_many_texts_as_orders():
    engines = pair()
    decided(engines)
    assert len(engines["baseline"].measured[0]) == 1 + SHUFFLES
