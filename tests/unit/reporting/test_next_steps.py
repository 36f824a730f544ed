"""What to run after a red run: commands with the run's own arguments, quoted for a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from harness.plugin.option_list import OPTIONS
from harness.reporting.next_steps import OF_GATES, next_steps
from harness.reporting.rows import AnswerRow, GateRow, ModelRow, ProbeRow, Record, RunRow, SuiteRow
from harness.shipped import suite_files


def record(
    command=("suites",),
    verdict="FORGOTTEN",
    outcome="failed",
    tuned="./tuned",
    source="reference",
    path="s.yaml",
    suite="s",
):
    run = RunRow(
        harness="1", started="", status="forgotten", exit_status=1, seconds=1, command=list(command), errors=[],
        versions={}, strict=False, fail_on="low",
        tuned=ModelRow(reference=tuned, name=tuned, source=source),
        suites={suite: SuiteRow(path=path, sha256=None, probes=1, content="")},
    )  # fmt: skip
    gate = GateRow(
        suite=suite, slice="all", over="all", severity="high", place=f"{path}:4", n=1, tuned_accuracy=0,
        verdict=verdict, outcome=outcome,
    )  # fmt: skip
    probe = ProbeRow(
        suite=suite, id="p 1", category=None, severity="high", fields={}, expected=["x"], score="mentions",
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
        "  accept a loss that is known, each probe by its name:",
        "    python -m harness accept reports/latest 's::p 1' --because TEXT",
        "  correct an answer that is right, or change its gate at s.yaml:4; then decide again:",
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
        (
            [
                "s",
                "--gate-strict",
                "--sample",
                "9",
                "--gate-noise-floor=2",
                "--max-drop-overall=off",
                "--engine-flips",
                "0.1",
            ],
            ["s", "--only-lost=reports/latest"],
        ),
        (["--", "-s.yaml"], ["--only-lost=reports/latest", "--", "-s.yaml"]),
        (["$(rm x)", "`a`", "*"], ["$(rm x)", "`a`", "*", "--only-lost=reports/latest"]),
    ],
)
def test_the_run_s_own_arguments(command, again):
    assert shlex.split(commands(command=command)[0]) == ["pytest", *again]


@pytest.mark.parametrize("key", OF_GATES)
def test_an_option_that_a_look_refuses_is_left_out_under_each_of_its_names(key):
    [option] = [option for option in OPTIONS if option.key == key.removeprefix("gate_")]
    value = ["9"] if option.takes_a_value else []
    for name in option.names:
        assert shlex.split(commands(command=[name, *value, "s"])[0])[1:] == [
            "s",
            "--only-lost=reports/latest",
        ]


def test_a_fixture_s_engine_has_no_name_to_preview():
    assert commands(source="fixture")[1] == "python -m harness preview 's.yaml::probe[p 1]'"


def test_options_and_conftests_are_kept_where_a_command_takes_them():
    found = commands((Path("conftest.py"),), ("--device=cpu", "--allow-code"))
    assert found[1].endswith("--model=./tuned --device=cpu --allow-code --conftest=conftest.py")
    assert found[3].endswith("rescore reports/latest --suite s.yaml --conftest=conftest.py --allow-code")


def test_hostile_names_stay_on_their_line():
    found = commands(tuned="\x1b[31m\n::error::.yaml", path="\u202e;rm.yaml")
    assert len(found) == 5
    assert all(line.isprintable() for line in found)


def test_a_suite_without_a_file_has_no_command():
    assert commands(path=None) == ["pytest suites --only-lost=reports/latest"]


def test_nobody_is_sent_to_the_gate_of_a_suite_that_ships():
    path = suite_files()["general-qa"]
    lines = list(next_steps(record(path=str(path), suite="general-qa"), Path("reports/latest")))
    assert "  correct an answer that is right; then decide again:" in lines


def test_it_says_how_to_find_out_why_where_the_run_did_not():
    lost = record()
    both = {"baseline": ModelRow(reference="./base", name="base")}
    named = lost.model_copy(update={"run": lost.run.model_copy(update=both)})
    lines = list(next_steps(named, Path("reports/latest"), [Path("conftest.py")], ["--device=cpu"]))
    assert lines[3:5] == [
        "  find out why it was lost:",
        "    python -m harness diagnose reports/latest --conftest=conftest.py --device=cpu",
    ]
