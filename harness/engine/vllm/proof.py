"""Two models in vLLM in, an error out where they compute the same, or nothing.

vLLM shows no weights, so what is compared is the log-probability of each token that is asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.engine.asked_rows import ROW, distinct_tokens
from harness.engine.requests import Request
from harness.engine.transformers.checks import nothing_tuned
from harness.engine.transformers.proof import PROBE_TEXT
from harness.engine.vllm.engine import VllmEngine
from harness.errors import EngineError
from harness.models.identity import weights_identity
from harness.models.reference import Adapter, LocalPair, base_of
from harness.spelling import option


def check_acts(on: VllmEngine, off: VllmEngine, asked: Sequence[Request]) -> None:
    """Reject an adapter that changes nothing that is asked.

    Args:
        on, off: the same vLLM with the adapter and without.

    Raises:
        EngineError: every log-probability is the same with it and without.
    """
    if not any(_differs(on, off, row) for row in _rows(on, asked)):
        what = f"nothing that is asked: with it on and off, the log-probabilities of all {len(asked)} prompts"
        if not asked:
            what = "nothing: with it on and off, the log-probabilities"
        raise EngineError(
            f"{on.label}: the adapter changes {what} are the same\n"
            "  was it saved before training, is it all zeros, or does it act on tokens that no prompt has?"
        )


def check_differs(
    sources: LocalPair, baseline: VllmEngine, tuned: VllmEngine, asked: Sequence[Request]
) -> None:
    """Reject a tuned model that is the baseline: by its files or, if it is a full one, by what it computes.

    Raises:
        EngineError: it is.
    """
    before, after = sources.baseline, sources.tuned
    if isinstance(before, Adapter) is not isinstance(after, Adapter):
        return
    same = weights_identity(before.folder) == weights_identity(after.folder)
    if isinstance(after, Adapter):
        same = same and base_of(before).folder == after.base.folder
    elif not same and baseline.embeddings == tuned.embeddings:
        same = not any(_differs(tuned, baseline, row) for row in _rows(tuned, asked))
    if same:
        raise nothing_tuned(sources)


def check_finite(engine: VllmEngine) -> None:
    """Reject a model whose logits are NaN or infinite; raises EngineError."""
    row = next(_rows(engine, ()))
    if not all(math.isfinite(value) for value, _ in engine.likelihoods(row)):
        raise EngineError(
            f"{engine.label}: its logits are NaN or infinite in {engine.dtype}, so its answers mean nothing\n"
            f"  the weights are damaged, or too large for the dtype: try {option('dtype', 'float32')}"
        )


def _differs(one: VllmEngine, other: VllmEngine, row: list[int]) -> bool:
    """Whether log-probabilities differ by more than those of one engine that is asked twice."""
    first, second, again = ([value for value, _ in engine.likelihoods(row)] for engine in (other, one, other))
    noise = max(abs(left - right) for left, right in zip(first, again, strict=True))
    return any(abs(left - right) > noise for left, right in zip(first, second, strict=True))


def _rows(engine: VllmEngine, asked: Sequence[Request]) -> Iterator[list[int]]:
    """Rows of at least two tokens: all that are asked, each once, and those of a text."""
    start, size = engine.prompting.end_tokens[0], engine.embeddings
    rows = (row for request in asked for row in engine.request_tokens(request))
    longest = max(1, min(ROW, engine.context - 2))
    yield from ([start, *row] for row in distinct_tokens(rows, size, longest))
    text = engine.prompting.encode(PROBE_TEXT, special=False)
    yield [start, *(token for token in text if token < size)][:longest]
