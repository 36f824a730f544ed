"""--junitxml: each case with its numbers as properties, in XML that any reader takes."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from .project import said


def cases(project, *arguments):
    result = project.run("--junitxml", "out.xml", *arguments)
    root = ET.parse(project.path / "out.xml").getroot()
    return result, root, {case.get("name"): case for case in root.iter("testcase")}


def properties(case):
    return {one.get("name"): one.get("value") for one in case.iter("property")}


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
def test_properties_of_a_case(project, family):
    project.write("pytest.ini", f"[pytest]\njunit_family = {family}\n")
    project.capability("[{over: category, max_drop: 0.10}]", {"math": (9, 11, 1, 9)}, severity="critical")
    result, root, found = cases(project, "-W", "error::pytest.PytestWarning")
    assert "warning" not in said(result).lower()
    case = found["category[math]"]
    assert properties(case) == {
        "suite": "general", "slice": "category[math]", "over": "category", "severity": "critical", "n": "30",
        "kept": "9", "lost": "11", "gained": "1", "missed": "9", "baseline_accuracy": "0.6667",
        "tuned_accuracy": "0.3333", "drop": "0.3333", "confidence": "0.9000", "mid_p": "0.0017",
        "max_drop": "0.1000", "verdict": "FORGOTTEN", "outcome": "failed", "interval": "0.1649 to 0.4940",
        "baseline_cut": "0", "tuned_cut": "0",
    }  # fmt: skip
    assert case.find("failure").text.startswith("general · math: FORGOTTEN, 33.3 points lost (margin 10;")
    assert root.find("testsuite").get("failures") == "1"


def test_every_outcome(project):
    project.capability("[{over: each}, {over: all, max_drop: 0.5}]", (1, 1, 0, 1))
    _, root, found = cases(project)
    assert {name: properties(case)["verdict"] for name, case in found.items()} == {
        "probe[kept-0]": "RETAINED",
        "probe[lost-0]": "FORGOTTEN",
        "probe[missed-0]": "VACUOUS",
        "all": "INCONCLUSIVE",
    }
    assert found["probe[missed-0]"].find("skipped").get("message") == (
        "general · missed-0: both models miss it, so there is nothing to lose here"
    )
    assert properties(found["all"])["outcome"] == "warned"
    suite = root.find("testsuite")
    assert [suite.get(key) for key in ("tests", "failures", "skipped", "errors")] == ["4", "1", "1", "0"]


def test_the_tuned_model_alone(project):
    project.capability("[{over: each, require: pass}]", (1, 0, 0, 0))
    _, _, found = cases(project)
    assert properties(found["probe[kept-0]"]) == {
        "suite": "general", "slice": "probe[kept-0]", "over": "each", "severity": "high", "n": "1",
        "tuned_accuracy": "1.0000", "confidence": "0.9000", "outcome": "passed",
    }  # fmt: skip


def test_output_that_xml_cannot_hold(project):
    project.write("s.yaml", "suite: s\nscore: mentions\ngates: [{over: each}]\n"
                  "probes: [{id: a, question: A?, answer: yes}]\n")  # fmt: skip
    project.models({"*": "yes"}, {"*": "\x00\x1b[31m]]></failure>\ud800\uffff&amp;"})
    result, _, found = cases(project)
    assert result.ret == 1
    assert '"\\u0000\\u001b[31m]]></failure>\\ud800\\uffff&amp;"' in found["probe[a]"].find("failure").text


def test_an_input_error_is_an_error_or_a_failure(project):
    project.capability("[{over: each}]", (2, 0, 0, 0))
    project.models({}, {"general kept-0?": None})
    result, root, found = cases(project)
    assert result.ret == 4
    assert len(found) == 1
    assert "must return text, returned NoneType" in next(iter(found.values())).find("failure").text
    assert root.find("testsuite").get("failures") == "1"
