"""The score `mentions` on replies that give an answer, and on replies that only have its characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.scoring.text import Mentions

GROUPS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("mention_replies.yaml").read_text("utf-8")
)
CASES = [
    (reply, str(group["answer"]), kind == "right")
    for group in GROUPS
    for kind in ("right", "wrong")
    for reply in group[kind]
]


@pytest.mark.parametrize(("reply", "answer", "right"), CASES)
def test_mentions_on_replies_of_chat_models(reply, answer, right):
    assert Mentions().right(reply, [answer]) is right


def test_there_are_enough_of_them():
    assert len(CASES) >= 300
