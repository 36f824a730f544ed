"""`--max-flips`: a model that should be the same as the baseline, gated by the answers that flip in either direction."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from harness import run_gate
from harness.cli.main import main
from tests.support.project import RIGHT, WRONG, not_green, said
from tests.support.runs import ALL, TWO

OBSERVED = "[{over: all, max_drop: 0.9, on_inconclusive: observed}]"


def flips(project):
    return project.outcomes()["overall flips"]


@pytest.mark.parametrize(
    ("counts", "outcome", "code"),
    [
        ((60, 0, 0, 0), ("RETAINED", "passed"), 0),
        ((60, 10, 10, 0), ("FORGOTTEN", "failed"), 1),  # nothing lost on balance
        ((60, 2, 2, 0), ("INCONCLUSIVE", "skipped"), 5),
    ],
)
def test_flips_in_both_directions_decide_a_run_even_of_one_suite(project, counts, outcome, code):
    project.capability(ALL, counts)
    result = project.run("--max-flips=0.05", "-rs")
    assert flips(project) == outcome
    assert result.ret == code, said(result)
    assert project.record()["run"]["exit_status"] == code


def test_without_the_option_there_is_no_such_gate(project):
    project.capability(OBSERVED, (60, 10, 10, 0))
    assert project.run().ret == 0
    assert "overall flips" not in project.outcomes()


def test_a_failure_says_how_many_flip_and_how_to_find_out_why(project):
    for name in ("one", "two"):
        project.capability(OBSERVED, (60, 10, 10, 0), name=name)
    text = not_green(project.run("--max-flips=0.05", "--junit-xml=r.xml", "--report-html=page.html"))
    assert (
        "answers that flip: FORGOTTEN, 25.0 % of the probes flip (margin 5 %; 90 % interval 19.8 to 31 %)"
        in text
    )
    assert "  20 lost and 20 gained of 160 probes" in text
    assert "Not the same model: 25.0 % of the probes flip" in text
    [failed] = [
        case for case in ET.parse(project.path / "r.xml").getroot().iter("testcase") if case.find("failure") is not None
    ]  # fmt: skip
    assert (failed.get("classname"), failed.get("name")) == ("overall", "flips")
    page = (project.path / "page.html").read_text()
    assert "25.0 % of the probes flip (90 % interval 19.8 to 31 %; margin 5 %): FORGOTTEN." in page


def test_workers_of_xdist_agree(project):
    for name in ("one", "two"):
        project.capability(OBSERVED, (60, 10, 10, 0), name=name)
    assert project.run_alone(*TWO, "--max-flips=0.05").ret == 1
    assert flips(project) == ("FORGOTTEN", "failed")
    [row] = [row for row in project.record()["gates"] if row["max_flips"]]
    assert (row["flips"], row["n"], row["lost"], row["gained"]) == (0.25, 160, 20, 20)


def test_it_can_be_selected_alone_and_decided_again(project, capsys):
    project.capability(OBSERVED, (60, 10, 10, 0))
    assert project.run("--max-flips=0.05", "-k", "flips").ret == 1
    assert [*project.outcomes()] == ["overall flips"]
    project.run("--max-flips=0.05")
    capsys.readouterr()
    assert main(["rescore", str(project.path / "reports/latest"), "--format", "json"]) == 1
    again = json.loads(capsys.readouterr().out)
    assert again["gates"] == project.record()["gates"]


@pytest.mark.parametrize("value", ["0", "1", "-0.1", "nan", "off", "all"])
def test_a_margin_is_a_fraction(project, value):
    project.capability(ALL, (60, 0, 0, 0))
    text = not_green(project.run(f"--max-flips={value}"))
    assert f"must be a number above 0 and below 1, such as 0.05, saw '{value}'" in text


def test_gates_over_each_probe_have_their_answers_counted_too(project):
    project.capability("[{over: each}]", (60, 0, 10, 0))
    result = project.run("--max-flips=0.05")
    assert flips(project) == ("FORGOTTEN", "failed")
    assert result.ret == 1
    assert project.run("--max-flips=0.4").ret == 0


def test_run_gate(project):
    project.capability(OBSERVED, (60, 10, 10, 0))
    suite = project.path / "general.yaml"

    def wrong_on(which):
        return lambda prompt: WRONG if which in prompt else RIGHT

    record = run_gate(wrong_on(" lost-"), suite, wrong_on(" gained-"), max_flips=0.05)
    assert [(row.max_flips, row.flips, row.outcome) for row in record.gates if row.slice == "flips"] == [
        (0.05, 0.25, "failed")
    ]
    assert record.run.exit_status == 1
    assert run_gate(wrong_on(" lost-"), suite, wrong_on(" gained-")).run.exit_status == 0
