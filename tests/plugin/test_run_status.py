"""How a run ended, when, and over which suites: fields of its record, and of those of earlier runs."""

from __future__ import annotations

import hashlib
import json
import re
import shlex

import pytest

from harness.reporting.rows import RunRow
from harness.visible import visible
from tests.support.project import said as said_by
from tests.support.runs import ALL, TWO, bad, conftest, earlier, good, latest


def status(project):
    run = project.record()["run"]
    return run["status"], run["exit_status"]


def test_green_red_and_nothing_each_keep_a_record(project):
    good(project)
    assert project.run().ret == 0
    assert status(project) == ("passed", 0)
    bad(project)
    assert project.run().ret == 1
    assert status(project) == ("forgotten", 1)
    assert project.run("general.yaml", "-k", "nothing").ret == 5
    assert status(project) == ("nothing decided", 5)
    assert [(row["run"]["status"], len(row["gates"])) for row in earlier(project)] == [
        ("passed", 1),
        ("forgotten", 1),
    ]
    names = [path.name for path in (project.path / "reports/latest/earlier").iterdir()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\+00-00(_\d)?\.json", name) for name in names)


def test_an_empty_run_without_a_model_or_a_path_is_the_last_one_too(project):
    good(project)
    project.write("test_mine.py", "def test_mine(): pass\n")
    assert project.run().ret == 0
    assert project.run("-k", "nothing").ret == 5
    assert status(project) == ("nothing decided", 5)
    assert [record["run"]["status"] for record in earlier(project)] == ["passed"]
    assert project.run().ret == 0
    assert project.run("-k", "test_mine").ret == 0
    assert status(project) == ("passed", 0)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("def pytest_runtest_setup():\n    raise KeyboardInterrupt\n", 2, "interrupted"),
        ("def pytest_runtest_setup():\n    1 / 0\n", 1, "error"),
        ("def pytest_collection_modifyitems():\n    1 / 0\n", 3, "error"),
        ("def pytest_collection_modifyitems(items):\n    items[:] = []\n", 5, "nothing decided"),
    ],
)
def test_how_a_run_may_end(green, text, code, said):
    conftest(green, f"\n\n{text}")
    result = green.pytester.runpytest_inprocess("-p", "harness.plugin", *green.green, no_reraise_ctrlc=True)
    assert result.ret == code
    assert status(green) == (said, code)
    assert bool(green.record()["run"]["suites"]) == (code != 5)


REPLACED = """

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    return pytest.TestReport(report.nodeid, report.location, {}, "passed", None, report.when) if report.failed else report
"""


@pytest.mark.parametrize("parallel", [(), TWO], ids=["alone", "in parallel"])
@pytest.mark.parametrize(("kept", "code"), [(0, 5), (5, 1)])
def test_a_failed_gate_whose_report_a_hook_replaced_is_no_pass(project, parallel, kept, code):
    if parallel:
        pytest.importorskip("xdist")
    project.capability("[{over: each}]", (kept, 2, 0, 0))
    conftest(project, REPLACED)
    result = project.run("general.yaml", "-v", *parallel)
    assert result.ret == code
    assert "its verdict is unknown, for a hook of a conftest.py or a plugin put another report" in said_by(
        result
    )
    assert project.record()["run"]["cases"]["never_asked"] == 2


def test_a_suite_that_cannot_be_read_is_an_error(green):
    green.write("broken.yaml", "suite: broken\nprobes: []\ngates: [}\n")
    assert green.run(*green.green, "broken.yaml").ret == 2
    assert status(green) == ("error", 2)


