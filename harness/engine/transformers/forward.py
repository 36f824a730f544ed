"""A model as a function of tokens, and what every way of asking it takes from its logits."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch

from harness.engine.pace import Pace
from harness.engine.requests import Likelihood
from harness.engine.transformers.attention import configs_of
from harness.engine.transformers.products import fast_products
from harness.engine.transformers.prompting import Pair
from harness.engine.transformers.writing import Writing

State = Mapping[str, Any]
"""What a model keeps of the tokens that it has read, by the name under which it takes that again."""

STATES = ("past_key_values", "cache_params", "state")

LOGITS_BYTES = 1 << 28
"""The most memory, in bytes, that the logits of one pass may take in float32."""


class NotFinite(FloatingPointError):
    """Logits of the row with this index were NaN or infinite."""

    def __init__(self, row: int) -> None:
        super().__init__(f"the logits of row {row} are NaN or infinite")
        self.row = row


class Way(Protocol):
    """How rows of tokens go through a model.

    Both raise NotFinite where logits are NaN or infinite, and whatever torch raises where memory runs out; what was
    `done` before stays done.
    """

    def likelihoods(
        self, pairs: Sequence[Pair], done: Callable[[Mapping[int, Likelihood]], None], pace: Pace
    ) -> None:
        """log p(continuation | context) of each pair, summed over the tokens of the continuation; `done` takes it by index."""
        ...

    def write(
        self,
        prompts: Sequence[Sequence[int]],
        answers: Sequence[Writing],
        done: Callable[[Sequence[int]], None],
        pace: Pace,
    ) -> None:
        """Give each answer the likeliest token, one after another, until it is complete; `done` takes the indices of those."""
        ...


class Forward:
    """A model as a function: tokens in, logits out."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.config = model.config.get_text_config()
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        self.configs = configs_of(model)
        self.takes = inspect.signature(inner.forward).parameters

    @property
    def device(self) -> torch.device:
        """Where tokens go."""
        device: torch.device = self.model.device
        return device

    def __call__(self, **inputs: Any) -> Any:
        """What the model makes of its inputs."""
        with fast_products(self.device):
            return self.model(**inputs)

    def at(self, tokens: Sequence[int], positions: Sequence[int], kept: Sequence[int]) -> torch.Tensor:
        """The logits of one row of tokens, (kept, vocabulary), without a cache.

        Args:
            positions: of each token.
            kept: the places in the row of which logits are wanted, at least one.
        """
        row = torch.tensor([tokens], device=self.device)  # (1, width)
        places = torch.tensor(kept, device=self.device)
        extra = {"logits_to_keep": places} if "logits_to_keep" in self.takes else {}
        logits: torch.Tensor = self(
            input_ids=row,
            attention_mask=torch.ones_like(row),
            position_ids=torch.tensor([positions], device=self.device),
            use_cache=False,
            **extra,
        ).logits[0]
        return logits if extra else logits[places]

    def last(self, rows: Sequence[Sequence[int]], keep: int) -> torch.Tensor:
        """The logits at the end of rows of one length, (rows, keep, vocabulary), without a cache."""
        extra = {"logits_to_keep": keep} if "logits_to_keep" in self.takes else {}
        tokens = torch.tensor([list(row) for row in rows], device=self.device)
        logits: torch.Tensor = self(input_ids=tokens, use_cache=False, **extra).logits
        return logits[:, -keep:]

    def after(self, rows: Sequence[Sequence[int]], state: State) -> tuple[torch.Tensor, State]:
        """The logits after rows of one length, (rows, vocabulary), and what the model keeps of them.

        Args:
            state: what it kept of all tokens but the last of each row; empty to read all.
        """
        begin = len(rows[0]) - 1 if state else 0
        tokens = torch.tensor([list(row[begin:]) for row in rows], device=self.device)
        extra: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in self.takes else {}
        if "position_ids" in self.takes:
            places = torch.arange(begin, len(rows[0]), device=self.device)
            extra["position_ids"] = places.expand(len(rows), -1)
        output = self(input_ids=tokens, use_cache=True, **extra, **state)
        kept = {name: value for name in STATES if (value := getattr(output, name, None)) is not None}
        return output.logits[:, -1], kept


def likeliest(logits: torch.Tensor) -> list[tuple[int, bool]]:
    """Of each row of logits, (rows, vocabulary), the likeliest token, and whether all are finite."""
    logits = logits.float()  # the largest of smaller floats takes a CPU seven times as long
    # A sum is as finite as its terms, and one pass; one transfer from the device.
    finite = torch.isfinite(logits.sum(dim=-1))
    return [
        (token, bool(sound)) for token, sound in torch.stack([logits.argmax(dim=-1), finite], dim=-1).tolist()
    ]


def log_probabilities(
    logits: torch.Tensor, places: Sequence[int], targets: Sequence[int]
) -> list[Likelihood]:
    """The log-probability in float32 of each target by the logits at its place, (places, vocabulary); NaN unless all are finite."""
    logits = logits.float()
    rows = torch.tensor(places, dtype=torch.long, device=logits.device)
    columns = torch.tensor(targets, dtype=torch.long, device=logits.device)
    found = logits.log_softmax(dim=-1)[rows, columns]  # a CPU takes more than twice as long for logsumexp
    values = torch.where(torch.isfinite(logits.sum(dim=-1))[rows], found, torch.nan).tolist()
    written = (logits.argmax(dim=-1)[rows] == columns).tolist()
    return list(zip(values, written, strict=True))
