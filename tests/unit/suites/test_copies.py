"""Suites that tools copied into folders of their own: nobody's, as long as another of the name is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SuiteError
from harness.evaluation.suites import read_suites
from harness.suites.copies import closed_folder, name_in
from tests.support.project import SMALL


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("suites/small.yaml", SMALL)
    return tmp_path


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "closed"),
    [
        ("a/s.yaml", None), ("a/build/s.yaml", "a/build"), ("a/x/.tox/build/s.yaml", "a/x/.tox"), ("a/x.egg/s.yaml", "a/x.egg"),
        ("a/builds/s.yaml", None), ("a/build", None),
    ],
)  # fmt: skip
def test_the_first_folder_that_pytest_does_not_enter(path, closed):
    assert closed_folder(Path("build") / path, Path("build/a")) == (closed and Path("build") / closed)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("suite: a-b.c\n", "a-b.c"), ("about: x\nsuite : 'ä'  # old\r\ngates: []\n", "ä"), ('"suite": "a"\n', "a"), ("suite: a", "a"),
        ("x:\n  suite: a\n", None), ("suite: >\n  a\n", None), ("suite: *a\n", None), ("suite: a b\n", None), ("suite: 'a\n", None),
        ("{suite: a}\n", None), ("", None),
    ],
)  # fmt: skip
def test_the_name_of_a_suite_without_parsing(tmp_path, text, name):
    path = tmp_path / "s.yaml"
    path.write_bytes(text.encode())
    assert name_in(path) == name


def test_what_cannot_be_read_has_no_name(tmp_path):
    assert name_in(tmp_path / "gone.yaml") is None


def test_a_copy_is_left_out_and_a_stale_one_is_noted(folder):
    write("build/lib/small.yaml", SMALL)
    [suite] = read_suites([Path()])
    assert (suite.path, suite.notes) == (Path("suites/small.yaml"), ())
    write("build/lib/small.yaml", SMALL.replace("Why?", "Who?"))
    [suite] = read_suites([Path()])
    note = "build/lib/small.yaml was not read: it has the same suite as suites/small.yaml, but differs"
    assert (suite.path, suite.notes) == (Path("suites/small.yaml"), (note,))


def test_a_suite_of_which_there_is_no_other_is_read(folder):
    write("build/other.yaml", SMALL.replace("small", "other"))
    assert {suite.name for suite in read_suites([Path()])} == {"small", "other"}


@pytest.mark.parametrize("paths", [["suites", "build"], [".", "build/small.yaml"]])
def test_a_copy_that_is_given_too_is_a_second_suite(folder, paths):
    write("build/small.yaml", SMALL)
    with pytest.raises(
        SuiteError, match="a second suite called 'small'\n  the first is at suites/small.yaml:1:1"
    ):
        read_suites([Path(path) for path in paths])
