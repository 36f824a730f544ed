"""What a training is watched by, and what the gates say of it; no model is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engine.functions import FunctionEngine
from harness.engine.requests import LogLikelihood
from harness.errors import InputError, NoEvidenceError
from harness.evaluation.ask import Answered
from harness.evaluation.sample import sampled
from harness.gate.cases import Case, cases, with_overall
from harness.gate.policy import MAX_DROP_OVERALL, Policy
from harness.scoring import Score
from harness.suites.suite import Suite
from harness.training.callback.beginning import session_of
from harness.training.callback.cases import check_power, never_forgotten, read_watched
from harness.training.callback.step import GatedStep, gated_step

PROBES = "".join(
    f"  - {{id: {c}{n}, question: q, answer: x, category: {c}}}\n" for c in "abc" for n in range(8)
)
ALL = "[{over: all, max_drop: 0.1}, {over: category, max_drop: 0.2}]"
LARGE = "[{over: all, max_drop: 0.2}, {over: category, max_drop: 0.3}]"
"""Margins that 24 probes in categories of 8 can prove."""
EACH = "[{over: each}]"
MANY = "".join(f"  - {{id: p{n}, question: q, answer: x}}\n" for n in range(60))


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
    return step_of(suites, answered(suites, before), answered(suites, after))


def answered(suites: list[Suite], right: dict[str, bool]) -> dict[str, Answered]:
    return {
        suite.name: Answered({}, {p.id: Score(right.get(p.id, False), "") for p in suite.probes})
        for suite in suites
    }


def step_of(suites: list[Suite], before: dict[str, Answered], after: dict[str, Answered]) -> GatedStep:
    every = all_cases(suites)
    session = session_of(every, Policy(), allow_code=False)
    session.know("baseline", before)
    session.know("tuned", after)
    return gated_step(7, session.decide(every), session)


def all_cases(suites: list[Suite]) -> list[Case]:
    return with_overall(watched(suites, None, 0), MAX_DROP_OVERALL)


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
    lost = step(one(tmp_path, LARGE), RIGHT, {id: id[0] != "b" for id in RIGHT})
    assert lost.drop == lost.drops["one"] == 8 / 24
    assert lost.verdicts["one · b"] == "FORGOTTEN"
    assert lost.verdicts["one · a"] != "FORGOTTEN"
    assert lost.forgotten == ("one · all", "one · b")
    assert lost.verdict == "FORGOTTEN"
    assert lost.numbers() == {
        "forgetting/drop": 8 / 24, "forgetting/one/drop": 8 / 24, "forgetting/forgotten": 1, "forgetting/failed": 2
    }  # fmt: skip
    assert lost.shown == "FORGOTTEN, a drop of 33.3 points"


@pytest.mark.parametrize(
    ("rule", "verdict"), [("confirmed", "FORGOTTEN"), ("observed", "FAILED"), ("fail", "FAILED"), ("pass", "PASSED")]
)  # fmt: skip
def test_a_drop_over_the_margin_is_forgotten_where_it_is_confirmed(tmp_path, rule, verdict):
    lost = list(RIGHT)[::4]
    gates = f"[{{over: all, max_drop: 0.2, max_loss: 1, on_inconclusive: {rule}}}]"
    over = step(one(tmp_path, gates), RIGHT, {id: id not in lost for id in RIGHT})
    assert over.verdicts == {"one · all": "INCONCLUSIVE"}
    assert over.verdict == verdict
    assert over.failed == (() if verdict == "PASSED" else ("one · all",))
    assert over.forgotten == (("one · all",) if verdict == "FORGOTTEN" else ())


def two_of_many(folder: Path, gates: str) -> list[Suite]:
    return read_watched(
        [write(folder, name, gates, probes=MANY.replace("p", name)) for name in ("ones", "twos")],
        allow_code=False,
    )


def test_what_no_suite_shows_all_of_them_may(tmp_path):
    suites = two_of_many(tmp_path, "[{over: all, max_drop: 0.25, max_loss: 1}]")
    known = {probe.id: True for suite in suites for probe in suite.probes}
    lost = step(suites, known, {id: not id.endswith("0") for id in known})
    assert lost.verdicts == {"ones · all": "RETAINED", "twos · all": "RETAINED", "overall": "FORGOTTEN"}
    assert (lost.forgotten, lost.failed) == (("overall",), ("overall",))
    assert lost.drop == 0.1


def test_texts_rise_and_do_not_drop(tmp_path):
    texts = "".join(f"  - {{id: t{n}, text: a text}}\n" for n in range(4))
    path = tmp_path / "texts.yaml"
    path.write_text(
        "suite: texts\ntask: {format: text, answer: likelihood}\nscore: {likelihood: {max_rise: 0.01}}\n"
        f"gates: [{{over: all, max_rise: 0.05}}]\nprobes:\n{texts}",
        encoding="utf-8",
    )
    suites = read_watched([path], allow_code=False)
    before, after = (
        {
            "texts": Answered({}, {
                probe.id: Score(True, "", LogLikelihood(-bits * (1 + noise / 1000), 4, 512))
                for noise, probe in enumerate(suites[0].probes)
            })
        }
        for bits in (4, 5)
    )  # fmt: skip
    worse = step_of(suites, before, after)
    assert (worse.verdict, worse.drop, worse.drops) == ("FORGOTTEN", None, {})
    assert worse.rises == {"texts": pytest.approx(0.25)}
    assert worse.numbers()["forgetting/texts/rise"] == pytest.approx(0.25)
    assert never_forgotten(all_cases(suites), before) == []


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


def test_several_probes_that_are_lost_are_forgotten(tmp_path):
    lost = step(one(tmp_path, EACH), {"a0": True, "a1": True, "a2": True}, {"a0": True})
    assert lost.forgotten == lost.failed == ("one · a1", "one · a2")
    assert (lost.verdicts["one · a0"], lost.verdicts["one · b0"]) == ("RETAINED", "VACUOUS")
    assert lost.drop == 2 / 24


def test_a_single_probe_that_is_lost_is_a_warning(tmp_path):
    lost = step(one(tmp_path, EACH), {"a0": True, "a1": True}, {"a0": True})
    assert lost.verdicts["one · a1"] == "FORGOTTEN"
    assert (lost.forgotten, lost.failed, lost.verdict) == ((), (), "PASSED")


def test_a_suite_in_which_both_miss_everything_does_not_pass(tmp_path):
    blank = step(one(tmp_path, EACH), {}, {})
    assert len(blank.failed) == 24
    assert blank.verdict == "FAILED"


def test_without_anything_to_compare_there_is_no_drop(tmp_path):
    alone = step(one(tmp_path, "[{over: each, require: pass}]"), {}, RIGHT)
    assert (alone.drop, alone.drops, alone.verdict, alone.shown) == (None, {}, "PASSED", "PASSED")
    assert alone.numbers() == {"forgetting/forgotten": 0, "forgetting/failed": 0}


# Sight


def test_the_baseline_is_asked_the_rest_where_a_sample_does_not_show_that_it_knows_anything(tmp_path):
    probes = "".join(f"  - {{id: p{n}, question: p{n}, answer: x}}\n" for n in range(20))
    drawn = watched(one(tmp_path, "[{over: all, max_drop: 0.5}]", probes), 3, 0)
    blank = {probe.id for probe in drawn[0].probes}
    session = session_of(drawn, Policy(), allow_code=False)
    session.ask("baseline", FunctionEngine(lambda prompt: "?" if prompt in blank else "x"))
    run = session.suites["one"]
    assert len(run.scores["baseline"]) == 20
    assert run.nothing_known is None


@pytest.mark.parametrize(("right", "seen"), [(0, False), (2, False), (8, True)])
def test_a_case_is_blind_where_losing_all_would_not_be_forgetting(tmp_path, right, seen):
    suites = one(tmp_path, LARGE)
    before = {f"a{n}": n < right for n in range(8)}
    blind = never_forgotten(all_cases(suites), answered(suites, before))
    assert ("one · a" not in blind) is seen
    assert ("one · a" in step(suites, before, {}).forgotten) is seen


def test_a_case_is_blind_where_too_few_probes_are_asked(tmp_path, caplog):
    suites = one(tmp_path, "[{over: all, max_drop: 0.2}, {over: category, max_drop: 0.2}]")
    known = answered(suites, RIGHT)
    assert never_forgotten(all_cases(suites), known) == ["one · a", "one · b", "one · c"]
    check_power(all_cases(suites), known)
    assert caplog.messages == [
        "3 of 4 cases can never be forgotten: too few of their probes were asked, or the baseline is right on too few of "
        "them: one · a, one · b, one · c"
    ]
    with pytest.raises(
        NoEvidenceError, match="no case could be forgotten: too few of its probes were asked, or "
    ):
        check_power(watched(suites, None, 0)[1:], known)


def test_all_suites_together_see_what_none_of_them_could(tmp_path):
    suites = two_of_many(tmp_path, "[{over: all, max_drop: 0.02}]")
    known = answered(suites, {probe.id: True for suite in suites for probe in suite.probes})
    assert never_forgotten(all_cases(suites), known) == ["ones · all", "twos · all"]


@pytest.mark.parametrize(
    ("severity", "right", "blind"),
    [("high", 1, 23), ("high", 2, 22), ("critical", 1, 23), ("critical", 0, 24)],
)
def test_a_case_of_one_probe_is_blind_where_the_baseline_is_wrong(tmp_path, severity, right, blind):
    suites = one(tmp_path, EACH, PROBES.replace("}", f", severity: {severity}}}"))
    known = answered(suites, {f"a{n}": True for n in range(right)})
    assert len(never_forgotten(all_cases(suites), known)) == blind
