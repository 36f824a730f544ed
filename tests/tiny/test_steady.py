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

LONG = [f"{word} same long beginning of some prompts. " * 3 for word in ("", "the", "one", "no")]
QUESTIONS = [
    Generate(
        Chat((Message("user", f"{LONG[n % 4] if n % 4 else ''}question {n}?"),)), 4 + 3 * (n % 5), stop=("e",)
    )
    for n in range(60)
]


@pytest.fixture
def steady(monkeypatch):
    """Float32 counts as a smaller float, so that the other way to ask has the same answers."""
    monkeypatch.setattr(kind, "EXACT", ())


def passes_of(engine, monkeypatch) -> tuple[list[int], list[tuple]]:
    """The lengths of the answers, and all passes: ("read", tokens, logits) or ("write", rows, room, lengths and sizes of groups)."""
    passes: list[tuple] = []
    at, init = Forward.at, WritingPass.__init__

    def written(self, rows, count, room, device):
        init(self, rows, count, room, device)
        members = [
            (beginning.length, None if members is None else len(members))
            for beginning, members in self.groups
        ]
        passes.append(("write", count, room, tuple(sorted(members, key=str))))

    def read(self, tokens, positions, kept):
        if len(tokens) != len(kept):
            passes.append(("read", len(tokens), len(kept)))
        return at(self, tokens, positions, kept)

    with monkeypatch.context() as patched:
        patched.setattr(branching, "WritingPass", type("Seen", (WritingPass,), {"__init__": written}))
        patched.setattr(Forward, "at", read)
        answers = engine.ask(QUESTIONS)
    return [answer.tokens for answer in answers], passes


@pytest.mark.parametrize("tokens", [40, 1000, 4000])
def test_the_answers_are_those_of_refilled_and_compacted_rows(base, tokens, monkeypatch):
    settings = Settings(batch_tokens=tokens)
    expected = load_reference(str(base), settings).ask(QUESTIONS)
    assert len({answer.tokens for answer in expected}) > 5, "the answers end together"
    monkeypatch.setattr(kind, "EXACT", ())
    assert load_reference(str(base), settings).ask(QUESTIONS) == expected


@pytest.mark.parametrize("tokens", [1000, 6000])
def test_shapes_are_the_same_whatever_is_written(base, steady, monkeypatch, tokens):
    engine = load_reference(str(base), Settings(batch_tokens=tokens))
    lengths, ours = passes_of(engine, monkeypatch)
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in engine.model.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    other_lengths, others = passes_of(engine, monkeypatch)
    assert lengths != other_lengths
    assert [one for one in ours if one[0] == "read"] == [one for one in others if one[0] == "read"]
    written = [{one for one in passes if one[0] == "write"} for passes in (ours, others)]
    assert written[0] == written[1]
    assert any(len(groups) > 1 for *_, groups in written[0]) == (tokens == 6000), (
        "groups share a batch where they fit"
    )


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
