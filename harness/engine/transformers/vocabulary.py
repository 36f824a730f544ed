"""An adapter's tensors and its base in memory in, how many tokens the adapter was trained with out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from harness.engine.transformers.proof import same_tensors

PREFIX = "base_model.model."

WHOLE = ("weight", "base_layer.weight", "token_adapter.base_layer.weight", "modules_to_save.weight")
"""What follows a module's name where peft writes the whole of its embeddings."""

MOST = 4
"""A vocabulary does not grow by more than so many times."""

TOKENS = ("trainable_tokens_delta", "token_adapter.trainable_tokens_delta")
"""Where it writes those of some tokens."""


@dataclass(frozen=True)
class Fit:
    """How many tokens an adapter was trained with, `rows`, and how many its base has, `size`.

    `kept` says whether the adapter brings no other embeddings of the tokens that both have than the base's own, and `copied`
    whether it has copies of them to itself, so that those of added tokens mean nothing once it is switched off. `untold` names
    the modules for which its file does not say what added tokens mean.
    """

    rows: int
    size: int
    kept: bool
    copied: bool
    untold: tuple[str, ...] = ()

    @property
    def resized(self) -> bool:
        """Whether tokens were added, or cut off."""
        return self.rows != self.size

    @property
    def common(self) -> int:
        """Tokens that both have."""
        return min(self.rows, self.size)

    @property
    def compared(self) -> int:
        """Tokens that mean something with the adapter on and off."""
        return self.common if self.copied else self.rows


@dataclass(frozen=True)
class _Embedding:
    """A module with a row for each token: its weights in the base, and what an adapter's file has of it."""

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
    found = list(_embeddings(model, config, saved))
    size = len(model.get_input_embeddings().weight)
    rows = max((rows for each in found for rows in each.rows), default=size)
    # What names a token far beyond all others is no vocabulary; peft refuses it.
    trained = max((token + 1 for each in found for token in each.tokens if token < MOST * size), default=0)
    if rows == size and trained > size:  # else rows are what the file has, and more was cut off
        rows = trained
    kept = all(_same(each.weight, whole) for each in found for whole in each.whole)
    untold = (
        [each.name for each in found if not _covered(each, found, range(size, rows))] if rows > size else []
    )
    return Fit(rows, size, kept, any(each.own for each in found), tuple(untold))


def resize(model: Any, rows: int) -> None:
    """Give a model so many embeddings; added ones are the mean of the others, as transformers begins them, but without noise."""
    weights = {id(weight): weight for weight in map(_weight, _modules(model))}
    means = [weight.detach().float().mean(0) for weight in weights.values()]
    size = len(model.get_input_embeddings().weight)
    model.resize_token_embeddings(rows, mean_resizing=False)
    resized = {id(weight): weight for weight in map(_weight, _modules(model))}
    with torch.no_grad():
        for weight, mean in zip(resized.values(), means, strict=True):
            weight[size:] = mean.to(weight.dtype)


def _modules(model: Any) -> list[Any]:
    """The modules that embed tokens, and that score them."""
    modules = (model.get_input_embeddings(), model.get_output_embeddings())
    return [module for module in modules if module is not None]


def _weight(module: Any) -> torch.Tensor:
    weight: torch.Tensor = module.weight
    return weight


def _embeddings(
    model: Any, config: Mapping[str, Any], saved: Mapping[str, torch.Tensor]
) -> Iterator[_Embedding]:
    """The input and the output embeddings."""
    modules = set(map(id, _modules(model)))
    copied = config.get("modules_to_save") if not config.get("ensure_weight_tying") else None
    for name, module in model.named_modules():
        if id(module) not in modules:
            continue
        of_it = {
            key.removeprefix(f"{PREFIX}{name}."): tensor
            for key, tensor in saved.items()
            if key.startswith(f"{PREFIX}{name}.") and tensor.dim() == 2
        }
        short = name.rpartition(".")[2]
        yield _Embedding(
            name,
            module.weight,
            tuple(of_it[key] for key in WHOLE if key in of_it),
            tuple(_implied(of_it)),
            frozenset(_trained(short, config)) if any(key in of_it for key in TOKENS) else frozenset(),
            own=isinstance(copied, list) and short in copied,
        )


def _implied(of_it: Mapping[str, torch.Tensor]) -> Iterator[int]:
    """Numbers of tokens that the shapes of a LoRA's matrices tell."""
    if "lora_embedding_A" in of_it:  # (r, tokens)
        yield of_it["lora_embedding_A"].shape[-1]
    if "lora_B.weight" in of_it:  # (tokens, r)
        yield len(of_it["lora_B.weight"])


def _trained(module: str, config: Mapping[str, Any]) -> Iterator[int]:
    """The tokens whose embeddings in a module are in the file by themselves."""
    for key in ("trainable_token_indices", "token_indices"):
        given = config.get(key) or ()
        by_module = given if isinstance(given, Mapping) else {module: given}
        for name, tokens in by_module.items():
            # One that is tied to another learns with it.
            if isinstance(tokens, list) and (name.rpartition(".")[2] == module or module not in by_module):
                yield from (token for token in tokens if isinstance(token, int))


def _covered(each: _Embedding, all_of_them: list[_Embedding], added: range) -> bool:
    """Whether an adapter's file holds the embeddings of all tokens that were added."""
    if each.whole or each.tokens.issuperset(added):
        return True
    tied = [other for other in all_of_them if other is not each and other.weight is each.weight]
    return any((other.whole and not other.own) or other.tokens.issuperset(added) for other in tied)


def _same(weight: torch.Tensor, whole: torch.Tensor) -> bool:
    """Whether the embeddings of the tokens that both have are equal, up to the rounding of a smaller float."""
    common = min(len(weight), len(whole))
    return weight.shape[1:] == whole.shape[1:] and same_tensors(
        {"": weight.detach()[:common].cpu()}, {"": whole[:common].cpu()}
    )
