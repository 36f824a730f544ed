"""What a training is watched by, and what the gates say of it; no model is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import InputError, NoEvidenceError
from harness.evaluation.ask import Answered
from harness.evaluation.sample import sampled
from harness.gate.cases import Case, cases
from harness.gate.verdict import Policy
from harness.scoring import Score
from harness.suites.suite import Suite
from harness.training.callback.beginning import session_of
from harness.training.callback.cases import cannot_be_forgotten, read_watched
from harness.training.callback.step import GatedStep, gated_step

PROBES = "".join(
    f"  - {{id: {c}{n}, question: q, answer: x, category: {c}}}\n" for c in "abc" for n in range(8)
)
ALL = "[{over: all, max_drop: 0.1}, {over: category, max_drop: 0.2}]"
EACH = "[{over: each}]"


def write(folder: Path, name: str, gates: str = ALL, score: str = "contains", probes: str = PROBES) -> Path:
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"suite: {path.stem}\nscore: {score}\ngates: {gates}\nprobes:\n{probes}", encoding="utf-8"
    )
    return path


def write_code(folder: Path) -> Path:
    return write(
        folder,
        "code",
        "[{over: all, max_drop: 0.1}]",
        "{python: {tests: [assert f() == 1]}}",
        "  - {id: a, question: Write f.}\n",
    )


def one(folder: Path, gates: str = ALL, probes: str = PROBES) -> list[Suite]:
    return read_watched([write(folder, "one", gates, probes=probes)], allow_code=False)


def step(suites: list[Suite], before: dict[str, bool], after: dict[str, bool]) -> GatedStep:
    """What the gates say where both models were right on these probes, and wrong on all others."""
    sides = [
        {
            suite.name: Answered({}, {p.id: Score(side.get(p.id, False), "") for p in suite.probes})
            for suite in suites
        }
        for side in (before, after)
    ]
    every = watched(suites, None, 0)
    session = session_of(every, Policy(), allow_code=False)
    session.know("baseline", sides[0])
    session.know("tuned", sides[1])
    return gated_step(7, [session.decide(case) for case in every], session)


def watched(suites: list[Suite], n: int | None, seed: int) -> list[Case]:
    return list(sampled((case for suite in suites for case in cases(suite)), n, seed))


# Reading


def test_a_folder_gives_its_suites_and_those_of_its_folders(tmp_path):
    for name in ("b", "a", "more/c"):
        write(tmp_path, name)
    (tmp_path / "notes.md").write_text("no suite")
    named = [suite.name for suite in read_watched([tmp_path, tmp_path / "a.yaml"], allow_code=False)]
    assert named == ["a", "b", "c"], "each once"


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    write(tmp_path, "good")
    write(tmp_path, "other/good")
    write_code(tmp_path)
    write(tmp_path, "torn", gates="[{over: all, max_dorp: 0.1}]")
    with pytest.raises(InputError) as caught:
        read_watched([tmp_path, tmp_path / "no.yaml"], allow_code=False)
    message = str(caught.value)
    assert "the suite 'code' runs code that a model wrote: the probe " in message
    assert "\n  allow it: allow_code=True (it runs confined: " in message
    assert "a second suite called 'good'\n  the first is at " in message
    assert "max_dorp" in message
    assert "no.yaml" in message
    assert len(caught.value.problems) == 4


def test_code_may_be_allowed(tmp_path):
    code = write_code(tmp_path)
    assert [suite.name for suite in read_watched([code], allow_code=True)] == ["code"]


def test_nothing_is_an_error(tmp_path):
    with pytest.raises(NoEvidenceError, match="no suites were given"):
        read_watched([], allow_code=False)
    with pytest.raises(NoEvidenceError, match="no suite files in this folder"):
        read_watched([tmp_path], allow_code=False)


# Sampling


def test_a_sample_has_some_of_each_category(tmp_path):
    cases = watched(one(tmp_path), 6, seed=0)
    assert [(case.slice, len(case.probes)) for case in cases] == [
        ("all", 6), ("category[a]", 2), ("category[b]", 2), ("category[c]", 2)
    ]  # fmt: skip
    assert {probe.id for case in cases[1:] for probe in case.probes} == {p.id for p in cases[0].probes}
    assert cases == watched(one(tmp_path), 6, seed=0) != watched(one(tmp_path), 6, seed=1)


def test_cases_that_the_sample_leaves_nothing_are_left_out(tmp_path):
    cases = watched(one(tmp_path), 1, seed=0)
    assert [len(case.probes) for case in cases] == [1, 1]


def test_gates_over_each_keep_all_of_their_probes(tmp_path):
    cases = watched(one(tmp_path, "[{over: all, max_drop: 0.1}, {over: each}]"), 6, seed=0)
    assert [len(case.probes) for case in cases] == [6] + 24 * [1]
    assert len({probe.id for case in cases for probe in case.probes}) == 24


def test_none_is_every_probe(tmp_path):
    assert [len(case.probes) for case in watched(one(tmp_path), None, 0)] == [24, 8, 8, 8]


# Deciding

RIGHT = {f"{c}{n}": True for c in "abc" for n in range(8)}


def test_a_step_at_which_nothing_changed(tmp_path):
    same = step(one(tmp_path, "[{over: all, max_drop: 0.2}]"), RIGHT, RIGHT)
    assert (same.step, same.drop, same.drops) == (7, 0, {"one": 0})
    assert (same.forgotten, same.failed, same.verdict) == ((), (), "PASSED")


def test_a_step_at_which_one_category_is_lost(tmp_path):
    lost = step(one(tmp_path), RIGHT, {id: id[0] != "b" for id in RIGHT})
    assert lost.drop == lost.drops["one"] == 8 / 24
    assert lost.verdicts["one · b"] == "FORGOTTEN"
    assert lost.verdicts["one · a"] != "FORGOTTEN"
    assert lost.forgotten == ("one · all", "one · b")
    assert lost.verdict == "FORGOTTEN"
    assert lost.numbers() == {
        "forgetting/drop": 8 / 24, "forgetting/one/drop": 8 / 24, "forgetting/forgotten": 1, "forgetting/failed": 2
    }  # fmt: skip
    assert lost.shown == "FORGOTTEN, a drop of 33.3 points"


def test_over_the_margin_without_being_sure_is_failed(tmp_path):
    lost = list(RIGHT)[::4]
    unsure = step(one(tmp_path, "[{over: all, max_drop: 0.2}]"), RIGHT, {id: id not in lost for id in RIGHT})
    assert (unsure.forgotten, unsure.failed, unsure.verdict) == ((), ("one · all",), "FAILED")


def test_too_few_probes_to_decide_anything_is_no_pass(tmp_path):
    few = step(one(tmp_path), RIGHT, RIGHT)
    assert few.undecided
    assert set(few.undecided) <= set(few.verdicts)
    alone = step(one(tmp_path, "[{over: all, max_drop: 0.1}]"), RIGHT, RIGHT)
    assert (alone.undecided, alone.verdict) == (("one · all",), "UNDECIDED")


def test_the_overall_drop_is_over_probes_and_not_over_suites(tmp_path):
    few = write(
        tmp_path, "few", probes="  - {id: d0, question: q, answer: x}\n", gates="[{over: all, max_drop: 0.1}]"
    )
    suites = read_watched([write(tmp_path, "one"), few], allow_code=False)
    lost = step(suites, {**RIGHT, "d0": True}, RIGHT)
    assert (lost.drop, lost.drops) == (1 / 25, {"one": 0, "few": 1})


def test_each_probe_that_is_lost_is_forgotten(tmp_path):
    lost = step(one(tmp_path, EACH), {"a0": True, "a1": True}, {"a0": True})
    assert (lost.forgotten, lost.failed) == (("one · a1",), ("one · a1",))
    assert (lost.verdicts["one · a0"], lost.verdicts["one · b0"]) == ("RETAINED", "VACUOUS")
    assert lost.drop == 1 / 24


def test_a_suite_in_which_both_miss_everything_does_not_pass(tmp_path):
    blank = step(one(tmp_path, EACH), {}, {})
    assert len(blank.failed) == 24
    assert blank.verdict == "FAILED"


def test_without_anything_to_compare_there_is_no_drop(tmp_path):
    alone = step(one(tmp_path, "[{over: each, require: pass}]"), {}, RIGHT)
    assert (alone.drop, alone.drops, alone.verdict, alone.shown) == (None, {}, "PASSED", "PASSED")
    assert alone.numbers() == {"forgetting/forgotten": 0, "forgetting/failed": 0}


# Sight


@pytest.mark.parametrize(("right", "seen"), [(0, False), (2, False), (8, True)])
def test_a_case_is_blind_where_losing_all_would_not_be_forgetting(tmp_path, right, seen):
    suites = one(tmp_path)
    case = next(case for case in watched(suites, None, 0) if case.slice == "category[a]")
    before = {f"a{n}": n < right for n in range(8)}
    assert cannot_be_forgotten(case, {id: Score(known, "") for id, known in before.items()}) is not seen
    assert (step(suites, before, {}).verdicts["one · a"] == "FORGOTTEN") is seen


@pytest.mark.parametrize("right", [False, True])
def test_a_case_of_one_probe_is_blind_where_the_baseline_misses_it(tmp_path, right):
    case = watched(one(tmp_path, EACH), None, 0)[0]
    assert cannot_be_forgotten(case, {"a0": Score(right, "")}) is not right
