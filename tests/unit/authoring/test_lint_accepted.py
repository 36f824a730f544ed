"""`lint` of an accepted.yaml beside suites: what cannot be read is a problem, what no longer counts a warning."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from jsonschema import Draft7Validator

from harness.authoring.schemas import SCHEMAS
from harness.cli.main import main
from harness.documents.document import read_document
from harness.evaluation import acceptances
from harness.suites.acceptance import Acceptance
from harness.suites.accepted import HEADING, entry
from tests.support.suites import suite_text

TODAY = date(2028, 2, 29)


@pytest.fixture(autouse=True)
def _one_day(monkeypatch):
    """Midnight is no matter."""
    monkeypatch.setattr(acceptances, "today", lambda: TODAY)


def loss(probe="s-0", until=None, suite="s") -> Acceptance:
    return Acceptance(suite, probe, "known", "Ana", TODAY, until, "base", "0f" * 32, None, "ab" * 32)


def linted(folder, text, capsys, *more):
    (folder / "s.yaml").write_text(suite_text("s", 40), encoding="utf-8")
    (folder / "accepted.yaml").write_text(text, encoding="utf-8")
    code = main(["lint", str(folder), "--no-battery", *more])
    return code, capsys.readouterr().err.replace(str(folder) + "/", "")


def file_of(*losses: Acceptance) -> str:
    return HEADING + "".join(map(entry, losses))


@pytest.mark.parametrize("text", [HEADING, file_of(loss()), file_of(loss(until=TODAY), loss("s-1"))])
def test_what_counts_is_no_finding(tmp_path, capsys, text):
    assert linted(tmp_path, text, capsys) == (0, "")


def test_an_entry_whose_suite_is_not_beside_it_is_a_warning(tmp_path, capsys):
    code, said = linted(tmp_path, file_of(loss(suite="another"), loss(suite="general-qa")), capsys)
    assert code == 0
    assert (
        "accepted.yaml:3:5: warning: no suite 'another' is beside this file, so nothing is accepted\n" in said
    )
    assert (
        "it is a suite that ships: move the entry to accepted.yaml in the folder where the gate runs" in said
    )
    (tmp_path / "another.yaml").write_text(suite_text("another", 40), encoding="utf-8")
    assert linted(tmp_path, file_of(loss("another-0", suite="another")), capsys) == (0, "")


@pytest.mark.parametrize("named", ["accepted.yaml", "./accepted.yaml"])
def test_named_it_is_checked_against_the_suites_of_its_folder(tmp_path, capsys, monkeypatch, named):
    """As a hook of pre-commit names it, alone."""
    (tmp_path / "s.yaml").write_text(suite_text("s", 40), encoding="utf-8")
    (tmp_path / "accepted.yaml").write_text(file_of(loss(), loss("gone"), loss("gone", suite="general-qa")))
    monkeypatch.chdir(tmp_path)
    assert main(["lint", named]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("the suite has no probe 'gone', so nothing is accepted") == 2
    assert captured.err.endswith("2 warnings\n")
    assert main(["lint", "gone/accepted.yaml"]) == 2
    assert "gone/accepted.yaml: cannot be read: No such file or directory" in capsys.readouterr().err


def test_what_the_gate_could_not_read_is_a_problem(tmp_path, capsys):
    code, said = linted(tmp_path, "accepted:\n  - {probe: s, because: x}\n", capsys)
    assert code == 2
    assert "accepted.yaml:2:13: 'probe' must be one probe as SUITE::PROBE" in said
    assert "an accepted loss needs 'asked'" in said


def test_what_no_longer_counts_is_a_warning(tmp_path, capsys):
    yesterday = TODAY - timedelta(days=1)
    text = file_of(loss("gone"), loss("s-1", until=yesterday))
    code, said = linted(tmp_path, text, capsys)
    assert code == 0
    assert "accepted.yaml:3:5: warning: the suite has no probe 'gone', so nothing is accepted" in said
    assert f"warning: the loss of 's::s-1' was accepted until {yesterday}" in said
    assert linted(tmp_path, text, capsys, "--strict")[0] == 1


def test_the_schema_knows_what_accept_writes(tmp_path):
    (tmp_path / "accepted.yaml").write_text(file_of(loss(), loss("s-1", until=TODAY)), encoding="utf-8")
    schema = Draft7Validator(SCHEMAS["accepted"]())
    written = read_document(tmp_path / "accepted.yaml").value
    assert [error.message for error in schema.iter_errors(json.loads(json.dumps(written)))] == []
    assert list(schema.iter_errors({"accepted": [{"probe": "s::*"}]}))
