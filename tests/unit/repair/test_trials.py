"""How little a candidate is asked before it is given up, and that the whole half decides the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.engine.functions import FunctionEngine
from harness.engine.requests import EnginePair
from harness.engine.settings import Settings
from harness.repair.confirm import check_same_answers, confirm
from harness.repair.measure import Examiner
from harness.repair.record import EffectRow, ended
from harness.repair.schedule import RepairOptions, read_schedule
from harness.repair.search import BudgetUsedError, Candidate
from harness.repair.trials import Trials
from harness.training.edits.edit import evenly
from tests.support.engines import Cutting, Likely
from tests.support.suites import suite_text

GROUPS = ("layers 0-9",)


class Models:
    """A baseline that knows all general probes and none of the target's; candidates by what they know of both."""

    def __init__(self, tmp_path: Path) -> None:
        for name, n in (("target", 40), ("general", 240)):
            (tmp_path / f"{name}.yaml").write_text(suite_text(name, n))
        self.options = RepairOptions("tuned", Path("target.yaml"), [Path("general.yaml")], Path("out"))
        self.schedule = read_schedule(self.options)
        self.asked: list[str] = []
        self.knows = {"baseline": (0.0, 1.0)}

    def engine(self, name: str) -> FunctionEngine:
        def answer(prompt: str) -> str:
            self.asked.append(f"{name}: {prompt.split()[0]}")
            suite, number = prompt.rstrip("?").split()
            share = self.knows[name][suite == "general"]
            return "right" if int(number) % 20 < 20 * share else "wrong"

        return FunctionEngine(answer, name)

    def pair(self, candidate: Candidate) -> EnginePair:
        return EnginePair(self.engine("baseline"), self.engine(str(candidate.edit)))

    def count(self, name: str) -> dict[str, int]:
        """How many prompts of each suite a model was asked."""
        return {suite: self.asked.count(f"{name}: {suite}") for suite in ("target", "general")}


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Models(tmp_path)


def trials(models: Models, **changed) -> Trials:
    examiner = Examiner(models.schedule, models.schedule.selection, models.options.policy, Settings())
    examiner.ask_baseline(models.engine("baseline"))
    return Trials(examiner, models.pair, useful=0.5, margin=0.03, **changed)


def at(strength: float) -> Candidate:
    return Candidate("adapter", evenly(GROUPS, strength))


def test_the_tuned_model_is_asked_all_and_the_others_as_little_as_it_takes(models):
    models.knows |= {
        "strength 1": (1.0, 0.2), "strength 0.5": (0.9, 0.3), "strength 0.25": (0.8, 1.0), "strength 0.125": (0.2, 1.0),
    }  # fmt: skip
    measure = trials(models)
    found = [measure(at(strength)) for strength in (1.0, 0.5, 0.25, 0.125)]
    assert [tried.standing for tried in found] == ["fails", "loses too much", "passes", "gain gone"]
    assert models.count("strength 1") == {"target": 20, "general": 120}
    assert models.count("strength 0.5") == {"target": 20, "general": 30}
    assert models.count("strength 0.25") == {"target": 20, "general": 120}
    assert models.count("strength 0.125") == {"target": 20, "general": 0}
    # Once for all; of a suite of which it knows nothing, as of a target, the baseline is asked everything.
    assert models.count("baseline") == {"target": 40, "general": 120}


def test_texts_are_not_pooled_with_what_is_right_or_wrong(models, monkeypatch):
    lines = "\n".join(f"  - {{id: t{place}, text: Some words here.}}" for place in range(40))
    head = "suite: texts\ntask: {format: text, answer: likelihood}\ngates: [{over: all, max_rise: 0.1}]\nprobes:\n"
    Path("texts.yaml").write_text(head + lines)
    models.options = replace(models.options, suites=[Path("general.yaml"), Path("texts.yaml")])
    models.schedule = read_schedule(models.options)
    scripted = models.engine
    monkeypatch.setattr(models, "engine", lambda name: Likely(scripted(name)))
    models.knows["strength 1"] = (1.0, 1.0)
    found = trials(models)(at(1.0)).measured
    assert {decision.case.suite.name for decision in found.decisions} == {"general", "overall", "texts"}
    assert {suite for suite, _ in found.general} == {"general"}


