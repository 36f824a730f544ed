"""Suites as pytest items: names, selection, what is collected and what is left alone, and without torch."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.project import SMALL, not_green, said

SUITE = """\
suite: mixed
severity: critical
score: mentions
gates:
  - {over: all, max_drop: 0.1}
  - {over: category, max_drop: 0.2}
  - over: each
probes:
  - {id: add, question: 1 + 1?, answer: "2", category: math}
  - {id: json-object, question: JSON?, answer: yes, category: format, severity: low}
  - {id: capital, question: Capital?, answer: Paris, category: world history}
"""
ANSWERS = {"1 + 1?": "2", "JSON?": "yes", "Capital?": "Paris"}
NAMES = [
    "mixed.yaml::all",
    "mixed.yaml::category[math]",
    "mixed.yaml::category[format]",
    "mixed.yaml::category[world history]",
    "mixed.yaml::probe[add]",
    "mixed.yaml::probe[json-object]",
    "mixed.yaml::probe[capital]",
]

OTHER_YAML = {
    "docker-compose.yml": "services:\n  web: {image: nginx}\n",
    ".pre-commit-config.yaml": "repos:\n  - repo: local\n    hooks: []\n",
    "ci/workflow.yml": "name: ci\non: push\njobs:\n  test: {runs-on: ubuntu}\n",
    "tests/deployment_test.yaml": "suite: deployment\ntemplates: [d.yaml]\ntests:\n  - it: works\n",
    "tests/about.yaml": "about: us\nseverity: high\nscore: 3\ntask: none\n",
    "tests/probes.yaml": "probes:\n  - liveness\n",
    "tests/broken.yaml": "a: [\n",
    "tests/tags.yml": "x: !Ref y\n",
}
"""What other tools call their files; none is a suite."""


@pytest.fixture
def mixed(project):
    project.write("mixed.yaml", SUITE)
    project.models(ANSWERS, ANSWERS)
    return project


def collected(result):
    return [line for line in result.outlines if "::" in line]


def test_a_suite_is_collected_case_by_case(mixed):
    result = mixed.run("--collect-only", "-q")
    assert collected(result) == NAMES
    assert result.ret == 0


def test_the_tree_names_the_file_and_its_cases(mixed):
    result = mixed.run("--collect-only")
    result.stdout.fnmatch_lines(
        ["*<SuiteFile mixed.yaml>", "*<CaseItem all>", "*<CaseItem category[[]math[]]>"]
    )


@pytest.mark.parametrize("name", NAMES)
def test_one_case_by_its_name(mixed, name):
    result = mixed.run("--collect-only", "-q", name)
    assert collected(result) == [name]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["mixed.yaml"], NAMES),
        (["-k", "math"], [NAMES[1]]),
        (["-k", "probe and not add"], NAMES[5:]),
        (["-k", "json-object"], [NAMES[5]]),
        (["-m", "critical"], [name for name in NAMES if "json" not in name]),
        (["-m", "low"], [NAMES[5]]),
        (["-m", "medium"], []),
        (["--deselect", "mixed.yaml::all"], NAMES[1:]),
    ],
)
def test_selection(mixed, arguments, expected):
    result = mixed.run("--collect-only", "-q", "--strict-markers", *arguments)
    assert collected(result) == expected


def test_only_the_probes_of_selected_cases_are_asked(mixed):
    assert mixed.run("mixed.yaml::probe[add]").ret == 0
    assert mixed.asked("baseline") == mixed.asked("tuned") == ["1 + 1?"]


def test_no_probe_is_asked_twice(mixed):
    mixed.run()
    assert mixed.asked("baseline") == mixed.asked("tuned") == list(ANSWERS)


def test_the_inside_of_a_name_is_no_name(mixed):
    assert "did you mean 'category[math]'?" in mixed.run("mixed.yaml::math").stderr.str()


def test_a_case_that_is_not_there(mixed):
    result = mixed.run("mixed.yaml::category[nmath]")
    assert result.ret == 4
    assert (
        "there is no case 'category[nmath]'\n  did you mean 'category[math]'? there are: all, category[math], "
        in not_green(result)
    )


def test_nothing_selected_is_not_green(mixed):
    result = mixed.run("-k", "nothing-like-this")
    assert result.ret == 5


def test_severities_are_known_markers(project):
    project.run("--markers").stdout.fnmatch_lines(
        [
            "@pytest.mark.critical: a gate whose failure no release survives (forgetting gate)",
            "@pytest.mark.high: *",
            "@pytest.mark.medium: *",
            "@pytest.mark.low: *",
        ]
    )


def test_cases_are_reported_at_their_line(mixed):
    mixed.answers["tuned"] = {}
    mixed.models({}, {"*": "no"})
    record = mixed.run("-v", "-rs") and mixed.record()
    assert {row["slice"]: row["place"] for row in record["gates"]} == {
        "all": "mixed.yaml:5",
        "category[math]": "mixed.yaml:6",
        "category[format]": "mixed.yaml:6",
        "category[world history]": "mixed.yaml:6",
        "probe[add]": "mixed.yaml:9",
        "probe[json-object]": "mixed.yaml:10",
        "probe[capital]": "mixed.yaml:11",
    }


def test_reportinfo_points_at_the_yaml_line(mixed):
    mixed.pytester.makeconftest("")
    items, _ = mixed.pytester.inline_genitems("-p", "harness.plugin", "mixed.yaml")
    assert [item.reportinfo()[1:] for item in items][:5] == [
        (4, "all"),
        (5, "category[math]"),
        (5, "category[format]"),
        (5, "category[world history]"),
        (8, "probe[add]"),
    ]


def test_a_warning_stands_at_the_line_of_its_gate(project):
    project.capability("[{over: all, max_drop: 0.1}]", (28, 2, 0, 0))
    project.run("general.yaml::all").stdout.fnmatch_lines(
        ["*general.yaml:4: ForgettingWarning: general · all: INCONCLUSIVE*"]
    )


# Without torch, and without a model

LOADED = """
import json, sys
from pathlib import Path
def pytest_unconfigure(config):
    heavy = {"torch", "transformers", "peft", "pydantic", "numpy", "scipy", "huggingface_hub"}
    Path("loaded.json").write_text(json.dumps(sorted(heavy & set(sys.modules))))
