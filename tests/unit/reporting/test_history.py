"""The history: every record whole, found by its number; trends, and changes that are more than noise."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.reporting.formats import FORMATS, render
from harness.reporting.history.changes_text import changes_lines
from harness.reporting.history.compare import LEVEL, changes_between
from harness.reporting.history.file import History, history_path, keep_run
from harness.reporting.history.found import FoundRun
from harness.reporting.history.trend import trend_lines
from harness.reporting.record import read_record, write_record
from harness.store.sqlite_file import StoreError
from tests.support.records import GATE, OVERALL, RETAINED, hostile, measured, probe, record

VERSION_1 = Path(__file__).parent / "record_of_version_1.json"
"""As the first version that wrote records wrote it."""

KEY = "0f" * 32


def run_of(wrong: int, of: int = 60, **more):
    """A run whose tuned model got the first probes wrong."""
    probes = [probe(f"p{n}", "lost" if n < wrong else "kept", asked=KEY, **more) for n in range(of)]
    numbers = {"lost": wrong, "kept": of - wrong, "drop": wrong / of, "tuned_accuracy": 1 - wrong / of}
    gate = {**GATE, **numbers, "baseline_accuracy": 1.0, "n": of}
    return record([gate if wrong > 9 else {**gate, **RETAINED, **numbers}], probes)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A folder whose history has three runs."""
    monkeypatch.chdir(tmp_path)
    for number, wrong in enumerate((3, 4, 30)):
        assert keep_run(Path("reports/history.db"), str(number), run_of(wrong)) == number + 1
    return tmp_path


def said(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


# Records


@pytest.mark.parametrize("form", FORMATS)
def test_a_record_of_version_1_renders_in_every_form(form, capsys):
    assert json.loads(VERSION_1.read_text())["version"] == 1
    code, out, _ = said(capsys, "show", VERSION_1, "--format", form)
    assert code == 0
    assert "capitals" in out


def test_a_record_of_version_1_can_be_kept_and_compared(kept, capsys):
    keep_run(Path("reports/history.db"), "old", read_record(VERSION_1))
    assert said(capsys, "show", "latest")[1] == said(capsys, "show", VERSION_1)[1]
    assert said(capsys, "compare", VERSION_1, "4")[0] == 0


@pytest.mark.parametrize("form", FORMATS)
def test_a_run_is_shown_as_its_record_is(kept, capsys, form):
    write_record(run_of(30), kept)
    shown = {
        name: said(capsys, "show", name, "--format", form)[1] for name in ("3", "latest", ".", "record.json")
    }
    assert len(set(shown.values())) == 1
    assert shown["3"].strip() == render(run_of(30), form).strip()


def test_a_run_is_written_to_a_file(kept, capsys):
    assert said(capsys, "show", "1", "--format", "html", "--out", "page.html") == (
        0,
        "written: page.html\n",
        "",
    )
    assert (kept / "page.html").read_text().startswith("<!doctype html>")


def test_a_file_that_is_there_is_overwritten_only_by_force(kept, capsys):
    (kept / "suite.yaml").write_text("mine")
    for form in FORMATS:
        code, _, error = said(capsys, "show", "1", "--format", form, "--out", "suite.yaml")
        assert (code, error) == (
            4,
            "suite.yaml exists\n  name another file with --out, or overwrite it with --force\n",
        )
    assert (kept / "suite.yaml").read_text() == "mine"
    assert said(capsys, "show", "1", "--out", "suite.yaml", "--force")[0] == 0


def test_a_history_in_a_folder_that_takes_no_file_is_read(kept, capsys, monkeypatch):
    folder = kept / "reports"
    before = folder.stat().st_mtime_ns
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder.resolve())
    for arguments in (["history"], ["show", "latest"], ["compare", "1", "2"]):
        assert said(capsys, *arguments)[0] == 0
    assert folder.stat().st_mtime_ns == before
    code, _, error = said(capsys, "history", "--prune", "1")
    assert (code, error) == (4, "reports/history.db: it may not be written\n")


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda text: text[:-9], "not the record of a run, version 1, or cut off or damaged: Invalid JSON: "),
        (lambda text: text.replace("facts", "\udcff"), "not the record of a run, version 1, or cut off or damaged: "),
        (lambda text: text.replace('"n"', '"fresh": 1, "n"', 1), "the record of a run was written by a newer version than "),
        (lambda text: text.replace('"version": 1', '"version": 2'), "the record of a run was written by a newer version than "),
        (lambda text: text.replace('"n"', '"m"'), "not the record of a run, version 1: gates.0.n: Field required"),
    ],
    ids=["cut off", "not UTF-8", "one more key", "version 2", "a key is missing"],
)  # fmt: skip
def test_a_record_that_cannot_be_read(kept, capsys, damage, error):
    path = write_record(run_of(3), kept)
    path.write_bytes(damage(path.read_text("utf-8")).encode("utf-8", "surrogateescape"))
    code, _, told = said(capsys, "show", "record.json")
    assert (code, told.startswith(f"record.json: {error}")) == (4, True), told
    assert "pydantic" not in told


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ("9", "reports/history.db: has no run 9\n  it has 1 to 3\n"),
        ("0", "reports/history.db: has no run 0\n  it has 1 to 3\n"),
        ("9" * 40, f"reports/history.db: has no run {'9' * 18}\n  it has 1 to 3\n"),
        ("nine", "nine: is no run\n  name its number in the history, 'latest', or its record.json\n"),
    ],
)
def test_what_is_no_run(kept, capsys, named, error):
    assert said(capsys, "show", named) == (4, "", error)


