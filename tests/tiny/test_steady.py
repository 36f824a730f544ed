"""In smaller floats, the shapes of passes are independent of what a model writes, and rows are refilled all the same."""

from __future__ import annotations

import pytest
import torch

from harness.engine.requests import Chat, Generate, Message
from harness.engine.settings import Settings
from harness.engine.transformers import branching, kind
from harness.engine.transformers.forward import Forward, likeliest
from harness.engine.transformers.passes import WritingPass
from tests.support.engines import load_reference

LONG = "the same long beginning of some prompts. " * 3
QUESTIONS = [
    Generate(Chat((Message("user", f"{LONG if n % 3 else ''}question {n}?"),)), 4 + 3 * (n % 5), stop=("e",))
    for n in range(40)
]


@pytest.fixture
def steady(monkeypatch):
    """Float32 counts as a smaller float, so that the other way to ask has the same answers."""
    monkeypatch.setattr(kind, "EXACT", ())


def shapes_of(engine, monkeypatch) -> list[tuple[str, int, int]]:
    """All passes in their order: ("read", tokens, logits) or ("write", rows, room)."""
    passes: list[tuple[str, int, int]] = []
    at, init = Forward.at, WritingPass.__init__

    def written(self, rows, count, room, device):
        init(self, rows, count, room, device)
        passes.append(("write", count, room))

    def read(self, tokens, positions, kept):
        if len(tokens) != len(kept):
            passes.append(("read", len(tokens), len(kept)))
        return at(self, tokens, positions, kept)

    with monkeypatch.context() as patched:
        patched.setattr(branching, "WritingPass", type("Seen", (WritingPass,), {"__init__": written}))
        patched.setattr(Forward, "at", read)
        engine.ask(QUESTIONS)
    return passes


@pytest.mark.parametrize("tokens", [40, 1000, 4000])
def test_the_answers_are_those_of_refilled_and_compacted_rows(base, tokens, monkeypatch):
    settings = Settings(batch_tokens=tokens)
    expected = load_reference(str(base), settings).ask(QUESTIONS)
    assert len({answer.tokens for answer in expected}) > 5, "the answers end together"
    monkeypatch.setattr(kind, "EXACT", ())
    assert load_reference(str(base), settings).ask(QUESTIONS) == expected


def test_shapes_are_the_same_whatever_is_written(base, steady, monkeypatch):
    engine = load_reference(str(base), Settings(batch_tokens=1000))
    ours = shapes_of(engine, monkeypatch)
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in engine.model.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    others = shapes_of(engine, monkeypatch)
    assert ours != others, "both models wrote answers of the same lengths"
    assert [one for one in ours if one[0] == "read"] == [one for one in others if one[0] == "read"]
    assert {one for one in ours if one[0] == "write"} == {one for one in others if one[0] == "write"}


def test_rows_are_refilled_while_others_go_on(base, steady, monkeypatch):
    went_on: list[int] = []

    class Seen(branching._Batch):
        written = False

        def _step(self):
            self.written = True
            super()._step()

        def _read(self, free):
            if self.written:
                went_on.append(self.rows.count - len(free))
            super()._read(free)

    monkeypatch.setattr(branching, "_Batch", Seen)
    load_reference(str(base), Settings(batch_tokens=1000)).ask(QUESTIONS)
    assert max(went_on) > 0


def test_the_likeliest_token_of_a_smaller_float_is_the_first_of_the_largest():
    logits = torch.tensor([[0.0, 2.0, 2.0, 1.0], [1.0, float("nan"), 0.0, 0.0]], dtype=torch.bfloat16)
    assert likeliest(logits)[0] == (1, True)
    assert likeliest(logits)[1][1] is False
