"""Every run is kept in the history, once, by the controller alone; and a history that cannot be used fails no run."""

from __future__ import annotations

import sqlite3

import pytest

from harness.cli.main import main
from harness.reporting.history.file import History
from harness.reporting.record import read_record
from tests.support.project import SMALL, said


@pytest.fixture
def small(project):
    project.write("small.yaml", SMALL)
    project.models({"*": "Yes."}, {"*": "Yes."})
    return project


def kept(project, path="reports/history.db"):
    return History(project.path / path).numbers() if (project.path / path).exists() else []


@pytest.mark.parametrize("arguments", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_every_run_is_kept_once(small, arguments):
    first = small.run("small.yaml", *arguments)
    assert "history: run 1 of reports/history.db" in said(first)
    small.models({}, {"*": "No."})
    assert small.run("small.yaml", *arguments).ret == 1
    assert kept(small) == [1, 2]
    newest = read_record(small.path / "reports/latest/record.json")
    assert History(small.path / "reports/history.db").record(2) == newest


def test_elsewhere_or_not_at_all(small):
    small.run("small.yaml", "--history=mine.db")
    assert (kept(small, "mine.db"), kept(small)) == ([1], [])
    result = small.run("small.yaml", "--history=off", "--report=out")
    assert "history" not in said(result).replace("--history", "").replace("test_elsewhere", "")
    assert not (small.path / "out/history.db").exists()
    small.run("small.yaml", "--report=out")
    assert kept(small, "out/history.db") == [1]


def test_a_look_is_no_run(small):
    small.models({}, {"*": "No."})
    small.run("small.yaml")
    small.run("small.yaml", "--only-lost=reports/latest")
    assert kept(small) == [1]


def test_what_gates_nothing_makes_no_history(small):
    small.run("small.yaml", "--collect-only")
    small.write("test_own.py", "def test_own(): pass\n")
    small.run("test_own.py")
    assert not (small.path / "reports").exists()


def damaged(path):
    path.write_text("no database, but long enough to be read as one " * 40)
    return "it is damaged, or not a history of runs"


def newer(path):
    History(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    return "was written by a newer version"


def a_folder(path):
    path.mkdir()
    return "it cannot be opened or made"


@pytest.mark.parametrize("spoil", [damaged, newer, a_folder])
def test_what_cannot_be_used_is_said_and_the_run_goes_on(small, spoil):
    (small.path / "reports").mkdir()
    why = spoil(small.path / "reports/history.db")
    result = small.run("small.yaml")
    assert result.ret == 0
    assert f"history: this run is not in it: reports/history.db: {why}" in said(result)
    assert small.record()["run"]["status"] == "passed"


def test_a_locked_one_is_said_and_the_run_goes_on(small, monkeypatch):
    monkeypatch.setattr("harness.store.sqlite_file.PATIENCE", 0.05)
    assert small.run("small.yaml").ret == 0
    other = sqlite3.connect(small.path / "reports/history.db")
    other.execute("BEGIN EXCLUSIVE")
    result = small.run("small.yaml")
    other.close()
    assert result.ret == 0
    assert "another process has it locked" in said(result)
    assert kept(small) == [1]


def test_a_run_of_the_history_is_named_by_its_number_everywhere(project, monkeypatch, capsys):
    monkeypatch.chdir(project.path)
    project.capability("[{over: all, max_drop: 0.1}]", (20, 10, 0, 0))
    assert project.run("general.yaml").ret == 1
    project.capability("[{over: all, max_drop: 0.1}]", (30, 0, 0, 0))
    assert project.run("general.yaml").ret == 0
    assert main(["rescore", "1"]) == 1
    assert main(["rescore", "latest"]) == 0
    assert main(["accept", "1", "general::lost-3", "--because", "seen", "--by", "Ana"]) == 0
    assert "python -m harness rescore 1" in capsys.readouterr().out
    assert main(["diagnose", "latest"]) == 0
    assert "nothing was lost" in capsys.readouterr().out.lower()
    assert main(["diagnose", "3"]) == 4
    assert "has no run 3" in capsys.readouterr().err
    monkeypatch.chdir("reports")
    assert main(["rescore", "latest"]) == 0, "the folder, where there is no history"
