"""Replies as chat models write them, judged by each score of text and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.scoring import SCORERS

REPLIES: dict[str, list[Any]] = yaml.safe_load(
    Path(__file__).with_name("more_replies.yaml").read_text("utf-8")
)


@pytest.mark.parametrize(
    ("name", "answers", "judgement", "reply"),
    [(name, *row) for name, rows in REPLIES.items() for row in rows],
)
def test_a_reply_is_judged_as_a_reader_would(name, answers, judgement, reply):
    assert SCORERS[name]().right(reply, answers) is (judgement == "right")
