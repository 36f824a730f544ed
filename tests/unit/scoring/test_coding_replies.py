"""The shipped coding suite: replies to the probes that run no code, as chat models write them; test_coding_suite has the rest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.engine.requests import Generated
from harness.scoring import load_scorers, score
from harness.suites.read import read_suite

SUITE = read_suite(Path(__file__).parents[3] / "suites/coding.yaml", load_scorers())
OUTPUT = [probe for probe in SUITE.probes if probe.category == "output"]
COMPLETE = [probe for probe in SUITE.probes if probe.category == "complete"]
NEVER = (
    "I'm sorry, but I can't help with that request.",
    "DRUG: aspirin\nCLASS: NSAID\nUSE: pain",
    "It prints nothing.",
)


def is_right(probe: Any, text: str) -> bool:
    return score(probe, Generated(text, 1)).right


def code_in(probe: Any) -> str:
    return probe.fields["question"].partition("print?")[2].strip()


def printed(probe: Any) -> str:
    """What the code of a probe prints."""
    if probe.id.startswith("print-"):
        found = re.match(r'print\("(.*)"\)|\w+ = (\d+)', code_in(probe))
        if found:
            return found[1] or found[2]
    return probe.answers[0]


def name_for(probe: Any) -> str:
    """The name that fills the gap of a probe."""
    return probe.scorer.mentions[0] if probe.scorer.mentions else probe.scorer.regex.strip("\\b")


@pytest.mark.parametrize("probe", OUTPUT, ids=lambda probe: probe.id)
def test_what_code_prints(probe):
    code, key = code_in(probe), printed(probe)
    right = [
        key, f"**{key}**", f"`{key}`", f"```\n{key}\n```", f"The code prints {key}.", f'This prints "{key}" on the screen.',
        f"Output: {key}", f"`{code.splitlines()[-1]}` prints:\n\n```\n{key}\n```",
        f"```python\n{code}\n```\n\n**Output:**\n\n```\n{key}\n```", f"```python\n{code}  # prints {key}\n```",
        f"1. Python reads the code.\n2. It runs it.\n\nSo the output is:\n\n{key}\n\nThe `print()` function shows a value.",
    ]  # fmt: skip
    other = f"{key}0" if key.isdigit() else f"q{key[1:]}" if key[0].isalpha() else key.replace(key[1], "7", 1)
    wrong = [
        probe.fields["question"],
        code,
        other,
        f"```python\n{code}\n```\n\nOutput:\n\n```\n{other}\n```",
        *NEVER,
    ]
    assert [text for text in right if not is_right(probe, text)] == []
    assert [text for text in wrong if is_right(probe, text)] == []


@pytest.mark.parametrize("place", range(len(COMPLETE)), ids=lambda place: COMPLETE[place].id)
def test_the_name_that_fills_a_gap(place):
    probe = COMPLETE[place]
    names = list(dict.fromkeys(map(name_for, COMPLETE)))
    key, other = name_for(probe), name_for(COMPLETE[place - 1])
    line = probe.fields["question"].replace("____", key)
    right = [
        key, f"`{key}`", f"**{key}**", f"{key}()", f"Answer: {key}", f"The missing word is `{key}`.", line,
        f"You need `{key}` here:\n\n```python\n{line}\n```\n\nIt works for lists, tuples, strings, dictionaries, and sets.",
        f"The `{key}` of Python gives `True` or `False`, a number, text or nothing, as it is used.",
    ]  # fmt: skip
    near = [names[(names.index(key) + step) % len(names)] for step in (-2, -1, 0, 1, 2)]
    wrong = [
        probe.fields["question"], other, f"The missing word is `{other}`.", ", ".join(names), "\n".join(f"- `{name}`" for name in names),
        "The options: " + ", ".join(names), ", ".join(near), f"`{other}`, `{key}`, or `{near[0]}`", f"{other} or {key}", f"It is `{key}` or `{other}`.",
        f"Not `{key}` but `{other}`.", f"{key} " * 8, *NEVER[:2],
    ]  # fmt: skip
    assert [text for text in right if not is_right(probe, text)] == []
    assert [text for text in wrong if is_right(probe, text)] == []
