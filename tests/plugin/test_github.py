"""What a run tells GitHub Actions: annotations at the line of a failed gate, and the summary of its step."""

from __future__ import annotations

import pytest

from harness.gate.finding import CUT_UNLIKE
from harness.plugin.github import MOST, MOST_BYTES, append_summary, commands, set_outputs
from harness.reporting.rows import Record
from tests.support.project import said
from tests.support.runs import ALL, TWO

GATE = {
    "suite": "facts", "slice": "all", "over": "all", "severity": "high", "place": "suites/facts.yaml:3", "n": 10, "kept": 1,
    "lost": 9, "gained": 0, "missed": 0, "baseline_accuracy": 1.0, "tuned_accuracy": 0.1, "drop": 0.9,
    "interval": (0.7, 0.95), "max_drop": 0.1, "verdict": "FORGOTTEN", "outcome": "failed",
}  # fmt: skip
RUN = {
    "harness": "0", "started": "now", "seconds": 1.0, "command": [], "exit_status": 1, "status": "forgotten", "errors": [],
    "versions": {}, "strict": False, "fail_on": "low",
}  # fmt: skip
FACTS = "90 points lost (margin 10; 90 % interval 70 to 95)%0A10 probes: 1 kept, 9 lost, 0 gained, 0 missed"


def record(*gates, **run):
    return Record.model_validate(
        {"run": {**RUN, **run}, "gates": [{**GATE, **gate} for gate in gates], "probes": []}
    )


@pytest.fixture
def red(project, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.path.parent))
    project.capability(ALL, (5, 55, 0, 0))
    return project


@pytest.mark.parametrize(
    "options", [(), ("-q",), ("-s",), ("-p", "no:terminal"), ("--no-summary",)], ids=" ".join
)
def test_a_failed_gate_is_annotated_at_its_line(red, options):
    lines = red.run(*options).outlines
    [command] = [line for line in lines if line.startswith("::error")]
    place = f"file={red.path.name}/general.yaml,line=4,title=general%3A FORGOTTEN"
    assert command.startswith(f"::error {place}::91.7 points lost (margin ")
    assert command.endswith("%0A60 probes: 5 kept, 55 lost, 0 gained, 0 missed")


def test_in_parallel_it_is_annotated_once(red):
    pytest.importorskip("xdist")
    assert said(red.run(*TWO)).count("::error ") == 1


def test_elsewhere_nothing_is(red, monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "::error" not in said(red.run())


def test_what_it_says_is_escaped(tmp_path):
    [command] = commands(record({"suite": "a,b:c%\n::warning::x", "place": ""}), tmp_path)
    assert (
        command
        == f"::error title=a%2Cb%3Ac%25\\n%3A%3Awarning%3A%3Ax%3A FORGOTTEN::{FACTS.replace('90 %', '90 %25')}"
    )


def test_ten_at_most_and_the_worst_first(tmp_path):
    gates = [{"suite": f"s{n}", "drop": n / 100} for n in range(50)]
    shown = list(commands(record(*gates, {"over": "overall", "drop": 0.01, "place": ""}), tmp_path))
    assert len(shown) == MOST
    assert "title=all suites" in shown[0]
    assert "title=s49" in shown[1]
    assert (
        shown[-1]
        == "::error title=forgetting gate::42 more gates failed; the summary of the run has them all"
    )


def test_only_failed_gates_are(tmp_path):
    assert list(commands(record({"outcome": "warned"}, {"outcome": "passed"}), tmp_path)) == []


def test_a_pass_by_acceptances_alone_is_annotated(tmp_path):
    gate = {"outcome": "passed", "accepted": 9, "without_accepted": "failed"}
    [command] = commands(record(gate, status="passed"), tmp_path)
    assert command.startswith("::warning title=forgetting gate::Passed only because ")


# The summary of the step


def test_the_summary_is_appended(red, monkeypatch):
    file = red.write("summary.md", "before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    assert red.run().ret == 1
    assert red.run().ret == 1
    text = file.read_text()
    assert text.startswith("before\n<!-- forgetting-gate -->\n## ❌ Forgotten")
    assert text.count("<!-- forgetting-gate -->") == 2


def test_a_full_summary_gets_one_line_or_none(tmp_path):
    file = tmp_path / "summary.md"
    for left, grows in ((100, True), (10, False)):
        file.write_bytes(b"x" * (MOST_BYTES - left))
        said = list(append_summary(record({}), file))
        assert (file.stat().st_size > MOST_BYTES - left) is grows
        assert bool(said) is not grows
        assert file.stat().st_size <= MOST_BYTES


def test_a_summary_that_cannot_be_written_is_said_and_changes_no_verdict(red, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(red.path / "none/summary.md"))
    result = red.run()
    assert result.ret == 1
    assert "summary.md cannot be written: " in said(result)


# The file


def test_the_report_as_a_file(red):
    result = red.run("--report-markdown=out/gate.md")
    assert "Markdown: out/gate.md" in result.outlines
    assert (red.path / "out/gate.md").read_text().startswith("<!-- forgetting-gate -->\n## ❌ Forgotten")


def test_another_file_is_left_as_it_is(red):
    result = red.run("--report-markdown=general.yaml")
    assert result.ret == 4
    assert "general.yaml: a file that is no report in Markdown is there, and is left as it is" in said(result)


def test_a_look_has_none(red):
    red.run()
    result = red.run("--only-lost=reports/latest", "--report-markdown=x.md")
    assert result.ret == 4
    assert "--report-markdown: would do nothing beside --only-lost" in said(result)


@pytest.mark.parametrize("options", [(), TWO], ids=["alone", "in parallel"])
def test_the_step_has_the_verdict_and_the_record_of_this_run(red, monkeypatch, options):
    if options:
        pytest.importorskip("xdist")
    file = red.path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    red.run("--report=reports/of this", *options)
    assert file.read_text() == f"verdict=forgotten\nrecord={red.path.name}/reports/of this/record.json\n"


def test_outputs_that_cannot_be_written_are_told(red, monkeypatch):
    monkeypatch.setenv("GITHUB_OUTPUT", str(red.path / "none/output"))
    result = red.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["GITHUB_OUTPUT: *none/output cannot be written: *"])


def test_an_output_is_one_line(tmp_path):
    assert list(set_outputs({"record": "a\nverdict=passed"}, tmp_path / "output")) == []
    assert (tmp_path / "output").read_text() == "record=a\\nverdict=passed\n"


def test_a_gate_that_cut_answers_keep_from_a_verdict_is_annotated_with_that(tmp_path):
    why = f"max_new_tokens cut 0 answers of the baseline and 10 of the tuned model, of 10 {CUT_UNLIKE}"
    [command] = commands(record({"verdict": "INCONCLUSIVE", "undecided": why}), tmp_path)
    assert command.endswith(f"facts%3A INCONCLUSIVE::{why}")
