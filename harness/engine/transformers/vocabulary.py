"""An adapter's tensors and its base in memory in, the size of the vocabulary that the adapter was trained with out.

Shapes: embeddings and output heads are (tokens, features); of LoRA's matrices, see `_implied`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from harness.engine.transformers.proof import embedding_modules, same_tensors

PREFIX = "base_model.model."

WHOLE = ("weight", "base_layer.weight", "token_adapter.base_layer.weight", "modules_to_save.weight")
"""How keys end, after the name of a module, under which peft saves its whole embeddings."""

MOST = 4
"""No vocabulary grows by more than this factor."""

TOKENS = ("trainable_tokens_delta", "token_adapter.trainable_tokens_delta")
"""How keys end under which peft saves the embeddings of single tokens."""


@dataclass(frozen=True)
class Fit:
    """How the vocabularies of an adapter and its base fit.

    Attributes:
        rows: tokens that the adapter was trained with.
        size: tokens of its base.
        kept: whether the adapter's file has the base's own embeddings for all tokens that both have.
        copied: whether the adapter trains a copy of the embeddings, so that added tokens have none once it is switched off.
        untold: modules for which its file lacks the embeddings of added tokens.
    """

    rows: int
    size: int
    kept: bool
    copied: bool
    untold: tuple[str, ...] = ()

    @property
    def resized(self) -> bool:
        """Whether tokens were added or removed."""
        return self.rows != self.size

    @property
    def common(self) -> int:
        """Tokens that both have."""
        return min(self.rows, self.size)

    @property
    def compared(self) -> int:
        """Tokens that have embeddings with the adapter on and off."""
        return self.common if self.copied else self.rows


@dataclass(frozen=True)
class _Embedding:
    """A module with a row for each token, and an adapter's tensors for it.

    Attributes:
        weight: its weights in the base.
        whole: whole embeddings in the adapter's file.
        implied: numbers of tokens that the shapes of other tensors imply.
        tokens: tokens whose embeddings are in the file one by one.
        own: whether the adapter trains a copy of the module.
    """

    name: str
    weight: torch.Tensor
    whole: tuple[torch.Tensor, ...]
    implied: tuple[int, ...]
    tokens: frozenset[int]
    own: bool

    @property
    def rows(self) -> set[int]:
        return {len(tensor) for tensor in self.whole} | set(self.implied)


def fit_vocabulary(model: Any, config: Mapping[str, Any], saved: Mapping[str, torch.Tensor]) -> Fit:
    """How many embeddings a base needs for an adapter."""
    parts = list(_embeddings(model, config, saved))
    size = len(model.get_input_embeddings().weight)
    rows = max((rows for part in parts for rows in part.rows), default=size)
    # A token far beyond the vocabulary is a mistake that peft will reject.
    trained = max((token + 1 for part in parts for token in part.tokens if token < MOST * size), default=0)
    if (
        rows == size and trained > size
    ):  # otherwise the file's tensors give the number, and later tokens were removed
        rows = trained
    kept = all(_same(part.weight, whole) for part in parts for whole in part.whole)
    added = range(size, rows)
    untold = [part.name for part in parts if added and not _covered(part, parts, added)]
    return Fit(rows, size, kept, any(part.own for part in parts), tuple(untold))


def resize(model: Any, rows: int) -> None:
    """Give a model `rows` embeddings; added ones are the mean of the others, as transformers starts them, without its noise."""
    size = len(model.get_input_embeddings().weight)
    means = [
        module.weight.detach().float().mean(0) for module in embedding_modules(model)
    ]  # each (features,)
    model.resize_token_embeddings(rows, mean_resizing=False)
    with torch.no_grad():
        for module, mean in zip(embedding_modules(model), means, strict=True):
            module.weight[size:] = mean.to(module.weight.dtype)


def _embeddings(
    model: Any, config: Mapping[str, Any], saved: Mapping[str, torch.Tensor]
) -> Iterator[_Embedding]:
    """The input and the output embeddings."""
    modules = set(map(id, embedding_modules(model)))
    copied = config.get("modules_to_save") if not config.get("ensure_weight_tying") else None
    for name, module in model.named_modules():
        if id(module) not in modules:
            continue
        tensors = {
            key.removeprefix(f"{PREFIX}{name}."): tensor
            for key, tensor in saved.items()
            if key.startswith(f"{PREFIX}{name}.") and tensor.dim() == 2
        }
        short = name.rpartition(".")[2]
        yield _Embedding(
            name,
            module.weight,
            tuple(tensors[key] for key in WHOLE if key in tensors),
            tuple(_implied(tensors)),
            frozenset(_trained(short, config) if tensors.keys() & TOKENS else ()),
            own=isinstance(copied, list) and short in copied,
        )


def _implied(tensors: Mapping[str, torch.Tensor]) -> Iterator[int]:
    """Numbers of tokens that the shapes of LoRA's matrices imply; r is its rank."""
    if "lora_embedding_A" in tensors:  # (r, tokens)
        yield tensors["lora_embedding_A"].shape[-1]
    if "lora_B.weight" in tensors:  # (tokens, r)
        yield len(tensors["lora_B.weight"])


def _trained(module: str, config: Mapping[str, Any]) -> Iterator[int]:
    """The tokens whose embeddings in a module are in the file one by one."""
    for key in ("trainable_token_indices", "token_indices"):
        given = config.get(key) or ()
        by_module = given if isinstance(given, Mapping) else {module: given}
        for name, tokens in by_module.items():
            # A module that is not named is tied to one that is, and learns with it.
            if isinstance(tokens, list) and (name.rpartition(".")[2] == module or module not in by_module):
                yield from (token for token in tokens if isinstance(token, int))


def _covered(part: _Embedding, parts: list[_Embedding], added: range) -> bool:
    """Whether an adapter's file has the embeddings of all added tokens, in this module or in one tied to it."""
    if part.whole or part.tokens.issuperset(added):
        return True
    tied = [other for other in parts if other is not part and other.weight is part.weight]
    return any((other.whole and not other.own) or other.tokens.issuperset(added) for other in tied)


def _same(weight: torch.Tensor, whole: torch.Tensor) -> bool:
    """Whether two embeddings agree on the tokens that both have, up to the rounding of a smaller float."""
    common = min(len(weight), len(whole))
    return weight.shape[1:] == whole.shape[1:] and same_tensors(
        {"": weight.detach()[:common].cpu()}, {"": whole[:common].cpu()}
    )