def test_no_history(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    error = "reports/history.db: there is no history\n  run the gate, which keeps one, or name another: --history=FILE\n"
    for arguments in (["history"], ["show", "latest"], ["compare", "1", "2"]):
        assert said(capsys, *arguments) == (4, "", error)
    assert list(tmp_path.iterdir()) == []


# The file


def test_one_run_is_kept_once(tmp_path):
    path = tmp_path / "history.db"
    assert [keep_run(path, key, run_of(1)) for key in ("a", "b", "a")] == [1, 2, 1]


def test_numbers_are_given_once(kept):
    history = History(kept / "reports/history.db")
    assert history.prune(1e12) == 3
    assert history.keep("new", run_of(1)) == 4
    assert history.numbers() == [4]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE runs SET record = x'00' WHERE number = 2", "run 2 is damaged"),
        ("UPDATE runs SET summary = '{}' WHERE number = 2", "run 2 is damaged"),
        ("PRAGMA user_version = 9", "was written by a newer version"),
        ("PRAGMA application_id = 9", "is a database of something else, not a history of runs"),
    ],
)
def test_a_history_that_cannot_be_read_is_said(kept, capsys, statement, error):
    with sqlite3.connect(kept / "reports/history.db") as connection:
        connection.execute(statement)
    connection.close()
    results = [said(capsys, *arguments) for arguments in (["history"], ["show", "2"])]
    assert any(code == 4 and error in err for code, _, err in results)
    assert not any("Traceback" in err for _, _, err in results)


def test_a_text_is_no_history(tmp_path):
    (tmp_path / "h.db").write_text("no database, but long enough to be read as one " * 40)
    with pytest.raises(StoreError, match="is damaged, or not a history of runs"):
        History(tmp_path / "h.db")


@pytest.mark.parametrize(
    ("report", "given", "path"),
    [
        ("reports/latest", None, "reports/history.db"),
        ("reports/pull-7", None, "reports/history.db"),
        ("out", None, "out/history.db"),
        ("../elsewhere", None, "../elsewhere/history.db"),
        ("reports/latest", "mine.db", "mine.db"),
        ("reports/latest", "off", None),
    ],
)
def test_where_it_is(tmp_path, monkeypatch, report, given, path):
    monkeypatch.chdir(tmp_path)
    assert history_path(Path(report), given) == (None if path is None else Path(path))


# Trends


