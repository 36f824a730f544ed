"""The score `number` on replies as chat models write them: which number each settles on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.scoring.number import Number

GROUPS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("number_replies.yaml").read_text("utf-8")
)
CASES = [(reply, group["final"]) for group in GROUPS for reply in group["replies"]]


@pytest.mark.parametrize(("reply", "final"), CASES)
def test_the_number_that_a_reply_settles_on(reply, final):
    if final == "none":
        assert not any(Number().right(reply, [str(number)]) for number in (1, 5, 6, 14, 30, 42))
        return
    assert Number().right(reply, [str(final)])
    assert not Number().right(reply, [str(final + 1)])


@pytest.mark.parametrize(
    ("reply", "wrong"),
    [(reply, group["wrong"]) for group in GROUPS if "wrong" in group for reply in group["replies"]],
)
def test_a_right_number_in_a_reply_that_settles_on_another_is_wrong(reply, wrong):
    assert not Number().right(reply, [str(wrong)])


def test_there_are_enough_of_them():
    assert len(CASES) >= 200
