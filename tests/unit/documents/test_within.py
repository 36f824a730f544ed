"""Where the paths that files name may lead: each way out of a folder, and each kind of file that names some."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.api import evaluate_general_qa, run_forgetting_checklist
from harness.cli.main import main
from harness.documents.within import Reach
from harness.errors import HarnessError, InputError

SECRET = "hunter2"
SUITE = "suite: s\nscore: mentions\ngates: [{{over: all, max_drop: 0.1}}]\nprobes_from: {source}\n"
RECIPE = "recipe: r\nbase: embedded\ncorpus: {{file: {file}}}\nmethod: {{lora: {{}}}}\nlearning_rate: 1e-4\nsteps: 1\n"
TASK = "task: t\ndataset_path: {path}\ndataset_kwargs: {files}\ntest_split: test\ndoc_to_text: q\ndoc_to_target: answer\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working folder with `suites` and `data` in it, beside it what nobody may read, and links to that."""
    project = tmp_path / "project"
    (project / "suites").mkdir(parents=True)
    (project / "data").mkdir()
    for folder in (tmp_path, project / "data"):
        (folder / "d.csv").write_text(f"question,answer\nWho says so?,{SECRET}\n")
        line = {"prompt": "p", "answer": SECRET, "q": "Who?", "question": "Who says so?"}
        (folder / "d.jsonl").write_text(json.dumps(line) + "\n")
    (tmp_path / "t.yaml").write_text("doc_to_text: q\n")
    (project / "suites" / "link.csv").symlink_to(tmp_path / "d.csv")
    (project / "suites" / "up").symlink_to("../..")
    (project / "suites" / "loop.csv").symlink_to("loop.csv")
    monkeypatch.chdir(project)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return project


def written(text: str) -> Path:
    path = Path("suites/s.yaml")
    path.write_text(text)
    return path


WAYS_OUT = [
    "../../d.csv",
    "up/d.csv",
    "link.csv",
    "{tmp}/d.csv",
    "../data/../../d.csv",
    "/proc/self/cwd/../d.csv",
]


@pytest.mark.parametrize("source", WAYS_OUT)
def test_a_suite_does_not_lead_outside(project, tmp_path, capsys, source):
    path = written(SUITE.format(source=source.format(tmp=tmp_path)))
    assert main(["lint", str(path)]) == 2
    captured = capsys.readouterr()
    target = tmp_path / "d.csv"
    assert (
        f"suites/s.yaml:4:1: '{source.format(tmp=tmp_path)}' leads outside {project}, to {target}\n"
        in captured.err
    )
    assert "copy the file into that folder, or allow it: --allow-outside" in captured.err
    assert SECRET not in captured.out + captured.err
    assert main(["lint", str(path), "--allow-outside"]) == 0


@pytest.mark.parametrize("source", ["../data/d.csv", "{file: ../data/d.jsonl}"])
def test_the_working_folder_is_inside_for_the_suites_in_it(project, source, monkeypatch, capsys):
    path = written(SUITE.format(source=source))
    assert main(["lint", str(path)]) == 0
    monkeypatch.chdir(project / "suites")  # from where `../data` is outside
    assert main(["lint", "s.yaml"]) == 2
    monkeypatch.chdir(project / "data")  # in which the suite does not lie
    assert main(["lint", "../suites/s.yaml"]) == 2
    assert f"leads outside {project / 'suites'}" in capsys.readouterr().err


def test_the_root_of_the_file_system_is_no_project(project, tmp_path):
    reach = Reach(root=Path("/"))
    with pytest.raises(InputError, match="leads outside"):
        reach.path("../../d.csv", project / "suites" / "s.yaml")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("loop.csv", "loop.csv"),  # "is no path that can be followed", or since Python 3.13 "cannot be read"
        ('"a\\0.csv"', "'a\\x00.csv' is not a usable path"),
        ("{dataset: ../..}", "'../..' leads outside"),
        ("{dataset: /etc}", "'/etc' leads outside"),
        ("a" * 5000 + ".csv", "cannot be read: File name too long"),
    ],
)
def test_paths_that_lead_nowhere_good(project, capsys, source, message):
    assert main(["lint", str(written(SUITE.format(source=source)))]) == 2
    assert message in capsys.readouterr().err