def test_a_trend(kept, capsys):
    assert said(capsys, "history")[1].splitlines() == [
        "run  began (UTC)       tuned    status      n  baseline  tuned  drop",
        "  1  2026-05-04 09:30  ./tuned  forgotten  60     100.0   95.0   5.0  █",
        "  2  2026-05-04 09:30  ./tuned  forgotten  60     100.0   93.3   6.7  ██",
        "  3  2026-05-04 09:30  ./tuned  forgotten  60     100.0   50.0  50.0  ████████████",
        "",
        "suite  drop  last  accuracy  last",
        "facts  ▂▂█     50  ██▅         50",
        "of 3 runs from the first to the last; drops from 0 to the largest, accuracies from 0 to 100 %",
    ]


def test_a_terminal_without_blocks(kept):
    history = History(kept / "reports/history.db")
    assert "\n".join(trend_lines(history.runs(), unicode=False)).isascii()


def test_a_trend_as_json(kept, capsys):
    rows = json.loads(said(capsys, "history", "--format", "json", "--last", "2")[1])
    assert [(row["number"], row["gates"][0]["drop"]) for row in rows] == [(2, 4 / 60), (3, 0.5)]


def test_a_suite_that_is_gated_probe_by_probe_has_its_numbers(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    probes = [probe(f"p{n}", "lost" if n < 3 else "kept", asked=KEY) for n in range(12)]
    gates = [{**GATE, "over": "each", "slice": f"probe[p{n}]", "n": 1} for n in range(12)]
    keep_run(Path("reports/history.db"), "each", record(gates, probes))
    assert said(capsys, "history", "--suite", "facts")[1].split("\n")[1].split()[5:9] == [
        "12",
        "100.0",
        "75.0",
        "25.0",
    ]
    assert "100.0   75.0" in said(capsys, "history")[1]


def test_a_trend_of_one_suite(kept, capsys):
    assert said(capsys, "history", "--suite", "facts")[0] == 0
    code, _, error = said(capsys, "history", "--suite", "fact")
    assert (code, error.splitlines()[1]) == (4, "  did you mean 'facts'?")


def test_hostile_names_are_escaped(kept, capsys):
    keep_run(Path("reports/history.db"), "x", hostile("\x1b[31m\u202e::error::"))
    for arguments in (["history"], ["compare", "1", "4"], ["show", "4"]):
        text = "".join(map(str, said(capsys, *arguments)))
        assert "\x1b" not in text
        assert "\u202e" not in text


# Changes


def test_what_changed_by_more_than_noise(kept, capsys):
    code, out, _ = said(capsys, "compare", "1", "3")
    assert code == 0
    assert "of 60 probes in both, 27 got worse and 0 better: more than noise (p = 7.5e-09)" in out
    assert "1 of 1 gate in both changed" in out
    assert "facts  RETAINED, failed" not in out
    assert "  facts  27 probes: p3, p4, p5, p6, p7 and 22 more" in out
    assert "both asked the same tuned model" in out


def test_noise_is_called_that(kept, capsys):
    out = said(capsys, "compare", "1", "2")[1]
    assert "of 60 probes in both, 1 got worse and 0 better: no more than noise (p = 0.5)" in out
    assert "none of 1 gate in both was decided otherwise, or changed by more than noise" in out


def test_runs_without_a_gate_in_common():
    runs = [run_of(wrong) for wrong in (3, 4)]
    changes = replace(changes_between(*runs), gates=[])
    lines = list(changes_lines(*(FoundRun(str(n), run) for n, run in enumerate(runs)), changes))
    assert "no gate is in both runs" in lines


@pytest.mark.parametrize(
    ("p", "judged"),
    [(LEVEL, "more"), (LEVEL + 1e-12, "more"), (LEVEL + 1e-6, "no more")],
)
def test_what_is_noise_is_told_alike_of_a_gate_and_of_all_together(p, judged):
    runs = [run_of(wrong) for wrong in (3, 4)]
    found = changes_between(*runs)
    changes = replace(found, p=p, gates=[replace(gate, p=p) for gate in found.gates])
    text = "\n".join(changes_lines(*(FoundRun(str(n), run) for n, run in enumerate(runs)), changes))
    assert f"1 got worse and 0 better: {judged} than noise" in text
    assert [gate.more_than_noise for gate in changes.gates] == [judged == "more"]
    assert text.count(f" {judged} than noise (p = 0.05)") == (2 if judged == "more" else 1)


def test_each_run_is_compared_with_the_one_before(kept, capsys):
    out = said(capsys, "compare", "1", "2", "latest")[1]
    assert out.count("probes in both") == 2
    assert said(capsys, "compare", "1")[0] == 4


def test_only_what_was_asked_and_judged_alike_is_compared():
    before = run_of(0, 10)
    rows = [row.model_dump(mode="json") for row in run_of(10, 12).probes]
    rows[0]["asked"] = "another"
    rows[1]["expected"] = ["another"]
    changes = changes_between(before, record(GATE and [GATE], rows))
    assert (changes.compared, dict(changes.otherwise), changes.alone) == (8, {"facts": 2}, (0, 2))
    assert sum(map(len, changes.worse.values())) == 8


def test_clusters_count_once():
    alone, together = (
        changes_between(run_of(0, 20, **more), run_of(8, 20, **more)) for more in ({}, {"cluster": None})
    )
    assert alone.p == together.p
    clustered = [
        record(
            [GATE],
            [
                probe(f"p{n}", "lost" if n < lost else "kept", asked=KEY, cluster=f"c{n // 4}")
                for n in range(20)
            ],
        )
        for lost in (0, 8)
    ]
    found = changes_between(*clustered)
    assert found.p
    assert alone.p
    assert found.p > alone.p


def test_gates_of_one_run_alone_are_named(kept, capsys):
    write_record(record([{**GATE, **OVERALL}], [probe("p0", asked=KEY)]), kept / "other")
    out = said(capsys, "compare", "1", "other")[1]
    assert "1 gate only in the first: facts all" in out
    assert "1 gate only in the second: overall all" in out


def test_texts_are_compared_by_their_bits():
    def texts(factor):
        rows = [measured(f"t{n}") for n in range(20)]
        for n, row in enumerate(rows):
            row["tuned"] = {**row["tuned"], "logprobs": [-(20.0 + n) * (factor + n % 3 / 100)]}
        gate = {
            **GATE,
            "suite": "texts",
            "max_drop": None,
            "max_rise": 0.03,
            "rise": 0.1,
            "rise_interval": (0.0, 0.2),
        }
        return record([gate], rows)

    assert changes_between(texts(1.0), texts(1.2)).gates[0].more_than_noise
    assert not changes_between(texts(1.0), texts(1.0)).gates[0].more_than_noise


def test_probes_of_another_category_count_in_neither_gate():
    before = run_of(0, 20)
    rows = [probe(f"p{n}", "lost", asked=KEY, category="history" if n < 5 else "maths") for n in range(20)]
    gate = {**GATE, "slice": "category[history]", "over": "category"}
    [change] = changes_between(record([gate], before.model_dump()["probes"]), record([gate], rows)).gates
    assert (change.worse, change.better) == (5, 0)


def test_what_else_differs_between_two_runs_is_said():
    engines = [dict.fromkeys(("baseline", "tuned"), name) for name in ("transformers", "vllm")]
    runs = [
        record(strict=strict, fail_on=least, engines=engine)
        for strict, least, engine in zip((False, True), ("low", "high"), engines, strict=True)
    ]
    lines = list(changes_lines(*(FoundRun("run", run) for run in runs), changes_between(*runs)))
    assert {"strict: False and True", "fail_on: low and high", "engine: transformers and vllm"} <= {*lines}


def test_a_pass_by_acceptances_is_called_that(kept, capsys):
    gate = {**GATE, "outcome": "passed", "accepted": 20, "without_accepted": "failed"}
    keep_run(Path("reports/history.db"), "x", record([gate], status="passed", exit_status=0))
    assert "against base, passed, by acceptances" in said(capsys, "compare", "3", "4")[1]
    assert "passed, by acceptances" in said(capsys, "history")[1]


def test_runs_of_different_suites_say_whose_numbers_they_show(kept, capsys):
    keep_run(Path("reports/history.db"), "x", record([{**GATE, "suite": "other"}], []))
    rows = said(capsys, "history")[1].splitlines()
    assert rows[0].split()[-1] == "over"
    assert [row.split()[-1] for row in rows[1:5]] == ["facts", "facts", "facts", "other"]