def test_one_note_a_suite_says_how_many_answers_of_all_candidates_were_cut(models, monkeypatch):
    """All of the baseline's; of a candidate's those that are wrong."""
    models.knows |= {
        "strength 1": (1.0, 0.2), "strength 0.5": (0.9, 0.3), "strength 0.25": (0.8, 1.0), "strength 0.125": (0.2, 1.0),
    }  # fmt: skip
    scripted = models.engine
    monkeypatch.setattr(models, "engine", lambda name: Cutting(scripted(name)))
    measure = trials(models)
    for strength in (1.0, 0.5, 0.25, 0.125):
        measure(at(strength))
    confirming = Examiner(
        models.schedule, models.schedule.confirmation, models.options.policy, Settings(),
        notes=measure.examiner.notes, cuts=measure.examiner.cuts,
    )  # fmt: skip
    confirmed = confirm(confirming, models.pair(at(0.25)), models.pair(at(1.0)), models.schedule, useful=0.5)
    check_same_answers(
        confirming, replace(models.pair(at(0.25)), tuned=models.engine("strength 0.25")), confirmed
    )
    held = {type(who) for cuts in measure.examiner.cuts.values() for who, _ in cuts}
    assert held == {object}, "no session and its answers stay in memory"
    assert sorted(measure.examiner.notes) == [
        "general: max_new_tokens (64) cut 0 % of the baseline's answers and 0 to 90 % of those of 3 tuned models; a cut answer is "
        "judged as far as it goes",
        "target: max_new_tokens (64) cut 100 % of the baseline's answers and 0 to 80 % of those of 4 tuned models; a cut answer is "
        "judged as far as it goes",
    ]


def test_a_line_a_trial_says_why_it_fails_and_not_how_long_it_takes_before_that_is_known(models):
    models.knows |= {"strength 1": (1.0, 0.2), "strength 0.5": (0.9, 0.95), "strength 0.25": (0.8, 1.0)}
    told: list[str] = []
    measure = trials(models, say=told.append)
    for strength in (1.0, 0.5, 0.25):
        measure(at(strength))
    assert [line.partition(" (")[0] for line in told] == [
        "strength 1: gain 100.0, drop 85.0, fails",
        "strength 0.5: gain 90.0, drop 5.0, fails",
        "strength 0.25: gain 70.0, drop 0.0, passes",
    ]
    assert [" left" in line for line in told] == [False, True, True]
    row = EffectRow(gain=0.9, gain_interval=(0.7, 1.0), target_probes=20, target_baseline=0.0, drop=0.058)
    assert ended("fails", row, 0.03) == "fails, over 3"  # no gate fails, and the drop is over the margin
    assert ended("fails", row.model_copy(update={"failed": ["all suites"]}), 0.03) == "fails"


def test_no_candidate_is_asked_what_confirms(models):
    models.knows |= {"strength 1": (1.0, 0.2), "strength 0.5": (1.0, 1.0)}
    measure = trials(models)
    for strength in (1.0, 0.5):
        measure(at(strength))
    chosen, reference = models.pair(at(0.5)), models.pair(at(1.0))
    examiner = Examiner(models.schedule, models.schedule.confirmation, models.options.policy, Settings())
    before = models.count("strength 0.5")
    confirmation = confirm(examiner, chosen, reference, models.schedule, useful=0.5)
    assert before == {"target": 20, "general": 120}
    assert models.count("strength 0.5") == {"target": 40, "general": 240}
    assert (confirmation.reason, confirmation.exit_status) == ("", 0)
    assert confirmation.row.effect.general_probes == 120


@pytest.mark.parametrize(
    ("knows", "reason"),
    [
        ((1.0, 0.5), "do not confirm it: 48.3 points lost"),
        ((0.4, 1.0), "do not confirm its gain: 45.0 points"),
    ],
)
def test_a_loss_or_a_lost_gain_is_not_confirmed(models, knows, reason):
    models.knows |= {"strength 1": (1.0, 0.2), "strength 0.5": knows}
    examiner = Examiner(models.schedule, models.schedule.confirmation, models.options.policy, Settings())
    found = confirm(examiner, models.pair(at(0.5)), models.pair(at(1.0)), models.schedule, useful=0.5)
    assert reason in found.reason
    assert not found.undecided


def test_a_budget_leaves_time_for_the_confirmation(models):
    models.knows |= {f"strength {strength:g}": (1.0, 1.0) for strength in (1, 0.5, 0.25)}
    measure = trials(models, budget=100.0)
    measure(at(1.0))
    measure(at(0.5))
    measure.seconds, measure.longest = [30.0, 30.0], 30.0  # one more and the confirmation take 105
    with pytest.raises(BudgetUsedError):
        measure(at(0.25))
    measure.budget = 110.0
    assert measure(at(0.25)).passes
