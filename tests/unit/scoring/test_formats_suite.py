"""The shipped formats suite: right and wrong replies to each of its probes, in the ways that chat models write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.engine.requests import Generated
from harness.scoring import load_scorers, score
from harness.suites.read import read_suite

SUITE = read_suite(Path(__file__).parents[3] / "suites/formats.yaml", load_scorers())
PROBES = {probe.id: probe for probe in SUITE.probes}
REPLIES = yaml.safe_load(Path(__file__).with_name("formats_replies.yaml").read_text(encoding="utf-8"))
AROUND = (
    "{}",
    "Sure! Here you go:\n\n{}",
    "{}\n\nI hope this helps!",
    "### Answer\n\n{}\n\nLet me know if you need more.",
)
NEVER = (
    "I'm sorry, but I can't help with that request.",
    "Sure! I would be happy to help you with that.",
    "DRUG: aspirin\nCLASS: NSAID\nUSE: pain",
)


def is_right(probe: Any, text: str) -> bool:
    return score(probe, Generated(text, 1)).right


@pytest.mark.parametrize("id", REPLIES)
def test_right_replies_are_right_and_wrong_ones_wrong(id):
    replies = REPLIES[id]
    around = AROUND[:1] if replies.get("alone") else AROUND
    right = [form.replace("{}", reply) for reply in replies["right"] for form in around]
    assert [text for text in right if not is_right(PROBES[id], text)] == []
    assert [text for text in replies["wrong"] if is_right(PROBES[id], text)] == []


@pytest.mark.parametrize("probe", SUITE.probes, ids=lambda probe: probe.id)
def test_no_form_of_an_evasion_is_right(probe):
    assert [text for text in (*NEVER, probe.fields["question"]) if is_right(probe, text)] == []


JSON = [probe for probe in SUITE.probes if probe.category == "json" and probe.answers]


@pytest.mark.parametrize("probe", JSON, ids=lambda probe: probe.id)
def test_json_is_right_wherever_it_stands(probe):
    value = json.loads(probe.answers[0])
    line, block = json.dumps(value), json.dumps(value, indent=2)
    before = 'First {"a": 0} would be wrong. ' if isinstance(value, list) else "Step [1] is to think. "
    texts = (
        block, f"{before}\n\n{line}", f"{before}The answer is {line}.", f"{block}\n\nSee [1].", f"~~~json\n{block}\n~~~\nNote [2].",
        f"```\n{block}", f"```JSON\n{block}\n```\n\nNot `{{}}` or `[]`.", f"```python\ndata = {line}\n```",
    )  # fmt: skip
    assert [text for text in texts if not is_right(probe, text)] == []
    broken = (
        block[:-1],
        f"```json\n{line[:-1]}\n```",
        json.dumps([value]),
        json.dumps({"answer": value}),
        "{}[]",
    )
    assert [text for text in broken if is_right(probe, text)] == []


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("commas-from-", ["{0}, {1}, {2}, {3}, {4}", "{0},{1},{2},{3},{4}", "So: {0}, {1}, {2}, {3}, and {4}.", "{0}, {1}, {2}, {3} and {4}"],
         ["{0} {1} {2} {3} {4}", "{0}, {1}, {2}, {3}", "{0}, {1}, {2}, {3}, {4}, 99", "7, {0}, {1}, {2}, {3}, {4}", "{1}, {2}, {3}, {4}, {0}"]),
        ("numbered-four-", ["1. a\n2. b\n3. c\n4. d", "1) a\n2) b\n3) c\n4) d", "**1.** a\n\n**2.** b\n\n**3.** c\n\n**4.** d"],
         ["- a\n- b\n- c\n- d", "1. a\n2. b\n3. c", "1. a\n2. b\n3. c\n4. d\n5. e"]),
        ("fence-word-", ["```python\nprint('{word}')\n```", "~~~py\nx = '{word}'\nprint(x)\n~~~", "1. So:\n   ```Python\n   print('{word}')\n   ```"],
         ["{word}", "```python\n{word}\n```", "```python\nprint('other')\n```\nIt prints {word}.", "print('{word}')"]),
        ("assign-", ["{name} = {value}", "```python\n{name}={value}\n```", "`{name}: int = {value}`"],
         ["{name} == {value}", "{name} is {value}", "{name} = {value}0", "{value} = {name}"]),
    ],
)  # fmt: skip
def test_replies_to_probes_that_are_drawn(kind, right, wrong):
    probes = [probe for probe in SUITE.probes if probe.id.startswith(kind)]
    assert probes
    for probe in probes:
        words = probe.fields["question"].rstrip(".").replace(",", "").split()
        start = int(words[4]) if kind == "commas-from-" else 0
        named = {"word": words[-1], "name": words[-3], "value": words[-1]}
        filled = [
            [text.format(*range(start, start + 5), **named) for text in texts] for texts in (right, wrong)
        ]
        assert [text for text in filled[0] if not is_right(probe, text)] == []
        assert [text for text in filled[1] if is_right(probe, text)] == []


@pytest.mark.parametrize("name", ["table-", "function-"])
def test_replies_to_tables_and_functions_that_are_drawn(name):
    for probe in (probe for probe in SUITE.probes if probe.id.startswith(name) and probe.id not in REPLIES):
        words = probe.fields["question"].rstrip(".").split()
        if name == "function-":
            right = [
                f"```python\ndef {words[-1]}():\n    return 1\n```",
                f"def {words[-1]}(x: int) -> int: return x",
            ]
            wrong = [
                words[-1],
                f"```python\n{words[-1]}()\n```",
                "def solve():\n    return 1",
                f"def {words[-1]}():",
            ]
        else:
            one, two = words[-3], words[-1]
            right = [
                f"| {one} | {two} |\n|---|:---:|\n| 1 | 2 |",
                f"| **{one}** | **{two}** |\n| - | - |\n| 1 | 2 |",
                f"{one} | {two}\n--- | ---\n1 | 2",
            ]
            wrong = [
                f"| {one} | {two} |\n| 1 | 2 |",
                f"| {two} | {one} |\n|---|---|\n| 1 | 2 |",
                f"{one}: 1, {two}: 2",
            ]
        assert [text for text in right if not is_right(probe, text)] == []
        assert [text for text in wrong if is_right(probe, text)] == []
