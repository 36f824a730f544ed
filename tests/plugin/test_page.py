"""--report-html: when the page of a run is written, by whom, and what happens where it cannot be."""

from __future__ import annotations

import json
import os

import pytest

from harness.cli.main import main
from tests.support.pages import parse
from tests.support.project import SMALL

ALL = "[{over: all, max_drop: 0.10}]"
LOST = (9, 11, 1, 9)


def words(project, name="out/page.html"):
    return parse((project.path / name).read_text(encoding="utf-8")).words


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")])
def test_a_run_writes_its_page_beside_the_record(project, workers):
    project.capability(ALL, LOST)
    result = project.run("--report-html=out/page.html", *workers)
    assert result.ret == 1
    lines = result.outlines
    assert lines[lines.index("record: reports/latest/record.json") + 1] == "page: out/page.html"
    text = words(project)
    assert text.startswith("Forgotten: general, 33.3 points lost")
    assert text.count("No idea") >= 11
    assert [path.name for path in (project.path / "out").iterdir()] == ["page.html"]


def test_without_the_option_there_is_no_page(project):
    project.capability(ALL, LOST)
    result = project.run()
    assert not list(project.path.rglob("*.html"))
    assert "page: " not in result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--model=nowhere"], "nowhere"),
        (["--model=nowhere", "--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_yesterdays_page_does_not_pass_for_that_of_a_run_that_did_not_begin(project, arguments, why):
    project.capability(ALL, (30, 0, 0, 0))
    project.write("out/page.html", "<!doctype html>yesterday: passed")
    assert project.run("--report-html=out/page.html", *arguments).ret == 4
    text = words(project)
    assert "Error: the run has no verdict" in text
    assert why in text


def test_a_page_that_cannot_be_written_ends_the_run_before_it_asks(project):
    project.capability(ALL, LOST)
    project.write("file", "no folder")
    result = project.run("--report-html=file/page.html", *project.folders())
    assert result.ret == 4
    assert "file/page.html: cannot be written: " in result.stderr.str()
    assert "name another file: --report-html=FILE" in result.stderr.str()
    assert project.record()["run"]["status"] == "error"
    assert not (project.path / "asked.txt").exists()


def test_yesterdays_reports_do_not_pass_for_those_that_cannot_be_written(green):
    reports = "--report-html=page.html", "--report-markdown=report.md"
    assert green.run(*green.green, *reports).ret == 0
    (green.path / "report.md").replace(green.path / "elsewhere.md")
    (green.path / "report.md").symlink_to("elsewhere.md")
    (green.path / f".page.html.{os.getpid()}.partial").mkdir()  # as on a full disk
    assert green.run(*green.green, *reports).ret == 4
    assert not (green.path / "page.html").exists()
    assert not (green.path / "elsewhere.md").exists()
    assert (green.path / "report.md").is_symlink()


@pytest.mark.parametrize("file", ["general.yaml", "reports/latest/record.json"])
def test_a_file_that_is_no_page_is_not_overwritten(project, file):
    project.capability(ALL, LOST)
    project.run()
    before = (project.path / file).read_text(encoding="utf-8")
    result = project.run(f"--report-html={file}", *project.folders())
    assert result.ret == 4
    assert f"{file}: a file that is no page is there, and is left as it is" in result.stderr.str()
    assert "name another file: --report-html=FILE" in result.stderr.str()
    if file == "general.yaml":
        assert (project.path / file).read_text(encoding="utf-8") == before
    assert project.record()["run"]["status"] == "error"


def test_a_page_that_can_no_longer_be_written_does_not_cost_the_record(project):
    project.capability(ALL, (60, 0, 0, 0))
    project.write(
        "test_last.py",
        "from pathlib import Path\n\n\ndef test_in_the_way(tuned):\n"
        "    Path('out/page.html').unlink()\n    Path('out/page.html/in_the_way').mkdir(parents=True)\n",
    )
    result = project.run("general.yaml", "test_last.py", "--report-html=out/page.html")
    assert result.ret == 4
    assert "out/page.html: cannot be written" in result.stdout.str()
    record = project.record()
    assert (record["run"]["status"], record["run"]["exit_status"]) == ("error", 4)
    assert len(record["probes"]) == 60


def test_a_look_writes_no_page_and_says_so(project):
    project.capability(ALL, LOST)
    project.run()
    result = project.run("--only-lost=reports/latest", "--report-html=out/page.html")
    assert result.ret == 4
    assert "--report-html: would do nothing beside --only-lost=RECORD, a look" in result.stderr.str()
    assert not (project.path / "out").exists()


def test_the_next_steps_ask_for_no_page(project):
    project.capability(ALL, LOST)
    result = project.run("--report-html", "out/page.html")
    [look] = [line for line in result.outlines if "--only-lost" in line]
    assert "report-html" not in look
    assert "page.html" not in look


def test_collecting_alone_writes_no_page(project):
    project.write("small.yaml", SMALL)
    project.run("--collect-only", "--report-html=out/page.html")
    assert not (project.path / "out").exists()


def test_the_page_of_a_record(project, monkeypatch, capsys):
    project.capability(ALL, LOST)
    project.run("--report-html=out/page.html")
    monkeypatch.chdir(project.path)
    assert main(["rescore", "reports/latest", "--report-html=again.html"]) == 1
    assert "page: again.html" in capsys.readouterr().out
    assert words(project, "again.html").startswith("Forgotten: general, 33.3 points lost")
    assert main(["rescore", "reports/latest", "--format=html"]) == 1
    printed = capsys.readouterr().out
    assert printed.rstrip("\n") == (project.path / "again.html").read_text(encoding="utf-8").rstrip("\n")


def test_a_page_of_a_record_that_cannot_be_written(project, monkeypatch, capsys):
    project.capability(ALL, LOST)
    project.run()
    monkeypatch.chdir(project.path)
    assert main(["rescore", "reports/latest", "--report-html=general.yaml/x.html"]) == 4
    assert "name another file: --report-html=FILE" in capsys.readouterr().err


def test_hostile_answers_in_a_run(project):
    project.capability(ALL, LOST)
    answers = json.loads((project.path / "answers.json").read_text())
    bad = "</noscript></script><script>alert(1)</script>\u202e\x00" + "[" * 100_000
    answers["tuned"] = dict.fromkeys(answers["tuned"], bad)
    project.write("answers.json", json.dumps(answers))
    project.run("--report-html=out/page.html")
    text = (project.path / "out/page.html").read_text(encoding="utf-8")
    tags = parse(text)
    assert tags.seen.count("script") == 1
    assert not {"\x00", "\u202e"} & set(text)
    assert len(text) < 400_000
