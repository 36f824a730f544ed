"""`python -m harness lint`: every error of every file at once, without a model, and the exit code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.cli.main import main
from tests.support import project as projects

SMALL = projects.SMALL.replace("answer: yes", "answer: blue")
MEDIUM = SMALL.replace("suite: small", "suite: medium\nseverity: critical").replace(
    "[{over: each}]", "[{over: all, max_drop: 0.1}, {over: category, max_drop: 0.25}, {over: each, require: pass}]"
).replace("answer: blue", "answer: blue, category: c")  # fmt: skip


@pytest.fixture
def lint(project, capsys):
    """Run the command; gives its exit code, its output and its errors."""

    def run(*paths):
        code = main(["lint", *paths])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


def test_good_suites_are_a_line_each(project, lint):
    project.write("a.yaml", SMALL)
    project.write("b.yaml", MEDIUM)
    code, out, err = lint("a.yaml", "b.yaml")
    assert code == 0
    assert out == (
        "a.yaml: small, 1 probe, high; gates over each (retained)\n"
        "b.yaml: medium, 1 probe in 1 category, critical; gates over all (0.1), category (0.25), each (pass)\n"
    )
    assert "the id 'a' is in the suite 'small' too" in err
    assert err.endswith("\n3 warnings\n")


def test_the_gates_of_texts_are_shown_with_the_rise_that_they_allow(project, lint):
    project.write(
        "t.yaml",
        """\
