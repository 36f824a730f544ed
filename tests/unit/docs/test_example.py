"""The example runs that ship: rendered anew from their records, they are what is committed."""

from __future__ import annotations

import shutil

import pytest

from harness.reporting.record import read_record
from tools.example import EXAMPLE, RENDERED, main


def test_the_shipped_example_is_current():
    """If this fails: python -m tools.example --write."""
    assert main(["--check"]) == 0


def test_it_shows_a_careless_and_a_careful_run():
    found = {path.parent.name: read_record(path).run.status for path in EXAMPLE.glob("*/record.json")}
    assert found == {"careless": "forgotten", "careful": "passed"}


@pytest.mark.parametrize("name", RENDERED)
def test_a_stale_file_is_said_and_written(tmp_path, capsys, name):
    shutil.copytree(EXAMPLE / "careful", tmp_path / "careful")
    (tmp_path / "careful" / name).write_text("stale", encoding="utf-8")
    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err == f"careful/{name}: out of date; run: python -m tools.example --write\n"
    assert main(["--write"], tmp_path) == 0
    assert (tmp_path / "careful" / name).read_text() == (EXAMPLE / "careful" / name).read_text()
