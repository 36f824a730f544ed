"""--junitxml: XML that is valid under its schema, with as many numbers as that has room for."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.support.project import said

SCHEMA = {
    "testsuites": ("testsuite", "name time tests failures errors"),
    "testsuite": (
        "testsuite properties testcase system-out system-err",
        "name tests failures errors group time skipped timestamp hostname id package file log url version",
    ),
    "testcase": (
        "skipped error failure rerunFailure rerunError flakyFailure flakyError system-out system-err",
        "name time classname group",
    ),
    "properties": ("property", ""),
    "property": ("", "name value"),
    "failure": ("", "type message"),
    "error": ("", "type message"),
    "skipped": ("", "type message"),
    "system-out": ("", ""),
    "system-err": ("", ""),
}
"""Children and attributes by element, as Jenkins' xunit plugin has them in junit-10.xsd."""


def invalid(element, below=""):
    """What the schema does not know of an element and all in it."""
    place = f"{below}/{element.tag}"
    children, attributes = map(str.split, SCHEMA[element.tag])
    yield from (f"{place}: {name}" for name in element.attrib.keys() - set(attributes))
    for child in element:
        if child.tag not in children:
            yield f"{place}: {child.tag}"
        else:
            yield from invalid(child, place)


def cases(project, *arguments, family="xunit1"):
    result = project.run("--junitxml", "out.xml", "-o", f"junit_family={family}", *arguments)
    root = ET.parse(project.path / "out.xml").getroot()
    return result, root, {case.get("name"): case for case in root.iter("testcase")}


def properties(case):
    return {one.get("name"): one.get("value") for one in case.iter("property")}


@pytest.mark.parametrize("arguments", [(), ("-n", "2", "-p", "xdist")])
def test_the_default_is_valid_for_jenkins(project, arguments):
    project.capability("[{over: each}, {over: all, max_drop: 0.5, max_loss: 1}]", (1, 1, 0, 1))
    project.run("--junitxml", "out.xml", *project.folders(), *arguments)
    root = ET.parse(project.path / "out.xml").getroot()
    assert list(invalid(root)) == []
    assert len(list(root.iter("testcase"))) == 4
    assert properties(root.find("testsuite")) == {
        "gate_baseline": "baseline", "gate_device": "a function of conftest.py", "gate_tuned": "tuned", "gate_cases_selected": "4", "gate_cases_decided": "3",
        "gate_cases_skipped": "1", "gate_cases_excused": "0", "gate_cases_errors": "0", "gate_cases_never_asked": "0",
        "gate_cases_left_out": "0", "gate_cases_own": "0",
    }  # fmt: skip


@pytest.mark.parametrize("trouble", ["answer", "read"])
def test_an_error_is_valid_for_jenkins_too(project, trouble):
    project.capability("[{over: each}]" if trouble == "answer" else "[{over: ech}]", (2, 0, 0, 0))
    project.models({}, {"general kept-0?": None})
    _, root, found = cases(project, family="xunit2")
    assert list(invalid(root)) == []
    assert found


def test_a_run_without_suites_has_nothing_of_ours(project):
    project.write("test_plain.py", "def test_plain(): pass\n")
    _, root, _ = cases(project)
    assert list(root.iter("property")) == []


def test_without_junit_other_reporters_get_the_numbers(project):
    project.capability("[{over: each}]", (1, 0, 0, 0))
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text + "\n\ndef pytest_runtest_logreport(report):\n"
                  "    if report.when == 'call': print(dict(report.user_properties))\n")  # fmt: skip
    assert "'verdict': 'RETAINED'" in said(project.run("-s"))


def test_a_case_that_runs_again_has_its_numbers_once(project):
    pytest.importorskip("pytest_rerunfailures")
    project.capability("[{over: each}]", (0, 1, 0, 0))
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text + "\n\ndef pytest_collection_modifyitems(items):\n"
                  "    items[0].user_properties.append(('theirs', 1))\n")  # fmt: skip
    _, _, found = cases(project, "-p", "pytest_rerunfailures", "--reruns", "2")
    names = [one.get("name") for one in found["probe[lost-0]"].iter("property")]
    assert len(names) == len(set(names))
    assert names[0] == "theirs"


@pytest.mark.parametrize("family", ["xunit1", "legacy"])
def test_properties_of_a_case(project, family):
    project.capability("[{over: category, max_drop: 0.10}]", {"math": (9, 11, 1, 9)}, severity="critical")
    result, root, found = cases(project, "-W", "error::pytest.PytestWarning", family=family)
    assert "warning" not in said(result).lower().replace("-w error::pytest.pytestwarning", "")
    case = found["category[math]"]
    assert properties(case) == {
        "suite": "general", "slice": "category[math]", "over": "category", "severity": "critical", "n": "30",
        "kept": "9", "lost": "11", "gained": "1", "missed": "9", "baseline_accuracy": "0.6667",
        "tuned_accuracy": "0.3333", "drop": "0.3333", "confidence": "0.9000", "mid_p": "0.0017",
        "max_drop": "0.1000", "verdict": "FORGOTTEN", "outcome": "failed", "interval": "0.1649 to 0.4940",
        "baseline_cut": "0", "tuned_cut": "0", "max_loss": "0.3500", "holm_mid_p": "0.0017", "tests": "1",
        "design_effect": "1.0000",
    }  # fmt: skip
    assert case.find("failure").text.startswith("general · math: FORGOTTEN, 33.3 points lost (margin 10;")
    assert root.find("testsuite").get("failures") == "1"


def test_every_outcome(project):
    project.capability(
        "[{over: each}, {over: all, max_drop: 0.5, max_loss: 1}]", (1, 1, 0, 1), severity="critical"
    )
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
    project.write("s.yaml", "suite: s\nseverity: critical\nscore: mentions\ngates: [{over: each}]\n"
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
