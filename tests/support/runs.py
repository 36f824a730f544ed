"""Runs of the gate that pass or fail, and the records that they leave."""

from __future__ import annotations

import json

from tests.support.project import CONFTEST

ALL = "[{over: all, max_drop: 0.10}]"
TWO = ("-p", "xdist", "-n", "2")


def conftest(project, text, old="", new=""):
    project.write("conftest.py", CONFTEST.replace(old, new) + text)


def latest(project):
    """Status, exit status and number of gates of the record that is there."""
    record = project.record()
    return record["run"]["status"], record["run"]["exit_status"], len(record["gates"])


def earlier(project, folder="reports/latest"):
    paths = (project.path / folder / "earlier").glob("*.json")
    return [json.loads(path.read_text()) for path in sorted(paths)]


def files(project, folder="reports/latest"):
    return sorted(path.name for path in (project.path / folder).iterdir())


GREEN, REFUSED, UNFINISHED = ("passed", 0, 1), ("error", 4, 0), ("unfinished", None, 0)


NOTHING = "no gate was decided, so this run says nothing about the model"


def good(project, name="general"):
    project.capability(ALL, (60, 0, 0, 0), name=name)


def bad(project, name="general"):
    project.capability(ALL, (0, 60, 0, 0), name=name)
