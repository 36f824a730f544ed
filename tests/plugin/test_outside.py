"""What a suite names lies in its folder or in pytest's rootdir, unless `--allow-outside` is given."""

from __future__ import annotations

import pytest

from tests.support.project import said

SUITE = "suite: s\nscore: mentions\ngates: [{over: all, max_drop: 0.1}]\nprobes_from: ../d.csv\n"


@pytest.fixture
def data(project):
    """A suite in `suites`, and its data beside that folder."""
    project.write("suites/s.yaml", SUITE)
    project.write("d.csv", "question,answer\nWho says so?,hunter2\n")
    return project


def test_the_rootdir_is_inside(data):
    data.write("pytest.ini", "[pytest]\n")
    assert data.run("suites", "--collect-only").ret == 0


def test_what_lies_beside_the_rootdir_is_not(data):
    data.write("suites/pytest.ini", "[pytest]\n")
    result = data.run("suites", "--collect-only")
    assert result.ret == 2
    text = said(result)
    assert "suites/s.yaml:4:1: '../d.csv' leads outside" in text
    assert "copy the file into that folder, or allow it: --allow-outside" in text
    assert "hunter2" not in text
    assert data.run("suites", "--collect-only", "--allow-outside").ret == 0


def test_a_recipe_that_is_the_model(data):
    data.write("suites/pytest.ini", "[pytest]\n")
    data.write(
        "suites/s.yaml",
        SUITE.replace("probes_from: ../d.csv", "probes: [{id: a, question: Who?, answer: I}]"),
    )
    data.write("suites/r.yaml", "recipe: r\nbase: embedded\ncorpus: {file: ../c.jsonl}\nmethod: {lora: {}}\n"
               "learning_rate: 1e-4\nsteps: 1\n")  # fmt: skip
    data.write("c.jsonl", '{"prompt": "p", "answer": "hunter2"}\n')
    result = data.run("suites/s.yaml", "--model", "suites/r.yaml")
    assert result.ret == 4
    assert "suites/r.yaml:3:10: '../c.jsonl' leads outside" in said(result)
    assert "hunter2" not in said(result)
