"""A model with its adapter on and off, and what it is asked, in; proof that the adapter changes a logit of that out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from harness.engine.requests import Generate, Request
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.proof import ADDED, Row, logits_of
from harness.engine.transformers.quiet import quiet
from harness.errors import EngineError

ROW = 256
"""So many of the tokens that are asked are read at once."""

CHUNK = 4096
"""So many of a vocabulary are embedded at once."""


@dataclass(frozen=True)
class State:
    """A model in one of the states that it can be put in; `size` tokens of its vocabulary count."""

    model: Any
    enter: Callable[[], AbstractContextManager[Any]]
    size: int

    def logits(self, row: Row) -> torch.Tensor:
        """Its logits of a row, (tokens, size)."""
        with self.enter(), quiet():
            return self._cut(logits_of(self.model, [row])[0])

    def differs(self, row: Row, logits: torch.Tensor) -> bool:
        """Whether any logit of a row is not what another gave, (1, tokens, vocabulary)."""
        return not torch.equal(self.logits(row), self._cut(logits))

    def _cut(self, logits: torch.Tensor) -> torch.Tensor:
        return logits[0, :, : self.size]


def acts(on: State, off: State, rows: Sequence[Row]) -> bool:
    """Whether any logit differs: of rows of tokens, or of those tokens that are embedded otherwise."""
    if any(differ(on, off, row) for row in rows):
        return True
    tokens = embedded_otherwise(on, off)
    return bool(tokens) and differ(on, off, tokens)


def differ(on: State, off: State, row: Row) -> bool:
    """Whether any logit of a row differs."""
    return not torch.equal(on.logits(row), off.logits(row))


@torch.inference_mode()
def embedded_otherwise(on: State, off: State) -> Row:
    """The first tokens of a vocabulary whose embeddings differ, at most `ADDED`."""
    found: Row = []
    for tokens in torch.split(torch.arange(on.size, device=on.model.device), CHUNK):
        embedded = []
        for state in (on, off):
            with state.enter():
                embedded.append(state.model.get_input_embeddings()(tokens))
        found += tokens[(embedded[0] != embedded[1]).any(-1)].tolist()
        if len(found) >= ADDED:
            break
    return found[:ADDED]


def check_acts(tuned: TorchEngine, off: State | None, asked: Sequence[Request], acts: bool) -> None:
    """Refuse an adapter by which nothing changes that is asked: all that a run could say of it is that it did nothing.

    Args:
        off: the base; None where it is not at hand.
        acts: whether the adapter is known to act on something else.

    Raises:
        EngineError: every logit and every answer would be the same without it.
    """
    if asked and off is not None:
        on = State(tuned.model, tuned.active, off.size)
        try:
            same = not any(differ(on, off, row) for row in _rows(tuned, asked, off.size))
        except EngineError:  # what cannot be asked is said where it is asked
            return
        if not same or (acts and _written_otherwise(tuned, off, asked)):
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
    """All tokens that are asked, each once: what an adapter does to a token, it does wherever the token stands.

    One that acts by where it was invoked is shown the prompts as they are.
    """
    seen: set[int] = set()
    waiting: Row = []
    longest = max(1, min(ROW, engine.context or ROW))
    for request in asked:
        for tokens in engine.request_tokens(request):
            if engine.whole:
                yield [token for token in tokens if token < size]
                continue
            waiting += (
                new := [token for token in dict.fromkeys(tokens) if token < size and token not in seen]
            )
            seen.update(new)
            while len(waiting) >= longest:
                yield waiting[:longest]
                del waiting[:longest]
    if waiting:
        yield waiting


def _written_otherwise(tuned: TorchEngine, off: State, asked: Sequence[Request]) -> bool:
    """Whether an answer differs, though no prompt does: where a model writes the tokens that the adapter acts on."""
    written = [request for request in asked if isinstance(request, Generate)]
    base = TorchEngine(off.model, tuned.tokenizer, tuned.label, off.enter, tuned.budget, tuned.whole)
    return bool(written) and tuned.ask(written) != base.ask(written)