"""


def loaded(project):
    return set(json.loads((project.path / "loaded.json").read_text()))


def test_collect_only_needs_no_model_and_no_torch(project):
    project.write("mixed.yaml", SUITE)
    project.write("conftest.py", LOADED)
    result = project.run_alone("--collect-only", "-q")
    assert result.ret == 0
    assert collected(result) == NAMES
    assert not loaded(project) & {"torch", "transformers", "peft"}


def test_collect_only_with_a_model_does_not_look_for_it(project):
    project.write("mixed.yaml", SUITE)
    result = project.run("--collect-only", "-q", "--model", "not-there")
    assert (result.ret, collected(result)) == (0, NAMES)
    assert not (project.path / "reports").exists()


def test_help_with_a_model_does_not_look_for_it(project):
    result = project.run("--help", "--model", "not-there")
    result.stdout.fnmatch_lines(["forgetting gate:", "*--model*REF*", "*--fail-on*"])
    assert result.ret == 0


def test_a_run_with_engines_of_one_s_own_loads_no_torch(mixed):
    mixed.write("conftest.py", (mixed.path / "conftest.py").read_text() + LOADED)
    result = mixed.run_alone()
    assert result.ret == 0, said(result)
    assert not loaded(mixed) & {"torch", "transformers", "peft"}


# Other projects


def test_a_project_without_suites_is_untouched(project):
    for name, text in OTHER_YAML.items():
        project.write(name, text)
    project.write("test_mine.py", "def test_mine(): pass\n")
    project.write("conftest.py", LOADED)
    result = project.run_alone()
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert loaded(project) == set()
    assert "forgetting gate" not in said(result)
    assert not (project.path / "reports").exists()


@pytest.mark.parametrize("name", sorted(OTHER_YAML))
def test_other_yaml_is_not_collected_even_by_name(project, name):
    project.write(name, OTHER_YAML[name])
    assert "collected 0 items" in said(project.run("--collect-only", name))


@pytest.mark.parametrize("name", ["s.yaml", "s.yml", "deep/er/s.yaml"])
def test_a_suite_is_found_wherever_it_is(project, name):
    project.write(name, SMALL)
    assert collected(project.run("--collect-only", "-q")) == [f"{name}::probe[a]"]


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("suite:", "siute:"),
        SMALL.replace("gates:", "gate:"),
        SMALL.replace("probes:", "prboes:"),
        SMALL.replace("probes:", "probes :"),
        "\ufeff" + SMALL,
        SMALL.replace("\n", "\r\n"),
        "# first\n---\n" + SMALL,
        re.sub(r"^(\w+):", r'"\1":', SMALL, flags=re.MULTILINE),
        re.sub(r"^(\w+):", r"'\1' :", SMALL, flags=re.MULTILINE),
        SMALL.encode("utf-16"),
        SMALL.encode("latin-1").replace(b"Why", b"W\xe9"),
    ],
)
@pytest.mark.parametrize("name", ["s.yaml", "S.YAML"])
def test_a_suite_with_a_slip_in_it_is_not_overlooked(project, text, name):
    project.write(name, text)
    result = project.run("--collect-only")
    assert result.ret == 2 or "1 test collected" in said(result)


def test_nothing_is_said_of_other_yaml_beside_suites(mixed):
    for name, text in OTHER_YAML.items():
        mixed.write(name, text)
    text = said(mixed.run(*mixed.folders()))
    assert "record: reports/latest/record.json" in text
    assert "looks like a suite" not in text
    assert not any("yml" in note or "yaml" in note for note in mixed.record()["run"]["notes"])


def test_yaml_that_is_named_with_a_model_must_be_a_suite(mixed):
    mixed.write("notes.yaml", "title: none\n")
    result = mixed.run(*mixed.folders(), "notes.yaml", "mixed.yaml")
    assert result.ret == 2
    assert "notes.yaml:1:1: a suite needs 'gates'" in not_green(result)
