"""What a watched training asks again: the baseline's attempts are asked and kept at its beginning, the lost ones at each step."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from harness.errors import NoEvidenceError
from harness.gate.cases import cases
from harness.gate.policy import Policy
from harness.suites.suite import EachGate, Gate, MarginGate
from harness.training.callback.beginning import WEIGHTS, Beginning, find_beginning, session_of
from harness.training.callback.cases import never_forgotten
from harness.training.callback.checkpoints import holds, keep_answers
from harness.training.callback.step import GatedStep, gated_step
from tests.support.asked import Knows, questions, suite_of

ALSO = {n: (f"other {n}", f"another {n}") for n in range(3)}
WORDS = [*questions(3), *(words for also in ALSO.values() for words in also)]
"""All that a checklist of three probes may be asked."""


def watched(*gates: Gate, also: Any = ALSO) -> list[Any]:
    return list(cases(suite_of(3, *(gates or (EachGate(),)), also=also)))


def begin(selected: list[Any], file: Path, given: Knows | None, step: int = 0) -> Beginning:
    """The beginning of a training, at step 0 with a baseline, or as its file and checkpoint have it."""
    state = SimpleNamespace(global_step=step, log_history=[{WEIGHTS: "w"}] if step else [])
    return find_beginning(
        nn.Linear(1, 1), None, selected, given=given, state=state, file=file, allow_code=False
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept.json"


def step(selected: list[Any], beginning: Beginning, tuned: Knows) -> GatedStep:
    session = session_of(selected, Policy(), allow_code=False)
    session.know("baseline", beginning.baseline)
    session.ask("tuned", tuned)
    return gated_step(1, session.decide(selected), session)


def test_the_baseline_is_asked_further_attempts_at_what_it_got_right(file):
    baseline = Knows(["q0", "q2"])
    begin(watched(), file, baseline)
    assert baseline.calls == [questions(3), ["q0", *ALSO[0], "q2", *ALSO[2]]]


@pytest.mark.parametrize("gate", [MarginGate(over="all", max_drop=0.1), EachGate(require="pass")])
def test_nothing_more_is_asked_where_no_single_probe_is_compared(file, gate):
    baseline = Knows(WORDS)
    begin(watched(gate, MarginGate(over="all", max_drop=0.2)), file, baseline)
    assert baseline.calls == [questions(3)]


@pytest.mark.parametrize(
    ("alone", "verdict"),
    [
        (WORDS, "PASSED"),  # all three were lost among others only
        (WORDS[:1] + WORDS[3:], "PASSED"),
        ([*ALSO[0], *ALSO[1]], "PASSED"),  # two of four attempts; the third is a warning
        ([*ALSO[0]], "FORGOTTEN"),
    ],
)
def test_a_step_decides_by_the_majority_of_attempts(file, alone, verdict):
    selected = watched()
    tuned = Knows([], alone)
    gated = step(selected, begin(selected, file, Knows(WORDS)), tuned)
    assert gated.verdict == verdict
    assert gated.drop == 1, "which is of the attempt that all probes have"
    assert len(tuned.calls) == 2
    assert sorted(tuned.calls[1]) == sorted(WORDS)


def test_a_training_that_goes_on_has_the_attempts_of_its_beginning(file):
    selected = watched()
    first = begin(selected, file, Knows(["q0", "q1", "q2", *ALSO[0], "other 1"]))
    keep_answers(file, selected, "w", first.baseline)
    assert holds(file, selected, "w")
    resumed = begin(selected, file, None, step=6)
    assert resumed.baseline == first.baseline
    assert step(selected, resumed, Knows([], ["q0", "other 0"])) == step(
        selected, first, Knows([], ["q0", "other 0"])
    )


def test_answers_of_an_older_version_lack_the_attempts_and_are_refused(file):
    selected = watched()
    keep_answers(file, selected, "w", begin(selected, file, Knows(WORDS)).baseline)
    strip_attempts(file)
    with pytest.raises(
        NoEvidenceError,
        match=r"goes on at step 6, and the baseline's answers in .*kept\.json lack the further attempts at single probes: "
        r"an older version wrote them\n  give the model as it was before training: baseline=Engine",
    ):
        begin(selected, file, None, step=6)


def test_answers_of_an_older_version_do_where_no_single_probe_is_compared(file):
    selected = watched(MarginGate(over="all", max_drop=0.1))
    first = begin(selected, file, Knows(WORDS))
    keep_answers(file, selected, "w", first.baseline)
    strip_attempts(file)
    assert begin(selected, file, None, step=6).baseline == first.baseline


def test_attempts_in_other_words_are_answers_to_other_probes(file):
    selected = watched()
    keep_answers(file, selected, "w", begin(selected, file, Knows(WORDS)).baseline)
    other = watched(also={**ALSO, 0: ("other words",)})
    assert not holds(file, other, "w")
    with pytest.raises(NoEvidenceError, match="are to other probes\n  give the same suites"):
        begin(other, file, None, step=6)


def test_a_probe_that_the_baseline_knows_in_no_further_attempt_can_never_be_forgotten(file):
    selected = watched()
    beginning = begin(selected, file, Knows(questions(3), ["q0", "q1", *ALSO[0]]))
    assert never_forgotten(selected, beginning.baseline) == ["s · p2"]


def strip_attempts(file: Path) -> None:
    kept = json.loads(file.read_text(encoding="utf-8"))
    del kept["attempts"]
    file.write_text(json.dumps(kept), encoding="utf-8")
