"""--only-lost: a look at what an earlier run lost, which asks nothing else, decides nothing and leaves the record alone."""

from __future__ import annotations

import pytest

from tests.support.project import RIGHT, not_green, said
from tests.support.runs import ALL, TWO, bad, conftest, earlier, latest

LOOK = "--only-lost=reports/latest"


@pytest.fixture
def lost(project):
    """A red run of two suites that lost 11 and 2 probes."""
    project.capability(ALL, {"math": (20, 11, 0, 0), "art": (20, 0, 0, 4)})
    project.capability("[{over: each}]", (3, 2, 0, 1), name="single")
    assert project.run().ret == 1
    (project.path / "asked.txt").unlink()
    return project


def improve(project, *ids):
    """The tuned model as it is after a better training."""
    project.models({}, {f"{suite} {id}?": RIGHT for suite in ("general", "single") for id in ids})


def test_only_lost_probes_are_asked_and_of_the_tuned_model_alone(lost):
    result = lost.run(LOOK)
    assert result.ret == 1
    assert sorted(lost.asked("tuned")) == sorted(
        [f"general math-lost-{n}?" for n in range(11)] + [f"single lost-{n}?" for n in range(2)]
    )
    assert lost.asked("baseline") == []
    text = said(result)
    assert "general · lost: of 11 lost probes, 11 still lost (a look, no gate)" in text
    assert '  lost  math-lost-0  expected yes  tuned "No idea."' in text
    assert "  and 1 more" in text
    assert (
        "of 13 probes that reports/latest lost, 13 still lost: general.yaml 11 of 11, single.yaml 2 of 2"
        in text
    )
    assert "a look decides nothing and writes no record: to gate the model, leave --only-lost out" in text
    assert "RETAINED" not in text
    result.assert_outcomes(failed=2, deselected=7)


def test_what_is_right_now_is_not_told(lost):
    improve(lost, "math-lost-0", "lost-0", "lost-1")
    text = said(lost.run(LOOK))
    assert (
        "of 13 probes that reports/latest lost, 10 still lost: general.yaml 10 of 11, single.yaml 0 of 2"
        in text
    )
    assert "math-lost-0" not in text


def test_it_is_never_green(lost):
    improve(lost, *(f"math-lost-{n}" for n in range(11)), "lost-0", "lost-1")
    result = lost.run(LOOK, "-rs")
    assert result.ret == 5
    assert "general · lost: of 11 lost probes, none is lost any more; a look decides nothing" in not_green(
        result
    )
    result.assert_outcomes(skipped=2, deselected=7)


def test_it_leaves_the_record_alone(lost):
    before = lost.record()
    assert lost.run(LOOK).ret == 1
    assert lost.run(LOOK, "--modle", "x").ret == 4
    assert lost.record() == before
    assert earlier(lost) == []


def test_what_would_be_asked(lost):
    result = lost.run(LOOK, "--collect-only", "-q")
    assert result.ret == 0
    assert [line for line in result.outlines if "::" in line] == ["general.yaml::lost", "single.yaml::lost"]
    assert lost.asked("tuned") == []


def test_in_parallel(lost):
    pytest.importorskip("xdist")
    before = lost.record()
    result = lost.run(LOOK, *TWO)
    assert result.ret == 1
    assert "of 13 probes that reports/latest lost, 13 still lost" in said(result)
    assert lost.record() == before


def test_a_part_of_what_was_lost(lost):
    result = lost.run(LOOK, "single.yaml")
    assert len(lost.asked("tuned")) == 2
    assert "note: lost probes that were not collected: 11 of 'general'" in said(result)
    assert lost.run("--only-lost", "reports/latest/record.json", "-k", "nothing").ret == 5


@pytest.mark.parametrize(
    "option",
    [
        "--gate-strict", "--sample=1", "--sequential", "--max-flips=0.1", "--max-drop-overall=off",
        "--max-drop-overall=0.1", "--engine-flips=0.01", "--noise-floor=2", "--diagnose", "--report-markdown=a.md",
        "--report-html=a.html",
    ],
)  # fmt: skip
def test_an_option_that_a_look_would_not_obey_is_refused(lost, option):
    result = lost.run(LOOK, option)
    assert result.ret == 4
    assert (
        f"{option.partition('=')[0]}: would do nothing beside --only-lost=RECORD, a look, which decides nothing and writes no "
        "record\n  leave that out"
    ) in not_green(result)
    assert lost.asked("tuned") == []


def test_pytest_s_own_strictness_is_no_gate_s(lost):
    assert lost.run(LOOK, "--strict").ret == 1


def test_tests_that_pass_beside_it_turn_it_green_no_more(lost):
    lost.write("test_mine.py", "def test_mine(tuned): assert tuned\n")
    improve(lost, *(f"math-lost-{n}" for n in range(11)), "lost-0", "lost-1")
    result = lost.run(LOOK)
    result.assert_outcomes(passed=1, skipped=2, deselected=7)
    assert result.ret == 5
    assert lost.run(LOOK, "-k", "mine").ret == 5
    assert lost.run(LOOK, "test_mine.py").ret == 5


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ("nowhere", "nowhere: the record of a run cannot be read: No such file or directory"),
        ("conftest.py", "conftest.py: not the record of a run, version 1"),
        ("green", "--only-lost=green: nothing was lost in green/record.json"),
        (
            "other",
            "--only-lost=other: the collected suites have none of the probes that it lost\n  it lost 60 of 'other'",
        ),
    ],
)
def test_a_record_that_shows_nothing_lost(lost, record, problem):
    if record == "green":
        lost.capability(ALL, (60, 0, 0, 0), name="good")
        lost.run("good.yaml", "--report", "green")
    if record == "other":
        bad(lost, "other")
        lost.run("other.yaml", "--report", "other")
    result = lost.run("general.yaml", "--only-lost", record)
    assert result.ret == 4
    assert problem in said(result)
    assert latest(lost)[1] == 1


def test_texts_are_not_judged_alone(project):
    project.write(
        "texts.yaml",
        "suite: texts\ntask: {answer: likelihood, format: text}\nscore: likelihood\n"
        "gates: [{over: all, max_rise: 0.05}]\nprobes:\n"
        + "".join(f"  - {{id: t-{n}, text: 'Text {n}.'}}\n" for n in range(12)),
    )
    conftest(
        project,
        "\nfrom harness.engine.requests import LogLikelihood\n"
        "Scripted.kinds = frozenset({'likelihood'})\n"
        "Scripted.ask = lambda self, requests, progress=None: [\n"
        "    LogLikelihood(-9.0 if self.label == 'baseline' else -30.0, 3, 100) for _ in requests]\n",
    )
    project.write("answers.json", '{"baseline": {}, "tuned": {}}')
    red = project.run()
    assert red.ret == 1
    assert "what now" in red.outlines
    assert "--only-lost" not in said(red)
    result = project.run(LOOK)
    assert result.ret == 4
    assert (
        "it lost nothing but texts, which are judged against the baseline's\n  it lost 12 of 'texts'"
        in said(result)
    )


@pytest.mark.parametrize("option", ["--lf", "--sw"])
def test_a_look_is_no_failed_gate_in_pytest_s_memory(lost, option):
    """Nothing is left out after it."""
    memory = ("-p", "cacheprovider", "-p", "stepwise", option)
    assert lost.run(LOOK, *memory).ret == 1
    lost.capability(ALL, (60, 0, 0, 0))
    lost.capability("[{over: each}]", (3, 0, 0, 0), name="single")
    assert lost.run(*memory).ret == 0
