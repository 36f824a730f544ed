"""`demo gate`, with runs that are already over: the table of two records, and whether the gate told them apart."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.cli.main import main
from harness.gate.cases import Case, cases, overall_case
from harness.gate.compare import Pair
from harness.gate.decide import decide
from harness.gate.finding import find
from harness.gate.overall import find_overall
from harness.gate.policy import Policy
from harness.reporting.record import gate_row, write_record
from harness.reporting.rows import Record, RunRow
from harness.suites.suite import EachGate, MarginGate, Suite
from tests.support.findings import pairs


def record(lost: int, exit_status: int) -> Record:
    """Of a suite of 60 probes in clusters, with a gate over all of them and over each, and one over all suites."""
    shown = pairs([f"c{number}" for number in range(20)], kept=60 - lost, lost=lost)
    gates = (EachGate(), MarginGate(over="all", max_drop=0.1))
    suite = Suite("general-qa", gates, tuple(pair.probe for pair in shown))
    findings = [find(case, _of(case, shown)) for case in cases(suite)]
    findings.insert(0, find_overall(overall_case(0.03), findings))
    decided = [gate_row(decision) for decision in decide(findings, Policy())]
    run = RunRow(
        harness="0.1.0", started="", seconds=1, command=[], exit_status=exit_status, errors=[], versions={}, strict=False,
        fail_on="low",
    )  # fmt: skip
    return Record(run=run, gates=decided, probes=[])


def _of(case: Case, shown: list[Pair]) -> list[Pair]:
    return [pair for pair in shown if pair.probe in case.probes]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """The records that the two runs leave, by the name of their fixture."""
    for name in ("suites", "fixtures"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    left: dict[str, Record] = {}

    def run(command, check):
        folder = Path(command[command.index("--report") + 1])
        status = left[folder.name].run.exit_status
        if status in (0, 1):
            write_record(left[folder.name], folder)
        return SimpleNamespace(returncode=status)

    monkeypatch.setattr("harness.cli.demo_gate.subprocess.run", run)
    return left


def test_the_table_is_of_the_suite_and_counts_what_was_decided(runs, capsys):
    runs |= {"careless": record(30, 1), "careful": record(1, 0)}
    assert main(["demo"]) == 0
    careless, careful, told = [line for line in capsys.readouterr().out.splitlines() if line][3:6]
    assert careless.split()[0] == "fixtures/careless.yaml"
    assert careless.split()[-4:] == ["FORGOTTEN", "31", "of", "61"], (
        "60 probes are too few for all suites together"
    )
    assert careful.split()[-4:] == ["RETAINED", "0", "of", "61"], "one lost probe is a warning"
    assert told == "The gate told them apart."


def test_a_careful_model_that_forgot_is_not_told_apart(runs, capsys):
    runs |= {"careless": record(30, 1), "careful": record(30, 1)}
    assert main(["demo"]) == 1
    assert "The gate did NOT tell them apart." in capsys.readouterr().out


def test_a_careful_model_whose_run_is_red_is_not_told_apart(runs, capsys):
    """Its headline is RETAINED, but a gate failed."""
    runs |= {"careless": record(30, 1), "careful": record(1, 1)}
    assert main(["demo"]) == 1
    assert (
        "The gate did NOT tell them apart.\n"
        "  expected careless FORGOTTEN, exit code 1; careful not, exit code 0\n"
        "  saw careless FORGOTTEN, exit code 1; careful RETAINED, exit code 1\n"
    ) in capsys.readouterr().out


def test_a_run_that_broke_ends_the_demo(runs, capsys):
    runs |= {"careless": record(0, 4)}
    assert main(["demo"]) == 4
    assert "the run broke: exit code 4" in capsys.readouterr().err
