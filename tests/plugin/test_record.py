"""--report and record.json: its shape, when it is written, and the summary that is made from it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from harness.plugin.gathered import BY_SUITE, MODELS, Gathered
from harness.reporting.record import read_record
from harness.reporting.rows import Record
from tests.support.project import SMALL, said

ALL = "[{over: all, max_drop: 0.10}]"
GATE_KEYS = {
    "suite", "slice", "n", "kept", "lost", "gained", "missed", "baseline_accuracy", "tuned_accuracy", "drop",
    "interval", "confidence", "mid_p", "max_drop", "verdict", "outcome",
}  # fmt: skip
"""As design.md names them; more may stand beside them."""


def table(result):
    lines = result.outlines
    start = next(i for i, line in enumerate(lines) if line.endswith("  verdict"))
    end = next(i for i, line in enumerate(lines) if i > start and (line.startswith("record: ") or not line))
    return lines[start:end]


def test_the_record_of_a_run(project):
    project.capability(ALL, (9, 11, 1, 9), severity="critical")
    result = project.run()
    record = project.record()
    assert list(record) == ["version", "run", "gates", "probes"]
    assert record["version"] == 1
    [gate] = record["gates"]
    assert set(gate) >= GATE_KEYS
    assert {key: value for key, value in gate.items() if key not in ("interval", "loss", "mid_p")} == {
        "suite": "general", "slice": "all", "over": "all", "severity": "critical", "place": "general.yaml:4", "needs": None,
        "n": 30, "kept": 9, "lost": 11, "gained": 1, "missed": 9, "baseline_accuracy": 20 / 30,
        "tuned_accuracy": 10 / 30, "drop": 10 / 30, "confidence": 0.9, "max_drop": 0.1,
        "verdict": "FORGOTTEN", "outcome": "failed", "more_probes_to_settle": None,
        "accepted": None, "without_accepted": None,
        "undecided": None, "baseline_cut": 0, "tuned_cut": 0, "on_inconclusive": "confirmed", "require": None,
        "probes": None, "flips": None, "flips_interval": None, "max_flips": None, "max_loss": 0.15, "holm_mid_p": gate["mid_p"], "tests": 1, "clusters": None,
        "design_effect": 1.0, "max_rise": None, "rise": None, "rise_interval": None, "rise_p": None,
    }  # fmt: skip
    assert gate["loss"] == pytest.approx([0.27678, 0.68034], abs=1e-5)
    assert gate["interval"] == pytest.approx([0.16485, 0.49400], abs=1e-5)
    assert gate["mid_p"] == pytest.approx(0.001709, abs=1e-6)
    assert "record: reports/latest/record.json" in result.outlines


def test_the_record_has_both_answers_of_each_probe(project):
    project.capability(ALL, {"math": (1, 1, 1, 1)})
    project.run()
    rows = {row["id"]: row for row in project.record()["probes"]}
    assert list(rows) == ["math-kept-0", "math-lost-0", "math-gained-0", "math-missed-0"]
    lost = rows["math-lost-0"]
    assert len(lost.pop("asked")) == 64
    assert lost == {
        "suite": "general", "id": "math-lost-0", "category": "math", "cluster": None, "severity": "high",
        "fields": {"question": "general math-lost-0?"}, "expected": ["yes"], "score": "mentions",
        "scoring": {}, "choices": [],
        "baseline": {"answer": "Yes, indeed.", "right": True, "kind": "generate", "tokens": 2, "ended": None},
        "tuned": {"answer": "No idea.", "right": False, "kind": "generate", "tokens": 2, "ended": None},
        "change": "lost", "accepted": False, "again": [],
    }  # fmt: skip
    assert [row["change"] for row in rows.values()] == ["kept", "lost", "gained", "missed"]


def test_where_the_numbers_come_from(project):
    project.capability(ALL, (60, 0, 0, 0))
    project.run("--strict", "--fail-on", "medium")
    run = project.record()["run"]
    assert run["strict"] is True
    assert run["fail_on"] == "medium"
    assert (run["status"], run["exit_status"]) == ("passed", 0)
    assert run["errors"] == []
    assert run["command"][-3:] == ["--strict", "--fail-on", "medium"]
    assert {"python", "pytest"} <= set(run["versions"])
    assert run["seconds"] >= 0
    assert set(run["seconds_asking"]) == {"general"}
    assert run["harness"]
    assert run["started"].endswith("+00:00")


def test_the_record_can_be_read_back_whole(project):
    project.capability("[{over: all, max_drop: 0.1}, {over: each}]", (3, 1, 0, 1))
    project.run()
    path = project.path / "reports/latest/record.json"
    record = read_record(path)
    assert isinstance(record, Record)
    assert json.loads(record.model_dump_json()) == project.record()


def test_probes_that_two_gates_share_stand_once_with_both_answers(project):
    """The first gate asks the tuned model alone; the second brings the baseline."""
    project.capability("[{over: each, require: pass}, {over: all, max_drop: 0.5}]", (2, 0, 0, 0))
    project.run()
    rows = project.record()["probes"]
    assert [row["id"] for row in rows] == ["kept-0", "kept-1"]
    assert all(row["baseline"] and row["change"] == "kept" for row in rows)


def test_a_probe_whose_baseline_was_not_asked_says_so(project):
    project.capability("[{over: each, require: pass}]", (1, 0, 0, 0))
    project.run()
    [row] = project.record()["probes"]
    assert (row["baseline"], row["change"]) == (None, None)


def test_skipped_probes_are_in_the_record(project):
    project.capability("[{over: each}]", (1, 0, 0, 1))
    project.run()
    assert project.outcomes()["general probe[missed-0]"] == ("VACUOUS", "skipped")


# When and where it is written


def test_report_names_the_folder(project):
    project.capability(ALL, (60, 0, 0, 0))
    project.run("--report", "out/deep/er")
    assert project.record("out/deep/er")["gates"]
    assert not project.has_record()


def test_report_may_be_an_absolute_path(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    project.capability(ALL, (60, 0, 0, 0))
    result = project.run("--report", str(folder))
    assert (folder / "record.json").exists()
    assert f"record: {folder / 'record.json'}" in said(result)


def test_no_other_file_is_left(project):
    project.capability(ALL, (60, 0, 0, 0))
    project.run()
    assert sorted(path.name for path in (project.path / "reports/latest").iterdir()) == [
        ".record.json.lock", "record.json"
    ]  # fmt: skip


def test_an_older_record_is_replaced_and_kept(project):
    project.capability(ALL, (60, 0, 0, 0))
    project.run()
    project.capability(ALL, (0, 60, 0, 0))
    project.run()
    assert project.outcomes() == {"general all": ("FORGOTTEN", "failed")}
    [older] = (project.path / "reports/latest/earlier").iterdir()
    assert read_record(older).gates[0].verdict == "RETAINED"


@pytest.mark.parametrize("broken", ["suite", "model", "engine", "nothing-selected"])
def test_a_run_that_breaks_leaves_its_own_record_and_no_older_one(project, broken):
    project.capability(ALL, (60, 0, 0, 0))
    folders = project.folders()
    assert project.run(*folders).ret == 0
    assert project.record()["gates"]
    extra = ()
    match broken:
        case "suite":
            project.write("general.yaml", SMALL.replace("over", "ovr"))
        case "model":
            (project.path / "tuned/config.json").unlink()
        case "engine":
            project.models({}, {"general kept-7?": None})
        case "nothing-selected":
            extra = ("-k", "nothing-like-this")
    result = project.run(*folders, *extra)
    assert result.ret not in (0, 1)
    record = project.record()
    assert record["gates"] == []
    assert record["run"]["exit_status"] == result.ret


def test_engines_of_one_s_own_that_break_replace_an_older_record_too(project):
    project.capability(ALL, (60, 0, 0, 0))
    project.run()
    project.models({}, {"general kept-7?": None})
    assert project.run().ret == 4
    record = project.record()
    assert record["gates"] == []
    assert record["run"]["exit_status"] == 4
    assert record["run"]["errors"] == [
        "general.yaml:1:1: the suite 'general' cannot be asked: the probe 'kept-7'\n  tuned: must return text, returned NoneType"
    ]


def test_errors_are_listed(project):
    project.capability(ALL, (60, 0, 0, 0))
    project.write("bad.yaml", SMALL.replace("over", "ovr"))
    project.write("test_mine.py", "def test_mine(): assert False\n")
    result = project.run("--continue-on-collection-errors")
    assert result.ret == 2
    record = project.record()
    assert record["run"]["errors"] == [
        "bad.yaml: could not be collected",
        "test_mine.py::test_mine: failed in call",
    ]
    assert record["run"]["exit_status"] == 2


def test_an_interrupted_run_says_so(project):
    project.capability("[{over: each}]", (3, 0, 0, 0))
    project.write("test_stop.py", "def test_stop(): raise KeyboardInterrupt\n")
    result = project.pytester.runpytest_inprocess(
        "-p", "harness.plugin", "general.yaml", "test_stop.py", no_reraise_ctrlc=True
    )
    assert result.ret == 2
    record = project.record()
    assert record["run"]["exit_status"] == 2
    assert len(record["gates"]) == 3


def test_no_record_without_suites(project):
    project.write("test_mine.py", "def test_mine(): pass\n")
    assert project.run().ret == 0
    assert not (project.path / "reports").exists()


def test_a_model_and_no_suite_is_said_out_loud(project):
    project.write("test_mine.py", "def test_mine(): pass\n")
    result = project.run(*project.folders())
    assert result.ret == 5
    assert "no gate was decided, so this run says nothing about the model" in said(result)


# The summary


def test_the_worst_stands_first(project):
    project.capability(
        "[{over: all, max_drop: 0.10}, {over: category, max_drop: 0.10}]",
        {"fine": (60, 0, 0, 0), "gone": (0, 60, 0, 0), "worse": (20, 40, 0, 0), "small": (9, 0, 0, 0)},
    )
    rows = table(project.run())
    assert [line.removeprefix("general · ").split("  ")[0] for line in rows[1:]] == [
        "failed", "gone", "worse", "general", "decided nothing", "small", "passed", "fine",
    ]  # fmt: skip


def test_the_lines_of_the_summary(project):
    project.capability(
        "[{over: all, max_drop: 0.15}, {over: category, max_drop: 0.10}]",
        {"history": (30, 0, 0, 0), "math": (9, 11, 1, 9)},
        name="general-qa",
    )
    assert table(project.run()) == [
        "                      drop     0 margin ×4 ×16  lost  gained  verdict",
        "failed",
        "general-qa · math     33.3     ·    │├─●─┤        11       1  FORGOTTEN",
        "general-qa            16.7     ·  ├─┼●┤           11       1  INCONCLUSIVE",
        "passed",
        "general-qa · history   0.0  ◂──●───┤│              0       0  RETAINED",
    ]


def test_single_probes_share_a_line(project):
    project.capability("[{over: each}]", (5, 2, 1, 2))
    [row] = table(project.run())[2:]
    assert " ".join(row.split()) == "general · each 10.0 - 2 1 FORGOTTEN"


def test_probes_that_must_pass_share_a_line(project):
    project.capability("[{over: each, require: pass}]", (3, 1, 0, 0))
    [row] = table(project.run())[2:]
    assert " ".join(row.split()) == "general · each - - - - WRONG"


def test_quiet_runs_show_the_summary_without_progress(project):
    project.capability(ALL, (60, 0, 0, 0))
    text = said(project.run("-q"))
    assert "RETAINED" in text
    assert "answers in" not in text


def test_progress_is_shown(project):
    project.capability(ALL, (60, 0, 0, 0))
    text = said(project.run())
    assert "general, baseline: 60 answers in " in text
    assert "general, tuned: 60 answers in " in text


def test_no_terminal_no_summary(project):
    project.capability(ALL, (0, 60, 0, 0))
    assert project.run("-p", "no:terminal").ret == 1
    assert project.record()["gates"]


def test_what_one_worker_knows_of_the_engines_another_does_not_forget():
    gathered = Gathered(None)

    def rows(**run):
        gate = {"suite": "s", "slice": "all", "outcome": "passed"}
        data = {
            "gate": gate,
            "probes": [],
            "places": [],
            "run": {"notes": [], **{name: {} for name in BY_SUITE}, **run},
        }
        gathered._add_rows("s.yaml::all", data)

    both = {"baseline": "transformers", "tuned": "vllm"}
    rows(engines=both, engine_flips=0.02)
    rows(engines={}, engine_flips=None)
    assert (gathered.run["engines"], gathered.run["engine_flips"]) == (both, 0.02)


@pytest.mark.parametrize(
    ("source", "weights", "known"),
    [("reference", "aa", 0), ("reference", "bb", 1), ("reference", None, 1), ("fixture", "bb", 0)],
)
def test_workers_must_have_found_the_same_models(source, weights, known):
    gathered = Gathered(None)
    for digest in ("aa", weights, weights):
        row = {"name": "tuned", "source": source, "weights": digest, "base_weights": None}
        node = SimpleNamespace(workeroutput={MODELS: {"untried": [], "tuned": row}})
        gathered.pytest_testnodedown(node, None)
    assert len(gathered.input_errors) == len(gathered.run["notes"]) == known
