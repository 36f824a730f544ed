"""What to run after a red run: commands with the run's own arguments, quoted for a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from harness.reporting.next_steps import next_steps
from harness.reporting.rows import AnswerRow, GateRow, ModelRow, ProbeRow, Record, RunRow, SuiteRow


def record(
    command=("suites",),
    verdict="FORGOTTEN",
    outcome="failed",
    tuned="./tuned",
    source="reference",
    path="s.yaml",
):
    run = RunRow(
        harness="1", started="", status="forgotten", exit_status=1, seconds=1, command=list(command), errors=[],
        versions={}, strict=False, fail_on="low",
        tuned=ModelRow(reference=tuned, name=tuned, source=source),
        suites={"s": SuiteRow(path=path, sha256=None, probes=1, content="")},
    )  # fmt: skip
    gate = GateRow(
        suite="s", slice="all", over="all", severity="high", place=f"{path}:4", n=1, tuned_accuracy=0,
        verdict=verdict, outcome=outcome,
    )  # fmt: skip
    probe = ProbeRow(
        suite="s", id="p 1", category=None, severity="high", fields={}, expected=["x"], score="mentions",
        baseline=AnswerRow(answer="x", right=True), tuned=AnswerRow(answer="y", right=False), change="lost",
    )  # fmt: skip
    return Record(run=run, gates=[gate], probes=[probe])


def commands(*arguments, **keywords):
    lines = list(next_steps(record(**keywords), Path("reports/latest"), *arguments))
    return [line.strip() for line in lines if line.startswith("    ")]


def test_the_whole():
    assert list(next_steps(record(tuned="fixtures/lora.yaml"), Path("reports/latest"))) == [
        "what now",
        "  ask again only what was lost, without a gate:",
        "    pytest suites --only-lost=reports/latest",
        "  see how it is asked and answered:",
        "    python -m harness preview 's.yaml::probe[p 1]' --model=fixtures/lora.yaml",
        "  correct a right answer, or accept a loss by changing its gate at s.yaml:4; then decide again:",
        "    python -m harness rescore reports/latest --suite s.yaml",
        "  find milder ways to train it:",
        "    python -m harness advise fixtures/lora.yaml",
    ]


@pytest.mark.parametrize(
    "keywords", [{"outcome": "passed"}, {"outcome": "warned"}, {"outcome": "skipped"}, {"verdict": "VACUOUS"}]
)
def test_nothing_unless_a_gate_failed_for_a_loss(keywords):
    assert commands(**keywords) == []


@pytest.mark.parametrize(
    ("command", "again"),
    [
        (["s y.yaml", "--model=a'b"], ["s y.yaml", "--model=a'b", "--only-lost=reports/latest"]),
        (["--junit-xml", "gate.xml", "s"], ["s", "--only-lost=reports/latest"]),
        (["--junitxml=gate.xml", "s", "--lf"], ["s", "--only-lost=reports/latest"]),
        (["--", "-s.yaml"], ["--only-lost=reports/latest", "--", "-s.yaml"]),
        (["$(rm x)", "`a`", "*"], ["$(rm x)", "`a`", "*", "--only-lost=reports/latest"]),
    ],
)
def test_the_run_s_own_arguments(command, again):
    assert shlex.split(commands(command=command)[0]) == ["pytest", *again]


def test_a_fixture_s_engine_has_no_name_to_preview():
    assert commands(source="fixture")[1] == "python -m harness preview 's.yaml::probe[p 1]'"


def test_options_and_conftests_are_kept_where_a_command_takes_them():
    found = commands((Path("conftest.py"),), ("--device=cpu", "--allow-code"))
    assert found[1].endswith("--model=./tuned --device=cpu --allow-code --conftest=conftest.py")
    assert found[2].endswith("rescore reports/latest --suite s.yaml --conftest=conftest.py --allow-code")


def test_hostile_names_stay_on_their_line():
    found = commands(tuned="\x1b[31m\n::error::.yaml", path="\u202e;rm.yaml")
    assert len(found) == 4
    assert all(line.isprintable() for line in found)


def test_a_suite_without_a_file_has_no_command():
    assert commands(path=None) == ["pytest suites --only-lost=reports/latest"]


def test_it_says_how_to_find_out_why_where_the_run_did_not():
    lost = record()
    both = {"baseline": ModelRow(reference="./base", name="base")}
    named = lost.model_copy(update={"run": lost.run.model_copy(update=both)})
    lines = list(next_steps(named, Path("reports/latest"), [Path("conftest.py")], ["--device=cpu"]))
    assert lines[3:5] == [
        "  find out why it was lost:",
        "    python -m harness diagnose reports/latest --conftest=conftest.py --device=cpu",
    ]
