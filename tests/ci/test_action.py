"""The shell steps of the GitHub Action, run under bash with what GitHub would give them, and a `gh` that notes its calls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("bash") is None, reason="runs steps in bash"
)

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["id"]: step for step in ACTION["runs"]["steps"] if "id" in step}

GH = """\
#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$CALLS"
[ "${GH_FAILS:-}" ] && exit 1
case "$*" in *--paginate*) [ -z "${FOUND:-}" ] || echo "$FOUND" ;; esac
"""


class Job:
    """A job's folder, files and environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tools = folder / "tools"
        tools.mkdir()
        for name, text in {"gh": GH, "python": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'}.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        shutil.copytree(ROOT / ".github/action/trial", folder / "project/suites")
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "PYTEST_"))},
            "PATH": f"{tools}:{os.environ['PATH']}",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "step_summary.md"),
            "GITHUB_REPOSITORY": "me/mine",
            "GITHUB_WORKSPACE": str(folder / "project"),
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_RUN_ID": "7",
            "CALLS": str(folder / "calls"),
        }

    def run(self, step: str, **given: str) -> subprocess.CompletedProcess[str]:
        """A step, with values in the place of its expressions."""
        assert set(STEPS[step].get("env", {})) >= set(given) - {"FOUND", "GH_FAILS"}
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", STEPS[step]["run"]], cwd=self.folder / "project",
            env=self.environment | given, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def output(self) -> dict[str, str]:
        lines = (self.folder / "output").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    @property
    def comment(self) -> str:
        return (self.folder / "project/reports/comment.md").read_text()


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path)


def gate(job, model: str, **given: str) -> subprocess.CompletedProcess[str]:
    return job.run(
        "gate",
        **{"MODEL": model, "BASELINE": "fake:base", "SUITES": "suites/", "ARGUMENTS": ""} | given,
    )


@pytest.mark.parametrize(
    ("model", "code", "verdict"), [("fake:tuned", "0", "passed"), ("fake:forgetful", "1", "forgotten")]
)
def test_the_gate_notes_its_verdict_and_goes_on(job, model, code, verdict):
    finished = gate(job, model)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert job.output == {"code": code, "verdict": verdict, "record": "reports/latest/record.json"}
    assert {"page.html", "summary.md", "gate.xml", "latest"} <= {
        path.name for path in (job.folder / "project/reports").iterdir()
    }
    assert job.run("verdict", CODE=job.output["code"]).returncode == int(code)


def test_arguments_are_words_as_in_a_shell_and_nothing_runs(job):
    job.environment["GITHUB_WORKSPACE"] = str(job.folder)
    finished = gate(
        job,
        "fake:tuned",
        ARGUMENTS="-k 'water and not sun' --report=\"reports/of $(touch ran) $HOME\"",
    )
    assert "1 selected" in finished.stdout, finished.stdout
    assert job.output["record"] == "project/reports/of $(touch ran) $HOME/record.json"
    assert not (job.folder / "project/ran").exists()


def test_a_model_that_cannot_be_used(job):
    gate(job, "./nothing")
    assert job.output["code"] == "4"
    assert job.output["verdict"] == "error"


@pytest.mark.parametrize("named", ["--report=elsewhere", "--report elsewhere", "--gate-report=elsewhere"])
def test_a_second_gate_of_a_job_has_its_own_verdict(job, named):
    gate(job, "fake:tuned")
    gate(job, "fake:forgetful", ARGUMENTS=named)
    assert job.output == {"code": "1", "verdict": "forgotten", "record": "elsewhere/record.json"}


def test_nothing_of_an_earlier_gate_passes_for_that_of_one_that_never_began(job):
    gate(job, "fake:tuned")
    (job.folder / "project/suites/conftest.py").write_text("1 / 0\n")
    (job.folder / "project/reports/latest/record.json").write_text('{"run":')
    finished = gate(job, "fake:tuned")
    assert "Traceback (most recent call last)" not in finished.stderr
    assert job.output == {"code": "4", "verdict": "error", "record": ""}
    assert not [
        path for path in (job.folder / "project/reports").iterdir() if path.suffix in (".html", ".md")
    ]


def test_answers_of_a_red_run_are_kept():
    steps = ACTION["runs"]["steps"]
    used = [step.get("uses") for step in steps]
    restored, saved = (steps[used.index(f"actions/cache/{name}@v5")] for name in ("restore", "save"))
    assert saved["if"].startswith("always() && ")
    assert saved["with"]["path"] == restored["with"]["path"]
    assert steps.index(saved) < steps.index(STEPS["verdict"])


def test_a_report_that_nobody_receives_makes_no_run_red_and_the_gate_itself_does():
    lenient = {step.get("id") for step in ACTION["runs"]["steps"] if step.get("continue-on-error")}
    assert lenient == {"upload", "comment"}


def test_an_open_quote_is_no_verdict(job):
    finished = gate(job, "fake:tuned", ARGUMENTS="-k 'small")
    assert "::error title=forgetting gate::the inputs suites and arguments are words" in finished.stdout
    assert job.output == {"code": "4", "verdict": "error", "record": ""}


def comment(job, **given: str) -> subprocess.CompletedProcess[str]:
    values = {"GH_TOKEN": "t", "NAME": "forgetting", "NUMBER": "12", "VERDICT": "passed"}
    return job.run("comment", **values | given)


def test_a_first_comment(job):
    (job.folder / "project/reports").mkdir()
    (job.folder / "project/reports/summary.md").write_text("All is well.\n")
    finished = comment(job, ARTIFACT="https://github.example/artifact/1")
    assert finished.returncode == 0, finished.stderr
    assert "--method POST repos/me/mine/issues/12/comments --field body=@reports/comment.md" in job.calls[-1]
    assert job.comment.startswith("<!-- forgetting-gate: forgetting -->\nAll is well.\n")
    assert "[Page and record](https://github.example/artifact/1)" in job.comment


def test_the_comment_of_an_earlier_run_is_updated(job):
    (job.folder / "project/reports").mkdir()
    assert comment(job, FOUND="34").returncode == 0
    assert "--method PATCH repos/me/mine/issues/comments/34" in job.calls[-1]
    assert job.comment == "<!-- forgetting-gate: forgetting -->\n**forgetting: passed**\n\n\n"


def test_a_long_summary_fits_a_comment(job):
    (job.folder / "project/reports").mkdir()
    (job.folder / "project/reports/summary.md").write_text("€" * 70_000)
    assert comment(job, ARTIFACT="https://github.example/" + "a" * 300).returncode == 0
    assert len(job.comment) < 65_536


def test_a_token_that_may_not_write_changes_no_verdict(job):
    (job.folder / "project/reports").mkdir()
    finished = comment(job, GH_FAILS="1")
    assert finished.returncode == 0
    assert "::warning title=forgetting gate::the comment could not be written" in finished.stdout


def test_no_expression_is_in_a_script():
    """What a pull request may choose reaches a shell as a variable, never as its text."""
    assert not [step["id"] for step in STEPS.values() if "${{" in step.get("run", "")]
