"""docs/authoring.md: its examples can be run, and its tables have every key."""

from __future__ import annotations

import re

import pytest

from harness.authoring.lint_rules import weaknesses
from harness.scoring import BUILT_IN
from harness.scoring.check import rule_keys
from harness.scoring.text import mentions
from harness.suites.format import GateFormat, ProbeFormat, SuiteFormat, TaskFormat
from harness.suites.schema import suite_schema
from harness.suites.weakness import MEANINGS
from tools.docs.format_tables import PARTS, keys
from tools.docs.pages import GENERATORS
from tools.docs.score_pages import score_list, score_sections


@pytest.fixture
def page(root) -> str:
    return (root / "docs" / "authoring.md").read_text(encoding="utf-8")


@pytest.fixture
def examples(page) -> list[str]:
    """The YAML of the page: a suite, more sources of probes, and larger gates."""
    return re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_the_first_suite_is_sound_and_not_weak(read, examples):
    suite = read(examples[0])
    assert len(suite.probes) == 4
    assert weaknesses(suite, with_battery=True) == []


def test_the_exception_is_needed(read, page):
    (probe,) = re.findall(r"^    - id: capital-bells\n(?:      .*\n)+", page, re.MULTILINE)
    known = f"suite: s\ngates: [{{over: each}}]\nprobes:\n{probe}"
    assert weaknesses(read(known), with_battery=True) == []
    unsaid = re.sub("      lint_ignore.*\n", "", known)
    (weakness,) = weaknesses(read(unsaid), with_battery=True)
    assert "judges wrong the answer in small letters" in weakness.message


def test_every_weakness_is_in_a_table(page):
    listed = set(re.findall(r"`(\w+)`", page))
    assert MEANINGS.keys() <= listed


def test_probes_that_need_not_be_typed(read, examples, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "capitals.csv").write_text(
        "id,question,answer,category\njapan,Capital of Japan?,Tokyo,geography\n", encoding="utf-8"
    )
    suite = read(examples[0] + examples[1])
    assert len(suite.probes) == 4 + 50 + 1
    assert suite.probes[4].fields["question"].startswith("What is ")


def test_questions_about_one_text(read, examples):
    (example,) = [example for example in examples if "filler" in example]
    suite = read(f"suite: s\nscore: mentions\ngates: [{{over: category, max_drop: 0.2}}]\n{example}")
    assert [probe.id for probe in suite.probes[:3]] == ["room-1", "flag-1", "room-2"]
    assert len({probe.fields["passage"] for probe in suite.probes}) == 4
    assert all(
        mentions(probe.fields["passage"], answer) for probe in suite.probes for answer in probe.answers
    )


def test_the_larger_gates(read, examples):
    small = examples[0].replace("gates:\n  - {over: each}\n", examples[2])
    assert [gate.over for gate in read(small).gates] == ["all", "category"]


def test_every_key_is_in_a_table():
    shapes = {"suite": SuiteFormat, "task": TaskFormat, "gate": GateFormat, "probe": ProbeFormat}
    for part, shape in shapes.items():
        assert {f"`{info.alias or name}`" for name, info in shape.model_fields.items()} <= set(
            re.findall(r"^\| (\S+) \|", keys(part), re.MULTILINE)
        )
    assert re.findall(r"^\| `(\S+)` \|", keys("check"), re.MULTILINE) == rule_keys()
    assert re.findall(r"^\| \[`(\S+)`\]", score_list(), re.MULTILINE) == sorted(BUILT_IN)
    assert re.findall(r"^### (\S+)$", score_sections(), re.MULTILINE) == sorted(BUILT_IN)


def test_every_part_of_the_schema_has_a_table():
    assert set(suite_schema(BUILT_IN)["$defs"]) == {name for name in PARTS.values() if name} | {
        "score",
        "piece",
    }
    assert {f"keys-{part}" for part in PARTS} <= set(GENERATORS)


def test_a_table_reads_well():
    assert (
        "| `max_drop` | number, 0 to 1 |  | The margin: the largest acceptable drop in accuracy, 0 to 1. |"
        in keys("gate")
    )
    assert "| `gates` | list of gate | required | What fails the run. |" in keys("suite")
    assert "| `probes_from` | text or probes_from |" in keys("suite")
    assert "| `answer` | text or list of text |" in keys("probe")
    assert "| `tolerance` | number, 0 or more | `0.0` | How far from" in score_sections()
