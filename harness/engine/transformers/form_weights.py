"""Two forms of one model on this disk in, what differs in their weights out, as far as their files show it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.engine.transformers.adapters import saved_tensors
from harness.engine.transformers.form_merge import of_merge, scale_of
from harness.engine.transformers.form_tensors import Saved, alike, common_rows, equal, held_in, shape, spread
from harness.models.cause import Cause
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG
from harness.models.reference import Adapter, FullModel, LocalModel
from harness.wording import count, some


def weight_causes(first: LocalModel, other: LocalModel) -> list[Cause]:
    """What differs in the weights of two forms, the likeliest cause first; raises ModelError for a damaged adapter."""
    if isinstance(first, Adapter) and isinstance(other, Adapter):
        return list(_of_adapters(first, other))
    if isinstance(first, Adapter):
        assert isinstance(other, FullModel)
        return list(of_merge(first, other))
    if isinstance(other, Adapter):
        return list(of_merge(other, first))
    return list(_of_models(first, other))


def _of_models(first: FullModel, other: FullModel) -> Iterator[Cause]:
    left, right = Saved(first.folder), Saved(other.folder)
    if not left.names or not right.names:
        return
    head = "lm_head.weight"
    if (head in left.names) != (head in right.names):
        has, lacks = (first, other) if head in left.names else (other, first)
        yield Cause(
            "tied",
            f"{has.name} has an '{head}' of its own, and {lacks.name} ties its output head to its embeddings",
            "save both with the same tie_word_embeddings",
        )
    names = spread([name for name in left.names if name in right.names])
    pairs = {name: (left.get(name), right.get(name)) for name in names}
    resized = [name for name, (one, two) in pairs.items() if shape(one) != shape(two)]
    if resized:
        one, two = pairs[resized[0]]
        yield Cause(
            "not saved",
            f"'{resized[0]}' is {shape(one)} in {first.name} and {shape(two)} in {other.name}: a resized vocabulary was not saved",
            "save the model after its embeddings were resized",
        )
    apart = [name for name, pair in pairs.items() if not alike(*common_rows(*pair))]
    if apart:
        only = all("embed" in name or "lm_head" in name for name in apart)
        yield Cause(
            "not saved" if only else "other weights",
            f"{len(apart)} of {count(len(names), 'weight')} differ by more than rounding ({some(apart, 1)})",
            "save the trained embeddings too" if only else "make both from the same checkpoint",
        )
    elif rounded := [
        name for name, (one, two) in pairs.items() if shape(one) == shape(two) and not equal(one, two)
    ]:
        which = next((model.name, held) for model, side in ((other, 1), (first, 0)) if (held := held_in(pairs[rounded[0]][side])))  # fmt: skip
        yield Cause(
            "rounded",
            f"{which[0]} holds the same weights rounded to {which[1]} ({len(rounded)} of {count(len(names), 'weight')} changed)",
            "save it in float32, or accept it by a wider margin",
        )


def _of_adapters(first: Adapter, other: Adapter) -> Iterator[Cause]:
    if first.base.folder != other.base.folder:
        yield Cause(
            "other base",
            f"{first.name} is on {first.base.name} and {other.name} on {other.base.name}",
            "put both on the same base",
        )
    left, right = saved_tensors(first), saved_tensors(other)
    names = [name for name in left if name in right]
    apart = [name for name in names if not alike(left[name], right[name])]
    only = len(left.keys() ^ right.keys())
    if apart or only:
        yield Cause(
            "other adapter",
            f"{len(apart) + only} of {count(len(left.keys() | right.keys()), 'tensor')} of {first.name} differ in {other.name}",
            "name two forms of the same adapter",
        )
    configs = [read_json(model.folder / ADAPTER_CONFIG) for model in (first, other)]
    keys = [key for key in names if key.endswith(".lora_A.weight")][:1]
    scales = [
        scale_of(config, key.removesuffix(".lora_A.weight"), len(left[key]))
        for config in configs
        for key in keys
    ]
    if len(set(scales)) > 1:
        yield Cause(
            "scaled",
            f"the adapters' scales differ: {scales[0]:g} and {scales[1]:g} (lora_alpha, r, use_rslora)",
            f"keep the lora_alpha and use_rslora of the training in {ADAPTER_CONFIG}",
        )
