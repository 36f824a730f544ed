"""--fail-on: from which severity on a failed gate fails the run, and what is said of the rest."""

from __future__ import annotations

import pytest

from harness import run_gate
from tests.support.project import WRONG, not_green, said

SEVERITIES = ["critical", "high", "medium", "low"]
EVERY = "[{over: all, max_drop: 0.10}, {over: each}]"


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("fail_on", SEVERITIES)
def test_the_least_severity_that_fails(project, severity, fail_on):
    project.capability("[{over: all, max_drop: 0.10}]", (5, 25, 0, 0), severity=severity)
    result = project.run("--fail-on", fail_on)
    fails = SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)
    assert result.ret == (1 if fails else 0)
    assert project.outcomes() == {"general all": ("FORGOTTEN", "failed" if fails else "warned")}
    assert project.record()["run"]["fail_on"] == fail_on


@pytest.mark.parametrize("severity", SEVERITIES)
def test_every_severity_fails_by_default(project, severity):
    project.capability("[{over: all, max_drop: 0.10}]", (5, 25, 0, 0), severity=severity)
    assert project.run().ret == 1


def test_what_does_not_fail_is_a_warning_with_all_its_evidence(project):
    project.capability("[{over: all, max_drop: 0.10}]", (25, 5, 0, 0), severity="medium")
    result = project.run("--fail-on", "high")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*ForgettingWarning: general · all: INCONCLUSIVE, 16.7 points lost*",
            "*lost  lost-0  expected yes*",
        ]
    )


def test_a_forgotten_slice_says_that_it_is_only_a_warning(project):
    project.capability("[{over: all, max_drop: 0.10}]", (5, 25, 0, 0), severity="low")
    result = project.run("--fail-on", "critical")
    assert "  a warning only: its severity is low, and --fail-on is critical" in said(result)
    result.stdout.fnmatch_lines(["warned", "general *FORGOTTEN"])


def test_lost_probes_follow_their_severity_too(project):
    project.capability(EVERY, (0, 30, 0, 0), severity="medium")
    assert project.run("--fail-on", "high").ret == 0
    assert {outcome for _, outcome in project.outcomes().values()} == {"warned"}
    assert project.run("--fail-on", "medium").ret == 1


@pytest.mark.parametrize("gates", [EVERY, "[{over: all, max_drop: 0.10}]"])
def test_a_suite_of_which_the_baseline_knows_nothing_is_no_pass_below_it_either(project, gates):
    project.capability(gates, (0, 0, 0, 60), severity="low")
    result = project.run("--fail-on", "high", "-rs")
    assert result.ret == 5
    assert set(project.outcomes().values()) == {("VACUOUS", "skipped")}
    assert "general · all: VACUOUS, the baseline is right on none of the 60 probes asked" in said(result)
    assert project.run().ret == 1
    assert run_gate(WRONG.format, "general.yaml", WRONG.format, fail_on="high").run.exit_status == 5


def test_the_gate_over_all_does_not_decide_it(project):
    project.capability(EVERY, (0, 0, 0, 60), severity="low")
    project.capability("[{over: all, max_drop: 0.10}]", (100, 0, 0, 0), name="known")
    result = project.run("--fail-on", "high")
    assert result.ret == 5
    assert "general was not decided, which is no pass" in result.outlines


def test_a_probe_has_a_severity_of_its_own(project):
    project.write("s.yaml", "suite: s\nseverity: low\nscore: mentions\ngates: [{over: each}]\nprobes:\n"
                  "  - {id: a, question: A?, answer: yes, severity: critical}\n"
                  "  - {id: b, question: B?, answer: yes}\n")  # fmt: skip
    project.models({"*": "yes"}, {"*": "no"})
    result = project.run("--fail-on", "high")
    result.assert_outcomes(passed=1, failed=1, warnings=1)
    assert project.outcomes()["s probe[a]"] == ("FORGOTTEN", "failed")
    assert project.outcomes()["s probe[b]"] == ("FORGOTTEN", "warned")


def test_require_pass_follows_severity(project):
    project.capability("[{over: each, require: pass}]", (0, 1, 0, 0), severity="low")
    assert project.run("--fail-on", "medium").ret == 0
    assert project.run().ret == 1


def test_an_input_error_fails_whatever_the_severity(project):
    project.capability("[{over: all, max_drop: 0.10}]", (5, 0, 0, 0), severity="low")
    project.models({}, {"general kept-0?": None})
    result = project.run("--fail-on", "critical")
    assert result.ret == 4
    assert "tuned: must return text, returned NoneType" in not_green(result)


def test_a_severity_that_is_none(project):
    project.capability("[{over: all, max_drop: 0.10}]", (5, 0, 0, 0))
    result = project.run("--fail-on", "hihg")
    assert result.ret == 4
    assert "must be one of critical, high, medium, low, saw 'hihg'; did you mean 'high'?" in not_green(result)
