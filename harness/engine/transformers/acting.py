"""Prove that an adapter acts: a model with it on and off must differ in a logit of what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from harness.engine.asked_rows import ROW, distinct_tokens
from harness.engine.requests import Generate, Request
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.proof import ADDED, CHUNK, Row, logits_of
from harness.engine.transformers.quiet import quiet
from harness.errors import EngineError


@dataclass(frozen=True)
class State:
    """A model and one of its states, entered by `enter`; only the first `size` tokens of its vocabulary count."""

    model: Any
    enter: Callable[[], AbstractContextManager[Any]]
    size: int

    def logits(self, row: Row) -> torch.Tensor:
        """The logits of a row, (1, tokens, size)."""
        with self.enter(), quiet():
            return logits_of(self.model, [row])[0][..., : self.size]

    def differs(self, row: Row, logits: torch.Tensor) -> bool:
        """Whether any logit of a row differs from `logits`, (1, tokens, vocabulary)."""
        return not torch.equal(self.logits(row), logits[..., : self.size])


def acts(on: State, off: State, rows: Sequence[Row]) -> bool:
    """Whether any logit differs: in `rows`, or in a row of the tokens whose embeddings differ."""
    if any(on.differs(row, off.logits(row)) for row in rows):
        return True
    tokens = _embedded_differently(on, off)
    return bool(tokens) and on.differs(tokens, off.logits(tokens))


@torch.inference_mode()
def _embedded_differently(on: State, off: State) -> Row:
    """The first tokens of the vocabulary whose embeddings differ, at most `ADDED`."""
    differing: Row = []
    for tokens in torch.split(torch.arange(on.size, device=on.model.device), CHUNK):
        embedded = []  # on and off, each (tokens, features)
        for state in (on, off):
            with state.enter():
                embedded.append(state.model.get_input_embeddings()(tokens))
        differing += tokens[(embedded[0] != embedded[1]).any(-1)].tolist()
        if len(differing) >= ADDED:
            break
    return differing[:ADDED]


def check_acts(tuned: TorchEngine, off: State | None, asked: Sequence[Request], acts: bool) -> None:
    """Reject an adapter that changes nothing that is asked: a run could only say that it did nothing.

    Args:
        off: the base; None if it is not in memory.
        acts: whether the adapter is known to change a logit of something else.

    Raises:
        EngineError: every logit and every answer would be the same without it.
    """
    if asked and off is not None:
        on = State(tuned.model, tuned.active, off.size)
        try:
            if any(on.differs(row, off.logits(row)) for row in _rows(tuned, asked, off.size)):
                return
        except EngineError:  # a request that cannot be asked is reported when it is asked
            return
        if acts and _answers_differ(tuned, off, asked):
            return
        raise EngineError(
            f"{tuned.label}: the adapter changes nothing that is asked: with it on and off, the logits of all {len(asked)} "
            "prompts are the same\n  was it saved before training, is it all zeros, or does it act on tokens that no prompt has?"
        )
    if not acts:
        raise EngineError(
            f"{tuned.label}: the adapter changes nothing: with it on and off, the logits are the same\n"
            "  was it saved before training, or is it all zeros?"
        )


def _rows(engine: TorchEngine, asked: Sequence[Request], size: int) -> Iterator[Row]:
    """All tokens of the requests, each once: an adapter that changes a token changes it wherever it occurs.

    An adapter that depends on where it is invoked gets the prompts as they are.
    """
    rows = (row for request in asked for row in engine.request_tokens(request))
    if engine.kind == "whole":
        yield from ([token for token in row if token < size] for row in rows)
    else:
        yield from distinct_tokens(rows, size, max(1, min(ROW, engine.context or ROW)))


def _answers_differ(tuned: TorchEngine, off: State, asked: Sequence[Request]) -> bool:
    """Whether an answer differs though no prompt does: the model may write the tokens that the adapter acts on."""
    written = [request for request in asked if isinstance(request, Generate)]
    base = TorchEngine(off.model, tuned.tokenizer, tuned.label, off.enter, tuned.budget, tuned.kind)
    return bool(written) and tuned.ask(written) != base.ask(written)
