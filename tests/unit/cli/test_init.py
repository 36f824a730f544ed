"""`init`: what it writes into an empty folder and into a repository, and that nothing of the user's is lost."""

from __future__ import annotations

import configparser
import tomllib

import pytest
import yaml

from harness import __version__
from harness.cli.main import main

FILES = (
    "suites/everyday_facts.yaml",
    ".github/workflows/forgetting.yml",
    "pytest.ini",
    ".pre-commit-config.yaml",
    ".gitignore",
)
HOOK = {
    "repo": "https://github.com/OWNER/forgetting-gate",
    "rev": f"v{__version__}",
    "hooks": [{"id": "forgetting-gate-lint"}],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_an_empty_folder(folder, capsys):
    assert main(["init"]) == 0
    text = capsys.readouterr().out
    assert written(folder) == set(FILES)
    assert [line for line in text.splitlines() if line.startswith("wrote ")] == [
        f"wrote {name}" for name in FILES
    ]
    assert "  pytest suites/ --model=./tuned\n" in text
    ini = configparser.ConfigParser()
    ini.read(folder / "pytest.ini")
    assert ini["pytest"]["testpaths"] == "suites"
    assert yaml.safe_load((folder / ".pre-commit-config.yaml").read_text()) == {"repos": [HOOK]}
    assert (folder / ".gitignore").read_text() == "/reports/\n"


def test_the_suite_has_no_fault(folder, capsys):
    main(["init"])
    capsys.readouterr()
    assert main(["lint", "suites/"]) == 0
    assert "warning" not in capsys.readouterr().err


def test_the_models_are_in_the_workflow_and_the_next_steps(folder, capsys):
    assert main(["init", "--model", 'org/a "b"@v1', "--baseline", "org/base"]) == 0
    steps = yaml.safe_load((folder / ".github/workflows/forgetting.yml").read_text())["jobs"]["gate"]["steps"]
    assert steps[-1]["with"] == {"model": 'org/a "b"@v1', "baseline": "org/base", "suites": "suites/"}
    assert """pytest suites/ '--model=org/a "b"@v1' --baseline=org/base""" in capsys.readouterr().out


def test_a_folder_of_any_name_is_read_back(folder):
    name = "./a\x7fb\x85c: 数学"
    assert main(["init", "--model", name]) == 0
    steps = yaml.safe_load((folder / ".github/workflows/forgetting.yml").read_bytes())["jobs"]["gate"][
        "steps"
    ]
    assert steps[-1]["with"]["model"] == name


def test_another_folder(folder, capsys):
    assert main(["init", "new one"]) == 0
    assert written(folder / "new one") == set(FILES)
    assert "next:\n  cd 'new one'\n" in capsys.readouterr().out


@pytest.mark.parametrize("there", [FILES[:1], FILES[1:2], FILES[:2]])
def test_what_exists_is_refused_by_name_and_nothing_is_written(folder, capsys, there):
    for name in there:
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("mine")
    assert main(["init"]) == 4
    assert (
        f"{' and '.join(there)}: already there, and nothing was written\n  move it away"
        in capsys.readouterr().err
    )
    assert written(folder) == set(there)


PRE_COMMIT = """\
repos:
- repo: local
  hooks:
  - id: mine  # as I like it
"""
PYPROJECT = '[project]\nname = "mine"  # so named\n'


def test_a_repository_keeps_what_it_has(folder):
    mine = {".pre-commit-config.yaml": PRE_COMMIT, "pyproject.toml": PYPROJECT, ".gitignore": "*.pyc"}
    for name, text in mine.items():
        (folder / name).write_text(text)
    (folder / "tests").mkdir()
    assert main(["init"]) == 0
    assert not (folder / "pytest.ini").exists()
    for name, text in mine.items():
        assert (folder / name).read_text().startswith(text)
    settings = tomllib.loads((folder / "pyproject.toml").read_text())
    assert settings["tool"]["pytest"]["ini_options"] == {"testpaths": ["tests"]}
    repos = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repo["repo"] for repo in repos] == ["local", HOOK["repo"]]
    assert (folder / ".gitignore").read_text() == "*.pyc\n/reports/\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\naddopts = -q\n"),
        ("tox.ini", "[pytest]\naddopts = -q\n"),
        ("setup.cfg", "[tool:pytest]\naddopts = -q\n"),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-q"\n'),
        ("pyproject.toml", 'tool = {pytest = {addopts = ["-q"]}}\n'),
    ],
)
def test_settings_of_pytest_are_left_to_the_user(folder, capsys, name, text):
    (folder / name).write_text(text)
    if name != "pyproject.toml":
        (folder / "pyproject.toml").write_text(PYPROJECT)
    assert main(["init"]) == 0
    assert (folder / name).read_text() == text
    assert written(folder) <= {*FILES, name, "pyproject.toml"}
    assert f"by hand: {name} has pytest's settings: name your tests there, testpaths = suites" in (
        capsys.readouterr().out
    )


