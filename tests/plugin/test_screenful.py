"""The end of a run on a terminal: a screenful, with the verdict first, in colours where it has them."""

from __future__ import annotations

import pytest

from tests.support.project import said


@pytest.fixture
def large(project):
    """A red run with far more failed gates than fit on a screen."""
    counts = {f"c{n}": (5, 40, 0, 0) for n in range(40)}
    project.capability("[{over: category, max_drop: 0.1}]", counts)
    return project


def after(result, start="FAILURES"):
    lines = result.outlines
    return lines[next(n for n, line in enumerate(lines) if start in line) :]


@pytest.fixture(params=["a terminal", "CI"], autouse=True)
def place(request, monkeypatch):
    """Where pytest cuts the lines of its short summary, and where it does not."""
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "CI":
        monkeypatch.setenv("CI", "true")


def test_all_that_a_run_prints_at_its_end_is_little(large):
    result = large.run()
    assert len(after(result, "= forgetting gate =")) <= 40
    assert len(after(result)) <= 2 * 40 + 4
    text = said(result)
    assert "\nForgotten: 40 gates failed\n" in text
    assert "more failed or warned gates in full, with lost probes\n" in text
    result.assert_outcomes(failed=40)


def test_v_shows_all(large):
    text = said(large.run("-v"))
    assert all(f"general · c{n} " in text for n in range(40))
    assert text.count("FAILED general.yaml::category[c") >= 40
    assert ": -v" not in text


def test_failures_of_others_are_never_folded(large):
    large.write(
        "test_own.py",
        "import pytest\n@pytest.mark.parametrize('n', range(50))\ndef test_own(n): assert n < 0\n",
    )
    assert said(large.run()).count("FAILED test_own.py::test_own[") == 50


@pytest.mark.parametrize(
    ("options", "variables", "coloured"),
    [
        ((), {}, False),
        (("--color=yes",), {}, True),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color=no",), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colours_are_pytests(large, monkeypatch, options, variables, coloured):
    for name in ("NO_COLOR", "FORCE_COLOR", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[31mForgotten: 40 gates failed\x1b[0m" in said(large.run(*options))) is coloured


def test_the_width_is_the_terminals(project, monkeypatch):
    project.capability("[{over: all, max_drop: 0.1}]", (20, 30, 0, 0))
    monkeypatch.setenv("COLUMNS", "160")
    assert "90 % interval  margin  kept  lost  gained  missed  verdict" in said(project.run())


def test_q_is_short(large):
    assert len(after(large.run("-q"), "= forgetting gate =")) <= 24
