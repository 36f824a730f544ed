"""Files that no command expects: an error in words and the exit code of the documentation, and nothing is written."""

from __future__ import annotations

import json
import os

import pytest

from harness.cli.main import main
from harness.reporting.record import write_record
from harness.suites.acceptance import FILE
from tests.support.records import RUN, probe, record

LONG = "x" * 300


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "my ünï cödé 日本"
    folder.mkdir()
    monkeypatch.chdir(folder)
    write_record(record(), folder)
    return folder


@pytest.fixture
def run(here, capsys):
    """Run a command; gives its exit code and its errors."""

    def run(*arguments: str) -> tuple[int, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        assert not (code and out)
        return code, err

    return run


OF_RECORDS = {
    "show": ["show"],
    "compare": ["compare", "record.json"],
    "rescore": ["rescore"],
    "diagnose": ["diagnose"],
    "accept": ["accept", "--because", "x", "--by", "me"],
}


def reading(command: str, name: str) -> list[str]:
    arguments = [*OF_RECORDS[command], name]
    return [*arguments, "facts::a"] if command == "accept" else arguments


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
@pytest.mark.parametrize("command", OF_RECORDS)
def test_a_pipe_is_no_record(here, run, command):
    """It might never end."""
    os.mkfifo(here / "pipe")
    why = "the record of a run cannot be read: it is a pipe or a device, not a file"
    assert run(*reading(command, "pipe")) == (4, f"pipe: {why}\n  name another, or run again what wrote it\n")


@pytest.mark.parametrize("command", OF_RECORDS)
@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_a_record_with_a_number_that_is_none(here, run, command, number):
    value = json.loads((here / "record.json").read_text(encoding="utf-8"))
    value["gates"][0]["drop"] = float(number)
    (here / "odd.json").write_text(json.dumps(value), encoding="utf-8")
    why = "not the record of a run, version 1: gates.0.drop: Input should be a finite number"
    assert run(*reading(command, "odd.json")) == (4, f"odd.json: {why}\n")


@pytest.mark.parametrize("command", OF_RECORDS)
def test_a_record_that_is_larger_than_any(here, run, monkeypatch, command):
    monkeypatch.setattr("harness.reporting.record.MOST_RECORD_BYTES", 2**20)
    with (here / "large.json").open("wb") as file:
        file.truncate(2**20 + 1)
    code, err = run(*reading(command, "large.json"))
    assert code == 4
    assert err.startswith("large.json: the record of a run cannot be read: it is larger than 1 MB")


@pytest.mark.skipif(os.name != "posix", reason="the system's words of POSIX")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        *((reading(command, LONG), 4) for command in OF_RECORDS),
        (["history", "--history", LONG], 4),
        (["store", "import", LONG, "--store", "s.db"], 4),
        (["init", LONG], 4),
        (["new", "s", "--out", f"{LONG}.yaml"], 4),
        (["lint", f"{LONG}.yaml"], 2),
        (["plan", f"{LONG}.yaml"], 2),
        (["rescore", "record.json", "--suite", f"{LONG}.yaml"], 2),
        (["advise", f"{LONG}.yaml"], 2),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_path_that_is_too_long(here, run, arguments, code):
    seen, err = run(*arguments)
    assert seen == code
    assert "File name too long" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["store", "prune", "--store="], "--store"),
        (["store", "export", "x", "--model="], "--model"),
        (["history", "--history", ""], "--history"),
        (["rescore", "record.json", "--report="], "--report"),
        (["plan", ""], "FILE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_an_empty_value_is_not_the_default(capsys, arguments, name):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 4
    assert capsys.readouterr().err.endswith(f": argument {name}: must not be empty\n")


def test_an_empty_file_is_no_store(here, run):
    (here / "empty.db").touch()
    assert run("store", "import", "empty.db", "--store", "s.db") == (
        4, "empty.db: it is empty, and not a store of answers\n"
    )  # fmt: skip


def test_a_store_below_a_file(here, run):
    (here / "file").touch()
    code, err = run("store", "import", "x.db", "--store", "file/s.db")
    assert code == 4
    assert err.startswith("file/s.db: ")
    assert "Errno" not in err


@pytest.mark.parametrize("second", ["gone", "broken"])
def test_accept_writes_all_or_nothing(here, run, second):
    """The second suite is not there, or its file of accepted losses cannot be read."""
    suites = {name: {**RUN["suites"]["facts"], "path": f"{name}/s.yaml"} for name in ("one", "two")}
    probes = [probe("a", suite=name, asked="0f" * 32) for name in suites]
    write_record(record(probes=probes, suites=suites), here)
    for name in suites:
        (here / name).mkdir()
        (here / name / "s.yaml").write_text(f"suite: {name}\n")
    if second == "gone":
        (here / "two/s.yaml").unlink()
    else:
        (here / "two" / FILE).write_text("accepted: [\n")
    code, _ = run("accept", ".", "one::a", "two::a", "--because", "x", "--by", "me")
    assert code == (4 if second == "gone" else 2)
    assert not (here / "one" / FILE).exists()
