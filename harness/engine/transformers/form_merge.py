"""An adapter and a full model that should be the same, merged, in; what differs in their weights out.

Shapes: LoRA's A is (r, features in), its B (features out, r), and the change of a weight B A times its scale: alpha / r, or
alpha / sqrt(r) with `use_rslora`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import torch
from peft.utils.other import get_pattern_key

from harness.engine.transformers.adapters import saved_tensors
from harness.engine.transformers.form_tensors import (
    HALVES,
    Saved,
    alike,
    common_rows,
    held_in,
    plain_name,
    spread,
    square,
)
from harness.engine.transformers.vocabulary import PREFIX
from harness.models.cause import Cause
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG
from harness.models.reference import Adapter, FullModel
from harness.wording import count, points, some

SMALL = 0.1
"""By how much a factor may be off before it counts, and the share of a change below which it counts as missing."""

LOST = 0.005
"""The least share of an adapter's change that rounding must lose to be worth a word."""


@dataclass(frozen=True)
class Change:
    """What became of an adapter's change of one weight: sums of squares, and `held`, the smaller float that holds the values."""

    name: str
    size: float
    dot: float
    off: float
    rounding: float
    held: str | None

    @property
    def factor(self) -> float:
        """How many times the adapter's change is in the weight: 1 where it was merged once."""
        return self.dot / self.size

    @property
    def rounded(self) -> bool:
        """Whether the smaller float explains all that is off."""
        return self.held is not None and self.off <= 9 * self.rounding


def of_merge(adapter: Adapter, full: FullModel) -> Iterator[Cause]:
    """What keeps a full model from being its base with an adapter merged into it, the gravest first."""
    base, merged, saved = Saved(adapter.base.folder), Saved(full.folder), saved_tensors(adapter)
    if not merged.names or not base.names:
        return
    config = read_json(adapter.folder / ADAPTER_CONFIG)
    changes = [
        found
        for name, change in _changes(config, saved)
        if (found := _change(name, change, base.get(name), merged.get(name))) is not None
    ]
    yield from _whole(adapter, full, saved, config, base, merged)
    yield from _applied(adapter, full, changes, config)
    trained = {*(change.name for change in changes), *(plain_name(key) for key in saved), *_targets(saved)}
    yield from _left_alone(adapter, base, merged, trained)


def _targets(saved: Mapping[str, Any]) -> Iterator[str]:
    """The names of the weights that tensors of an adapter act on."""
    for key in saved:
        module = key.removeprefix(PREFIX)
        for part in (".lora_", ".token_adapter", ".base_layer"):
            module = module.partition(part)[0]
        yield f"{module}.weight"


def _changes(
    config: Mapping[str, Any], saved: Mapping[str, torch.Tensor]
) -> Iterator[tuple[str, torch.Tensor]]:
    """The change of each weight by a LoRA, with its name in the base; none for adapters of other types."""
    if str(config.get("peft_type", "")).upper() != "LORA" or config.get("use_dora"):
        return
    keys = [key for key in saved if key.endswith(".lora_A.weight") and saved[key].dim() == 2]
    for key in spread(keys):
        down, up = saved[key].float(), saved.get(key.replace(".lora_A.", ".lora_B."))
        if up is None:
            continue
        module = key.removeprefix(PREFIX).removesuffix(".lora_A.weight")
        change = scale_of(config, module, len(down)) * (up.float() @ down)
        yield f"{module}.weight", change.T if config.get("fan_in_fan_out") else change


def scale_of(config: Mapping[str, Any], module: str, rank: int, rslora: bool | None = None) -> float:
    """The scale of a LoRA's change of a module."""
    pattern = config.get("alpha_pattern") or {}
    alpha = float(pattern.get(get_pattern_key(list(pattern), module), config.get("lora_alpha", rank)))
    return alpha / (sqrt(rank) if (config.get("use_rslora") if rslora is None else rslora) else rank)


def _change(
    name: str, change: torch.Tensor, before: torch.Tensor | None, after: torch.Tensor | None
) -> Change | None:
    """The change of a weight compared with what is in the merged model; None if one of them lacks the weight."""
    if before is None or after is None or not before.shape == after.shape == change.shape:
        return None
    wanted, found, held = before.float() + change, after.float() - before.float(), held_in(after)
    size = square(change)
    if not size:
        return None
    rounding = square(wanted.to(HALVES[held]).float() - wanted) if held else 0.0
    return Change(name, size, float((found * change).sum()), square(found - change), rounding, held)


def _applied(
    adapter: Adapter, full: FullModel, changes: Sequence[Change], config: Mapping[str, Any]
) -> Iterator[Cause]:
    """Whether the adapter's change is in the merged weights, and how often."""
    if not changes:
        return
    size, off = sum(change.size for change in changes), sum(change.off for change in changes)
    held = {change.held for change in changes}
    if all(change.rounded for change in changes) and len(held) == 1:
        if (lost := sqrt(off / size)) > LOST:
            did = (
                f"lost {points(lost)} % of the adapter's change"
                if lost <= 1
                else f"changed its weights {lost:.1f} times as much as the adapter did"
            )
            yield Cause(
                "rounded",
                f"{full.name} was merged or saved in {held.pop()}: rounding {did} (of {count(len(changes), 'weight')})",
                "load the base in float32 (dtype=torch.float32), merge_and_unload, and save that; or accept it by a wider margin",
            )
        return
    missing = [change.name for change in changes if change.factor < SMALL and not change.rounded]
    if missing:
        which = f"all {len(changes)}" if len(missing) == len(changes) else f"{len(missing)} of {len(changes)}"
        yield Cause(
            "not applied",
            f"the adapter is not in {full.name}: {which} weights that it changes are its base's there ({some(missing, 1)})",
            f"merge {adapter.name} into its base (merge_and_unload) and save that model",
        )
        return
    factor = sum(change.dot for change in changes) / size
    if abs(factor - 1) > SMALL:
        yield _factor(adapter, full, factor, changes[0].name, config)
    elif off > SMALL * size:
        yield Cause(
            "other adapter",
            f"{full.name} differs from its base by more than {adapter.name}: the rest is {points(sqrt(off / size))} % of the "
            "adapter's change",
            "merge this adapter, at this checkpoint, and no other",
        )


