"""The built wheel in an environment of its own, from an empty folder with one suite file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = """\
suite: my-suite
score: mentions
gates:
  - {over: all, max_drop: 0.5, max_loss: 1}
probes:
  - {id: france, question: "What is the capital of France?", answer: Paris}
  - {id: japan, question: "What is the capital of Japan?", answer: Tokyo}
  - {id: sum, question: "What is 2 + 3?", answer: [5, five]}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(
        ROOT, source,
        ignore=shutil.ignore_patterns(".git", ".venv", "reports", ".*_cache", "__pycache__", ".hypothesis", "node_modules"),
    )  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)],
        check=True, capture_output=True,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel installed, and finds its dependencies where this one does."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, with_pip=False)
    [site] = folder.glob("lib/python*/site-packages")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)],
        check=True,
    )
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), *arguments], cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )


def test_the_wheel_holds_one_import_package_and_the_entry_point(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"harness"}
    [entry_points] = [name for name in names if name.endswith("entry_points.txt")]
    text = zipfile.ZipFile(wheel).read(entry_points).decode()
    assert "[pytest11]\nharness.plugin = harness.plugin" in text
    assert "[console_scripts]\nforgetting-gate = harness.cli.main:main" in text
    assert "harness/py.typed" in names


def test_all_suites_fixtures_and_corpora_are_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    kept = [path for folder in ("suites", "fixtures") for path in (ROOT / folder).rglob("*.*")]
    assert len(kept) > 30
    assert {f"harness/shipped/{path.relative_to(ROOT).as_posix()}" for path in kept} <= names


def test_a_new_users_way(python, tmp_path):
    finished = run(python, tmp_path, str(ROOT / "tests" / "installed.py"))
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_one_suite_file_in_an_empty_folder_is_gated(python, tmp_path):
    (tmp_path / "my_suite.yaml").write_text(SUITE)
    where = run(python, tmp_path, "-c", "import harness; print(harness.__file__)")
    assert str(python.parents[1]) in where.stdout
    finished = run(
        python, tmp_path, "-m", "pytest", "my_suite.yaml", "--model", "embedded", "--baseline", "same"
    )
    assert finished.returncode == 0, finished.stdout
    assert "\nmy-suite " in finished.stdout
    assert (tmp_path / "reports" / "latest" / "record.json").is_file()


def test_the_shipped_suites_come_with_the_wheel(python, tmp_path):
    code = "import harness; print(harness.run_forgetting_checklist(lambda prompt: '')['failed'])"
    assert int(run(python, tmp_path, "-c", code).stdout) >= 12


def test_the_pages_come_with_the_wheel(python, tmp_path):
    gates = {"run": {"harness": "0", "started": "now", "status": "unfinished", "exit_status": None, "seconds": 0, "command": [],
             "errors": [], "versions": {}, "strict": False, "fail_on": "low"}, "gates": [], "probes": []}  # fmt: skip
    code = (
        f"import json; from harness.reporting.rows import Record; from harness.reporting.formats import render\n"
        f"print(render(Record.model_validate(json.loads({json.dumps(json.dumps(gates))})), 'html'))\n"
        "from harness.sweep.page import TEMPLATES; assert (TEMPLATES / 'ladder.html').is_file()"
    )
    finished = run(python, tmp_path, "-c", code)
    assert "<h1>Unfinished: " in finished.stdout, finished.stderr


def test_a_project_without_suites_is_left_alone(python, tmp_path):
    (tmp_path / "docker-compose.yml").write_text("services:\n  web:\n    image: nginx\n")
    (tmp_path / "test_mine.py").write_text(
        "import sys\n\ndef test_mine():\n    assert 'torch' not in sys.modules and 'pydantic' not in sys.modules\n"
    )
    finished = run(python, tmp_path, "-m", "pytest", ".")
    assert finished.returncode == 0, finished.stdout
    assert "collected 1 item" in finished.stdout
    assert "forgetting gate" not in finished.stdout
    assert not (tmp_path / "reports").exists()