@pytest.mark.parametrize("parallel", [(), TWO])
def test_which_suites_were_asked(project, parallel):
    if parallel:
        pytest.importorskip("xdist")
    good(project)
    assert project.run("--sample", "50", "--sample-seed", "7", *parallel).ret == 0
    run = project.record()["run"]
    assert (run["sample"], run["sample_seed"]) == (50, 7)
    [suite] = run["suites"].values()
    file = project.path / "general.yaml"
    assert suite["path"] == "general.yaml"
    assert suite["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert suite["probes"] == 60
    assert run["started"] <= run["ended"]
    assert run["ended"].endswith("+00:00")


def content(project):
    assert project.run().ret in (0, 1)
    return project.record()["run"]["suites"]["general"]["content"]


def test_the_fingerprint_is_of_what_is_asked_and_judged(project):
    good(project)
    file = project.path / "general.yaml"
    before, text = content(project), file.read_text()
    file.write_text(f"# A remark.\n{text}")
    assert content(project) == before
    file.write_text(text.replace("max_drop: 0.10", "max_drop: 0.12"))
    margin = content(project)
    file.write_text(text.replace("answer: yes", "answer: [yes, indeed]", 1))
    assert len({before, margin, content(project)}) == 3


def test_probes_of_a_data_file_count(project):
    project.write("data.csv", "id,question,answer\n" + "".join(f"q{n},Q {n}?,yes\n" for n in range(60)))
    project.write(
        "general.yaml", f"suite: general\nscore: mentions\ngates: {ALL}\nprobes_from: {{file: data.csv}}\n"
    )
    project.models({"*": "yes"}, {"*": "yes"})
    before = content(project)
    project.write("data.csv", (project.path / "data.csv").read_text().replace("Q 3?", "Q three?"))
    assert content(project) != before


def test_the_file_is_as_it_was_read(project):
    good(project)
    conftest(project, "\n\ndef pytest_runtest_setup():\n    (HERE / 'general.yaml').write_text('changed')\n")
    before = hashlib.sha256((project.path / "general.yaml").read_bytes()).hexdigest()
    assert project.run().ret == 0
    assert project.record()["run"]["suites"]["general"]["sha256"] == before


def test_what_stands_out_is_in_the_summary_and_the_record(project):
    bad(project)
    result = project.run()
    line = '60 of 60 lost answers are "No idea."; of the baseline\'s to the same probes, none'
    assert project.record()["run"]["observed"] == [line]
    assert line in result.outlines


def test_why_an_answer_is_wrong_is_in_the_failure_and_the_record(project):
    project.write(
        "form.yaml",
        "suite: form\nscore: {check: {max_words: 2}}\ngates: [{over: each}]\nprobes: [{id: a, question: Why?, severity: critical}]\n",
    )
    project.models({"*": "Just so."}, {"*": "I do not know."})
    result = project.run()
    result.stdout.fnmatch_lines(["*  why       max_words: 2: has 4"])
    [row] = project.record()["probes"]
    assert row["tuned"]["why"] == "max_words: 2: has 4"
    assert "why" not in row["baseline"]


def test_the_commands_to_run_next(project):
    bad(project)
    result = project.run("general.yaml", "--junit-xml", "gate.xml")
    lines = result.outlines[result.outlines.index("what now") :]
    assert lines[2].startswith("    pytest -p harness.plugin ")
    assert lines[2].endswith(" general.yaml --only-lost=reports/latest")
    assert "    python -m harness preview 'general.yaml::probe[lost-0]'" in lines
    assert "    python -m harness rescore reports/latest --suite general.yaml" in lines
    good(project)
    assert "what now" not in project.run("general.yaml").outlines


def test_hostile_names_in_the_commands(project):
    folder, suite = "re $(po)'rt\x1b[31m", "su;ite `x`.yaml"
    project.capability(ALL, (0, 60, 0, 0), file=suite)
    result = project.run(suite, f"--report={folder}")
    assert json.loads((project.path / folder / "record.json").read_text())["run"]["status"] == "forgotten"
    assert "\x1b[31m" not in result.stdout.str()
    commands = [line for line in result.outlines if line.startswith("    p")]
    assert [shlex.split(line)[-1] for line in commands] == [
        f"--only-lost={visible(folder)}", f"{suite}::probe[lost-0]", "TEXT", suite
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "said"),
    [(0, "passed"), (1, "forgotten"), (5, "nothing decided"), (4, "error"), (None, "unfinished")],
)
def test_a_record_of_an_older_version_can_be_read(green, code, said):
    run = green.record()["run"] | {"status": "finished", "exit_status": code}
    for key in ("ended", "suites", "sample", "sample_seed", "observed"):
        del run[key]
    assert RunRow.model_validate(run).status == said
    assert latest(green)[0] == "passed"