def test_files_of_a_data_set_that_lie_outside(project, tmp_path, capsys):
    pytest.importorskip("datasets")
    folder = project / "suites" / "set"
    folder.mkdir()
    (folder / "test.csv").symlink_to(tmp_path / "d.csv")
    path = written(SUITE.format(source="{dataset: set}"))
    assert main(["lint", str(path)]) == 2
    (folder / "test.csv").unlink()
    files = f"---\nconfigs:\n- config_name: default\n  data_files: [{{split: test, path: {tmp_path}/d.csv}}]\n---\n"
    (folder / "README.md").write_text(files)
    assert main(["lint", str(path)]) == 2
    errors = capsys.readouterr().err
    assert errors.count(f"leads outside {project}, to {tmp_path}/d.csv") == 2
    assert SECRET not in errors


@pytest.mark.parametrize(
    "text",
    [RECIPE.format(file="../../d.jsonl"), RECIPE.format(file="../data/d.jsonl") + "target: ../../t.yaml\n",
     RECIPE.format(file="../data/d.jsonl") + "replay: {file: up/d.jsonl}\n"],
)  # fmt: skip
def test_a_recipe_does_not_lead_outside(project, capsys, text):
    path = written(text)
    assert main(["advise", str(path)]) == 2
    errors = capsys.readouterr().err
    assert "leads outside" in errors
    assert SECRET not in errors
    assert main(["advise", str(path), "--allow-outside"]) == 0


@pytest.mark.parametrize(
    ("path", "files", "message"),
    [
        ("json", "{data_files: {test: ../../d.jsonl}}", "'../../d.jsonl' leads outside"),
        ("csv", "{data_files: {test: link.csv}}", "'link.csv' leads outside"),
        ("json", "{data_files: {test: 'file:///etc/passwd'}}", "leads outside"),
        ("json", "{data_files: {test: 'file:/etc/passwd'}}", "leads outside"),
        ("json", "{data_files: {test: '../../*.jsonl'}}", "leads outside"),
        ("json", "{data_files: {test: 'filecache::file:///etc/passwd'}}", "may lead outside the folder"),
        ("json", "{data_files: {test: 'local:///etc/passwd'}}", "may lead outside the folder"),
        ("text", "{data_dir: ../../project/../x}", "leads outside"),
        ("/etc", "{data_files: {test: d.jsonl}}", "'/etc' leads outside"),
    ],
)
def test_a_task_does_not_lead_outside(project, capsys, path, files, message):
    assert main(["lint", str(of_task(TASK.format(path=path, files=files)))]) == 2
    errors = capsys.readouterr().err
    assert SECRET not in errors
    assert message in errors


def test_what_a_task_includes_lies_inside(project, capsys):
    suite = of_task(
        "include: ../../t.yaml\n" + TASK.format(path="json", files="{data_files: {test: ../data/d.jsonl}}")
    )
    assert main(["lint", str(suite)]) == 2
    assert "suites/t.yaml:1:1: '../../t.yaml' leads outside" in capsys.readouterr().err
    assert main(["lint", str(suite), "--allow-outside"]) == 0


def test_a_loader_that_runs_code_is_refused(project, capsys):
    suite = of_task(TASK.format(path="pandas", files="{data_files: {test: d.pkl}}"))
    assert main(["lint", str(suite)]) == 2
    assert "the loader 'pandas' reads pickles, which can run code" in capsys.readouterr().err


def of_task(text):
    """A suite that asks a task of lm-evaluation-harness, whose file is beside it."""
    pytest.importorskip("lm_eval", reason="lm-eval is not installed")
    written(text).rename("suites/t.yaml")
    return written("suite: t\nfrom: {lm_eval: t.yaml}\n")


@pytest.mark.parametrize("command", [["plan"], ["preview"], ["calibrate", "--model", "embedded"]])
def test_every_command_that_reads_a_suite(project, capsys, command):
    path = written(SUITE.format(source="../../d.csv"))
    assert main([command[0], str(path), *command[1:]]) == 2
    assert "leads outside" in capsys.readouterr().err


def test_in_python(project):
    path = written(SUITE.format(source="../../d.csv"))
    for ask in (lambda **allow: evaluate_general_qa(str.upper, path, **allow), lambda **allow: run_forgetting_checklist(str.upper, path, **allow)):  # fmt: skip
        with pytest.raises(HarnessError, match=r"leads outside(.|\n)*allow_outside=True"):
            ask()
        ask(allow_outside=True)