def test_settings_above_in_the_repository_stay_in_force(folder, monkeypatch, capsys):
    (folder / ".git").mkdir()
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "-q"\n')
    (folder / "packages/ml/tests").mkdir(parents=True)
    (folder / "packages/ml/pyproject.toml").write_text(PYPROJECT)
    monkeypatch.chdir(folder / "packages/ml")
    assert main(["init"]) == 0
    assert "pytest" not in (folder / "packages/ml/pyproject.toml").read_text()
    said = capsys.readouterr().out
    assert (
        f"{folder}/pyproject.toml has pytest's settings: name your tests there, testpaths = packages/ml/tests"
        in said
    )


def test_settings_that_name_tests_need_nothing(folder, capsys):
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = checks\n")
    assert main(["init"]) == 0
    assert "by hand" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text"),
    [(".pre-commit-config.yaml", "repos: [{repo: local, hooks: []}]\n"), ("pyproject.toml", "tool = {}\n")],
)
def test_where_no_place_is_for_ours(folder, capsys, name, text):
    (folder / name).write_text(text)
    assert main(["init"]) == 0
    assert (folder / name).read_text() == text
    assert f"by hand: {name}: add" in capsys.readouterr().out


def test_a_second_time_adds_nothing_twice(folder):
    main(["init"])
    for name in FILES[:2]:
        (folder / name).unlink()
    before = {name: (folder / name).read_text() for name in FILES[2:]}
    assert main(["init"]) == 0
    assert {name: (folder / name).read_text() for name in FILES[2:]} == before


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pyproject.toml", b"[tool", "pyproject.toml: cannot be read: "),
        (".pre-commit-config.yaml", b"repos: [", ".pre-commit-config.yaml: cannot be read: "),
        (".gitignore", b"\xff", ".gitignore: cannot be read: it is not UTF-8; nothing was written"),
    ],
)
def test_a_broken_file_stops_it_before_anything_is_written(folder, capsys, name, content, said):
    (folder / name).write_bytes(content)
    assert main(["init"]) == 4
    assert said in capsys.readouterr().err
    assert written(folder) == {name}


def test_line_ends_stay_as_they_are(folder):
    (folder / ".gitignore").write_bytes(b"a\r\nb\r\n")
    assert main(["init"]) == 0
    assert (folder / ".gitignore").read_bytes() == b"a\r\nb\r\n/reports/\r\n"


@pytest.mark.parametrize("already_there", [True, False])
def test_in_a_folder_of_a_repository_github_and_pre_commit_find_theirs_at_its_top(
    folder, monkeypatch, capsys, already_there
):
    (folder / ".git").mkdir()
    (folder / ".pre-commit-config.yaml").write_text(PRE_COMMIT)
    if already_there:
        (folder / "ml").mkdir()
        monkeypatch.chdir(folder / "ml")
    assert main(["init"] if already_there else ["init", "ml"]) == 0
    at_top = {".github/workflows/forgetting.yml", ".pre-commit-config.yaml"}
    assert written(folder) == at_top | {f"ml/{name}" for name in FILES if name not in at_top}
    steps = yaml.safe_load((folder / FILES[1]).read_text())["jobs"]["gate"]["steps"]
    assert steps[-1]["with"] == {"model": "./tuned", "working-directory": "ml", "suites": "suites/"}
    assert (folder / ".pre-commit-config.yaml").read_text().startswith(PRE_COMMIT)
    assert "git add suites/everyday_facts.yaml ../.github/workflows/forgetting.yml" in capsys.readouterr().out


def test_a_file_without_a_place_stops_it_before_anything_is_written(folder, capsys):
    (folder / ".github").write_text("mine")
    assert main(["init"]) == 4
    assert capsys.readouterr().err == (
        ".github/workflows/forgetting.yml: cannot be written: .github is no folder; nothing was written\n"
        "  choose another folder: forgetting-gate init FOLDER\n"
    )
    assert written(folder) == {".github"}
