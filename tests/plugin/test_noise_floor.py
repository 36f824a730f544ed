"""--noise-floor K: the baseline is asked again, what flips is shown and recorded, and margins within that are refused."""

from __future__ import annotations

import pytest

from harness import run_gate
from harness.errors import HarnessError
from harness.evaluation.rescore import rescored
from harness.reporting.record import read_record
from tests.support.project import CONFTEST, RIGHT, WRONG, not_green, said

WIDE = "[{over: all, max_drop: 0.2}, {over: each}]"


def unsteady(project, ids, gates=WIDE, name="general", n=60):
    """A baseline that is wrong about these probes the second time it is asked."""
    project.capability(gates, (n, 0, 0, 0), name=name)
    questions = {f"{name} kept-{id}?" for id in ids}
    project.write("conftest.py", CONFTEST.replace(
        "        answers = ANSWERS",
        f"        self.times = getattr(self, 'times', []) + [prompt]\n"
        f"        if self.label == 'baseline' and self.times.count(prompt) == 2 and prompt in {questions!r}: return {WRONG!r}\n"
        "        answers = ANSWERS",
    ))  # fmt: skip


def test_what_flipped_is_shown_and_recorded(project):
    unsteady(project, [3, 5, 7])
    result = project.run("--noise-floor", "2")
    assert result.ret == 0, said(result)
    result.stdout.fnmatch_lines([
        "noise: 3 of 60 answers of the baseline flipped over 3 conditions (3.3 % between two of them, at most 9.6 %)",
        "  general: 3 of 60, kept-3, kept-5, kept-7",
    ])  # fmt: skip
    assert len(project.asked("baseline")) == 180
    assert len(project.asked("tuned")) == 60
    (noise,) = project.record()["run"]["noise"].values()
    assert noise == {
        "conditions": 3, "probes": 60, "flipped": 3, "flip_rate": pytest.approx(2 / 60), "at_most": pytest.approx(0.0958, abs=1e-4),
        "ids": ["kept-3", "kept-5", "kept-7"], "reach": {"all": pytest.approx(4 / 60)},
    }  # fmt: skip


def test_no_option_no_noise(project):
    unsteady(project, [3])
    result = project.run()
    assert "noise: " not in said(result)
    assert project.record()["run"]["noise"] == {}
    assert len(project.asked("baseline")) == 60


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")])
def test_margins_within_noise_are_an_error_before_any_verdict(project, workers):
    unsteady(project, range(12), "[{over: all, max_drop: 0.1}]", name="one")
    unsteady(project, [], name="other")
    unsteady(project, range(12), "[{over: all, max_drop: 0.1}]", name="one")
    result = project.run("--noise-floor", "1", *project.folders(), *workers)
    text = not_green(result)
    assert result.ret == 4
    assert (
        "one.yaml:4:9: one · all: a margin of 10 points is within the noise of the baseline, which alone drops 60 probes by up "
        "to 11.7 points in 95 % of runs: 12 of its 60 answers flipped over 2 equal conditions (20.0 %, at most 29.7 %)"
        in text
    )
    assert "  raise 'max_drop' to 0.117 or more, add probes, or run in another dtype: --dtype=float32" in text
    assert "RETAINED" not in text
    record = project.record()["run"]
    assert record["exit_status"] == 4
    assert len(record["errors"]) == 1


def test_all_gates_of_all_suites_are_in_one_message(project):
    unsteady(project, range(12), "[{over: all, max_drop: 0.1}]", name="one")
    first = (project.path / "conftest.py").read_text()
    unsteady(project, range(12), "[{over: all, max_drop: 0.1}]", name="two")
    project.write(
        "conftest.py",
        first.replace("prompt in {", "'-1?' not in prompt and '-2?' not in prompt or prompt in {"),
    )
    result = project.run("--noise-floor", "1")
    assert result.ret == 4
    (error,) = project.record()["run"]["errors"]
    assert "one · all: a margin" in error
    assert "two · all: a margin" in error


def test_under_xdist_the_noise_travels_along(project):
    unsteady(project, [3, 5, 7], name="one")
    unsteady(project, [3, 5, 7], name="two")
    alone = project.run("--noise-floor", "1", *project.folders())
    noise = project.record()["run"]["noise"]
    assert noise.keys() == {"one", "two"}
    assert noise["two"]["flipped"] == 3
    result = project.run("--noise-floor", "1", *project.folders(), "-p", "xdist", "-n", "2")
    assert result.ret == alone.ret == 0, said(result)
    assert project.record()["run"]["noise"] == noise


def test_of_a_sample_what_was_asked_counts(project):
    unsteady(project, range(60), "[{over: all, max_drop: 0.9, max_loss: 1}]")
    project.run("--noise-floor", "1", "--sample", "30")
    (noise,) = project.record()["run"]["noise"].values()
    assert (noise["probes"], noise["flipped"]) == (30, 30)


@pytest.mark.parametrize("value", ["-1", "two", "1.5"])
def test_a_value_that_is_none(project, value):
    project.capability(WIDE, (60, 0, 0, 0))
    result = project.run(f"--noise-floor={value}")
    assert result.ret == 4
    assert f"--noise-floor: must be a whole number, saw '{value}'" in said(result)


# From Python


def forgetful(times):
    """A model that answers wrongly so many times, from its 61st answer on."""
    asked = []

    def answer(prompt):
        asked.append(prompt)
        return WRONG if 60 < len(asked) <= 60 + times else RIGHT

    return answer


def test_run_gate(project):
    project.capability(WIDE, (60, 0, 0, 0))
    record = run_gate(lambda prompt: RIGHT, project.path / "general.yaml", forgetful(3), noise_floor=1)
    assert (record.run.exit_status, record.run.noise["general"].flipped) == (0, 3)
    assert run_gate(lambda prompt: RIGHT, project.path / "general.yaml", forgetful(3)).run.noise == {}


def test_run_gate_refuses_a_margin_within_noise(project):
    project.capability("[{over: all, max_drop: 0.1}]", (60, 0, 0, 0))
    with pytest.raises(HarnessError, match="a margin of 10 points is within the noise of the baseline"):
        run_gate(lambda prompt: RIGHT, project.path / "general.yaml", forgetful(12), noise_floor=1)
    with pytest.raises(HarnessError, match="noise_floor must be 0 or more, saw -1"):
        run_gate(lambda prompt: RIGHT, project.path / "general.yaml", forgetful(12), noise_floor=-1)


def test_a_record_scored_again_keeps_it(project):
    unsteady(project, [3, 5])
    project.run("--noise-floor", "1")
    record = read_record(project.path / "reports/latest/record.json")
    assert rescored(record).run.noise == record.run.noise
    assert record.run.noise["general"].flipped == 2