suite: texts
task: {format: text, answer: likelihood}
score: {likelihood: {max_rise: 0.05}}
gates: [{over: all, max_rise: 0.02}]
probes: [{id: t, text: A text}]
""",
    )
    assert lint("t.yaml")[:2] == (0, "t.yaml: texts, 1 probe, high; gates over all (0.02)\n")


def test_warnings_fail_where_they_are_asked_to(project, lint):
    project.write("a.yaml", SMALL)
    project.write("b.yaml", MEDIUM)
    assert lint("a.yaml", "--strict")[0] == 0
    assert lint("b.yaml", "--strict")[0] == 1
    project.write("b.yaml", MEDIUM.replace("mentions", "mentoins"))
    assert lint("b.yaml", "--strict")[0] == 2


def test_warnings_come_after_the_errors_each_at_its_place(project, lint):
    project.write("a.yaml", SMALL.replace("over", "ovr"))
    project.write("b.yaml", SMALL.replace("Why?", "Is it blue?"))
    assert lint("a.yaml", "b.yaml")[2] == (
        "a.yaml:3:10: unknown key 'ovr' in a gate\n"
        "  did you mean 'over'?\n"
        "b.yaml:4:10: warning: the probe 'a' gives away its answer 'blue' in its question\n"
        "  a model that repeats the question would be right; ask in other words\n"
        "1 problem, 1 warning\n"
    )


def test_every_error_of_every_file_at_once(project, lint):
    project.write("a.yaml", SMALL)
    project.write("b.yaml", SMALL.replace("over", "ovr").replace("answer", "anwser"))
    project.write("c.yaml", "suite: c\n")
    code, out, err = lint("a.yaml", "b.yaml", "c.yaml")
    assert code == 2
    assert out.startswith("a.yaml: small, ")
    assert err == (
        "b.yaml:3:10: unknown key 'ovr' in a gate\n"
        "  did you mean 'over'?\n"
        "b.yaml:4:34: unknown key 'anwser' in a probe: the prompt does not use it\n"
        "  did you mean 'answer'?\n"
        "c.yaml:1:1: a suite needs 'gates'\n"
        "  write: gates: [{over: each}], or for 30 probes and more: gates: [{over: all, max_drop: 0.10}]\n"
        "c.yaml:1:1: a suite needs 'probes'\n"
        '  write: probes: [{id: capital, question: "What is the capital of France?", answer: Paris}]\n'
        "4 problems\n"
    )


def test_one_problem_is_one(project, lint):
    project.write("a.yaml", SMALL.replace("mentions", "mentoins"))
    code, _, err = lint("a.yaml")
    assert code == 2
    assert err.endswith("\n1 problem\n")


def test_a_folder_is_searched_for_suites(project, lint):
    project.write("suites/a.yaml", SMALL)
    project.write("suites/deep/b.yml", MEDIUM)
    project.write("suites/docker-compose.yml", "services: {}\n")
    code, out, _ = lint("suites")
    assert code == 0
    assert [line.partition(":")[0] for line in out.splitlines()] == ["suites/a.yaml", "suites/deep/b.yml"]


def test_a_suite_with_a_slip_in_a_key_is_not_overlooked_in_a_folder(project, lint):
    project.write("suites/a.yaml", SMALL.replace("suite:", "siute:"))
    code, _, err = lint("suites")
    assert code == 2
    assert "unknown key 'siute' in a suite\n  did you mean 'suite'?" in err


@pytest.mark.parametrize("name", ["a.yml", "A.YAML", "My Suite.YML", "a.Yaml"])
def test_a_name_in_capitals_is_not_overlooked_in_a_folder(project, lint, name):
    project.write(f"suites/{name}", SMALL)
    code, out, _ = lint("suites")
    assert (code, out) == (0, f"suites/{name}: small, 1 probe, high; gates over each (retained)\n")


def test_what_nearly_is_a_suite_in_a_folder_is_read_and_told(project, lint):
    """A run over the folder would pass it over with a note."""
    project.write("suites/a.yaml", SMALL)
    project.write("suites/b.yaml", "- suite: b\n  gates: []\n")
    project.write("suites/c.yaml", SMALL.replace("gates", "gatse").replace("probes", "prboes"))
    project.write("suites/d.yaml", "")
    (project.path / "suites/e.yaml").symlink_to("gone.yaml")
    (project.path / "suites/f.yaml").mkdir()
    code, out, err = lint("suites")
    assert code == 2
    assert len(out.splitlines()) == 1
    assert err == (
        "suites/b.yaml:1:1: a suite is a mapping of keys to values, saw a list\n  begin with 'suite: name', "
        "without '- ' before it and the other keys of the file\n"
        "suites/c.yaml:3:1: unknown key 'gatse' in a suite\n  did you mean 'gates'?\n"
        "suites/c.yaml:4:1: unknown key 'prboes' in a suite\n  did you mean 'probes'?\n"
        "suites/d.yaml:1:1: the file is empty: it has no suite\n"
        "  begin with 'suite: name', or have one written: python -m harness new NAME\n"
        "suites/e.yaml: cannot be read: No such file or directory\n  it is a link to gone.yaml\n"
        "5 problems\n"
    )


def test_a_suite_under_another_name_in_a_folder_is_a_warning(project, lint):
    """An editor leaves such a copy beside the file, so it is no error."""
    project.write("suites/a.yaml", SMALL)
    project.write("suites/a.yaml~", SMALL)
    project.write("suites/b.yml.txt", SMALL)
    project.write("suites/compose.yml.bak", "services: {}\n")
    told = (
        "suites/a.yaml~:1:1: warning: looks like a suite and was not read\n  a suite's name ends in .yaml or .yml\n"
        "suites/b.yml.txt:1:1: warning: looks like a suite and was not read\n  a suite's name ends in .yaml or .yml\n"
        "2 warnings\n"
    )
    assert lint("suites") == (0, "suites/a.yaml: small, 1 probe, high; gates over each (retained)\n", told)
    assert lint("suites", "--strict")[0] == 1


def test_a_suite_under_another_name_is_refused_where_it_is_named(project, lint):
    project.write("a.yml.txt", SMALL)
    assert lint("a.yml.txt") == (
        2,
        "",
        "a.yml.txt:1:1: a suite's name ends in .yaml or .yml\n  rename the file\n1 problem\n",
    )


def test_a_folder_with_nothing_but_a_suite_under_another_name(project, lint):
    project.write("suites/a.yaml~", SMALL)
    assert lint("suites") == (
        4,
        "",
        "suites/a.yaml~:1:1: looks like a suite and was not read\n  a suite's name ends in .yaml or .yml\n"
        "suites: no suite files in this folder\n",
    )


def test_a_file_that_is_named_must_be_a_suite(project, lint):
    project.write("docker-compose.yml", "services: {}\n")
    code, _, err = lint("docker-compose.yml")
    assert code == 2
    assert "docker-compose.yml:1:1: a suite needs 'suite'" in err


def test_a_file_that_is_named_twice_is_one_suite(project, lint):
    project.write("suites/a.yaml", SMALL)
    code, out, err = lint("suites/a.yaml", "suites", "suites/../suites/a.yaml")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 1


def test_two_suites_of_one_name(project, lint):
    project.write("a.yaml", SMALL)
    project.write("b.yaml", SMALL)
    code, _, err = lint("a.yaml", "b.yaml")
    assert code == 2
    assert err == "b.yaml:1:1: a second suite called 'small'\n  the first is at a.yaml:1:1\n1 problem\n"


def test_a_folder_without_suites(project, lint):
    project.write("empty/docker-compose.yml", "services: {}\n")
    assert lint("empty") == (4, "", "empty: no suite files in this folder\n")


def test_an_empty_folder_hides_no_problem(project, lint):
    project.write("a.yaml", SMALL.replace("over", "ovr"))
    (project.path / "empty").mkdir()
    code, _, err = lint("empty", "a.yaml")
    assert code == 2
    assert "a.yaml:3:10: unknown key 'ovr' in a gate" in err
    assert err.endswith("empty: no suite files in this folder\n2 problems\n")


def test_a_link_to_itself_is_a_problem(project, lint):
    project.write("suites/a.yaml", SMALL)
    (project.path / "suites/loop.yaml").symlink_to("loop.yaml")
    code, _, err = lint("suites")
    assert code == 2
    assert "suites/loop.yaml: cannot be read: Too many levels of symbolic links\n" in err


def test_suites_behind_links_to_folders_are_read_once(project, lint):
    project.write("other/a.yaml", SMALL)
    (project.path / "suites").mkdir()
    for link, target in {"one": "../other", "two": "../other", "loop": "."}.items():
        (project.path / "suites" / link).symlink_to(target)
    assert lint("suites") == (0, "suites/one/a.yaml: small, 1 probe, high; gates over each (retained)\n", "")


def test_a_path_that_is_not_there(project, lint):
    project.write("a.yaml", SMALL)
    code, _, err = lint("none.yaml", "a.yaml")
    assert code != 0
    assert "none.yaml: cannot be read: No such file or directory" in err


def test_no_path_at_all(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["lint"])
    assert caught.value.code == 4
    assert "the following arguments are required: FILE" in capsys.readouterr().err


def test_as_a_command_and_without_torch(project):
    project.write("a.yaml", SMALL)
    code = (
        "import sys; from harness.cli.main import main; code = main(['lint', 'a.yaml']);"
        "sys.exit(code or 9 * bool({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
    project.write("a.yaml", SMALL.replace("over", "ovr"))
    broken = subprocess.run(
        [sys.executable, "-m", "harness", "lint", "a.yaml"], check=False, capture_output=True, text=True
    )
    assert broken.returncode == 2
    assert "a.yaml:3:10: unknown key 'ovr' in a gate" in broken.stderr