def _factor(adapter: Adapter, full: FullModel, factor: float, name: str, config: Mapping[str, Any]) -> Cause:
    """The adapter's change is in the weights, but not once."""
    rank = int(config.get("r") or 1)
    own, swapped = (scale_of(config, name.removesuffix(".weight"), rank, bool(way)) for way in (
        config.get("use_rslora"), not config.get("use_rslora")
    ))  # fmt: skip
    seen = f"{full.name} has {factor:.2f} times the change of {adapter.name}"
    by_root = abs(factor * own / swapped - 1) <= SMALL
    rules = ("alpha / sqrt(r)", "alpha / r") if config.get("use_rslora") else ("alpha / r", "alpha / sqrt(r)")
    if by_root and abs(factor - 2) > SMALL:
        return Cause(
            "scaled",
            f"{seen}: it was merged with {rules[1]}, and use_rslora in {ADAPTER_CONFIG} asks for {rules[0]}",
            "merge with the peft that trained it, and keep use_rslora in its config",
        )
    if abs(factor - 2) <= SMALL:
        otherwise = f", or with {rules[1]} instead of {rules[0]}" if by_root else ""
        return Cause(
            "applied twice",
            f"{seen}: it was merged twice{otherwise}",
            "merge it once, into the base that its config names, and unload it before you save",
        )
    return Cause(
        "scaled",
        f"{seen}: its scale differs (lora_alpha {config.get('lora_alpha')}, r {rank})",
        f"merge with the lora_alpha and r of its {ADAPTER_CONFIG}, and at weight 1",
    )


def _whole(
    adapter: Adapter,
    full: FullModel,
    saved: Mapping[str, torch.Tensor],
    config: Mapping[str, Any],
    base: Saved,
    merged: Saved,
) -> Iterator[Cause]:
    """Whether the tensors that the adapter brings whole, such as embeddings, are in the merged model."""
    remedy = "merge with the adapter's modules_to_save, after the base was resized to its vocabulary, and save all of it"
    for key, tensor in sorted(saved.items()):
        name = plain_name(key)
        before, after = base.get(name), merged.get(name)
        if ".lora_" in key or (before is None and name != "lm_head.weight"):
            continue
        if before is not None and alike(before, tensor):
            continue
        if after is None:
            if name == "lm_head.weight":
                yield Cause(
                    "tied",
                    f"{adapter.name} has an '{name}' of its own, and {full.name} has none: its output head is tied to its "
                    "embeddings",
                    "save the merged model with tie_word_embeddings: false",
                )
        elif after.shape != tensor.shape:
            yield Cause(
                "not saved",
                f"'{name}' has {len(tensor):,} rows in {adapter.name} and {len(after):,} in {full.name}: the vocabulary that it "
                "was trained with was not saved",
                remedy,
            )
        elif not alike(after, tensor) and before is not None and alike(after, before):
            yield Cause(
                "not saved",
                f"'{name}', which {adapter.name} trained, is still its base's in {full.name}",
                remedy,
            )
    yield from _tokens(adapter, full, saved, config, base, merged, remedy)


def _tokens(
    adapter: Adapter,
    full: FullModel,
    saved: Mapping[str, torch.Tensor],
    config: Mapping[str, Any],
    base: Saved,
    merged: Saved,
    remedy: str,
) -> Iterator[Cause]:
    """The same of the embeddings of single tokens (trainable_token_indices)."""
    given = config.get("trainable_token_indices") or {}
    for key, rows in saved.items():
        module, found, _ = key.removeprefix(PREFIX).partition(".token_adapter.trainable_tokens_delta")
        last = module.rpartition(".")[2]
        indices = given.get(last) if isinstance(given, Mapping) else given
        before, after = base.get(f"{module}.weight"), merged.get(f"{module}.weight")
        if not found or not isinstance(indices, list) or before is None or after is None:
            continue
        if max(indices) < min(len(before), len(after)) and alike(after[indices], before[indices]):
            if not alike(rows, before[indices]):
                yield Cause(
                    "not saved",
                    f"the {count(len(indices), 'token')} that {adapter.name} trained have their base's embeddings in {full.name}",
                    remedy,
                )


def _left_alone(adapter: Adapter, base: Saved, merged: Saved, trained: set[str]) -> Iterator[Cause]:
    """Whether the weights that the adapter does not touch are its base's."""
    names = spread([name for name in base.names if name in merged.names and name not in trained])
    apart = [name for name in names if not alike(*common_rows(base.get(name), merged.get(name)))]
    if apart:
        yield Cause(
            "other base",
            f"{len(apart)} of {count(len(names), 'weight')} that {adapter.name} leaves alone differ from those of its base, "
            f"{adapter.base.name} ({some(apart, 1)})",
            "merge it into the base that it was trained on",
        )
