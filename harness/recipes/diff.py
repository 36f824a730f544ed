"""Two recipes in; the mitigations that the second one adds to the first, and what else it changes, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.recipes.format import FullFormat, LoraFormat, RecipeFormat

Kind = Literal["lora", "rate", "steps", "frozen", "replay", "self_replay", "distill", "l2_sp", "ewc"]

KINDS: tuple[Kind, ...] = (
    "lora", "rate", "steps", "frozen", "replay", "self_replay", "distill", "l2_sp", "ewc",
)  # fmt: skip
"""Least costly first, in work and in time of training."""

NAMES: Mapping[Kind, str] = {
    "lora": "LoRA",
    "rate": "a lower rate",
    "steps": "fewer epochs",
    "frozen": "frozen parts",
    "replay": "replay",
    "self_replay": "self-replay",
    "distill": "distillation",
    "l2_sp": "L2-SP",
    "ewc": "EWC",
}

_APART = {"recipe", "about", "base", "target", "seed"}
"""Keys that change nothing in how a recipe trains, or that a ladder holds equal or varies on purpose."""

_PARTS: Mapping[Kind, tuple[str, ...]] = {
    "lora": ("method",),
    "rate": ("learning_rate",),
    "steps": ("epochs", "steps"),
    "frozen": ("method.full", "method.lora.target_modules", "method.lora.modules_to_save"),
    "replay": ("replay.fraction", "replay.answers"),
    "self_replay": ("replay.fraction", "replay.answers"),
    "distill": ("distill.weight",),
    "l2_sp": ("l2_sp",),
    "ewc": ("ewc.importance",),
}
"""The keys of a recipe in which a mitigation shows."""

_WHOLE = ("replay", "distill", "ewc", "l2_sp")
"""Parts of a recipe that are there or not; one that comes or goes is a mitigation, told as a whole."""


@dataclass(frozen=True)
class Mitigation:
    """A mitigation that one recipe has beyond another; `text` says what it is: "1e-4 instead of 2e-3"."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Changes:
    """How one recipe differs from another: what it adds, what it gives up, and other keys that differ."""

    adds: tuple[Mitigation, ...]
    gives_up: tuple[Mitigation, ...]
    other: tuple[str, ...]


def changes(reference: RecipeFormat, recipe: RecipeFormat) -> Changes:
    """How `recipe` differs from `reference`; mitigations in the order of KINDS, other keys in the format's."""
    adds = tuple(sorted(_adds(reference, recipe), key=lambda one: KINDS.index(one.kind)))
    gives_up = tuple(sorted(_adds(recipe, reference), key=lambda one: KINDS.index(one.kind)))
    return Changes(adds, gives_up, tuple(_other(reference, recipe, {one.kind for one in (*adds, *gives_up)})))


def has(recipe: RecipeFormat, kind: Kind) -> bool:
    """Whether a recipe has a mitigation by itself; a rate and a number of steps are low only beside another's."""
    match kind:
        case "lora":
            return recipe.method.lora is not None
        case "frozen":
            full = recipe.method.full
            return full is not None and bool(full.biases_only or full.last_layers or full.freeze_embeddings)
        case "replay" | "self_replay":
            return recipe.replay is not None and _kind_of_replay(recipe) == kind
        case "distill" | "l2_sp" | "ewc":
            return getattr(recipe, kind) is not None
    return False


def untried(recipe: RecipeFormat) -> list[str]:
    """The names of the mitigations that a recipe does not have; its rate and its steps can always be lowered."""
    return [NAMES[kind] for kind in KINDS if not has(recipe, kind)]


def _adds(old: RecipeFormat, new: RecipeFormat) -> Iterator[Mitigation]:
    if new.method.lora and old.method.full:
        yield Mitigation("lora", f"adapters of rank {new.method.lora.r} instead of the weights themselves")
    elif new.learning_rate < old.learning_rate and bool(new.method.lora) == bool(old.method.lora):
        # The best rates of LoRA and of full fine-tuning differ tenfold, so they compare within a method only.
        yield Mitigation("rate", f"{_rate(new.learning_rate)} instead of {_rate(old.learning_rate)}")
    if new.epochs and old.epochs and new.epochs < old.epochs:
        yield Mitigation("steps", f"{_epochs(new.epochs)} instead of {old.epochs}")
    if new.steps and old.steps and new.steps < old.steps:
        yield Mitigation("steps", f"{new.steps} steps instead of {old.steps}")
    if new.method.full and old.method.full and (frozen := _frozen(old.method.full, new.method.full)):
        yield Mitigation("frozen", frozen)
    if new.method.lora and old.method.lora and (frozen := _fewer_modules(old.method.lora, new.method.lora)):
        yield Mitigation("frozen", frozen)
    yield from _replay(old, new)
    yield from _held(old, new)


def _rate(rate: float) -> str:
    """As people write it: "2e-4"."""
    if rate >= 0.01:
        return f"{rate:g}"
    digits, _, exponent = f"{rate:e}".partition("e")
    return f"{float(digits):g}e{int(exponent)}"


def _epochs(number: int) -> str:
    return "1 epoch" if number == 1 else f"{number} epochs"


def _frozen(old: FullFormat, new: FullFormat) -> str | None:
    """What of the weights stays as it is under `new` and learns under `old`."""
    if new.biases_only and not old.biases_only:
        return "only the biases learn"
    if new.last_layers and not old.biases_only and (not old.last_layers or new.last_layers < old.last_layers):
        layers = "layer learns" if new.last_layers == 1 else f"{new.last_layers} layers learn"
        return f"only the last {layers}"
    if new.freeze_embeddings and not (old.freeze_embeddings or old.biases_only or old.last_layers):
        return "the embeddings stay"
    return None


def _fewer_modules(old: LoraFormat, new: LoraFormat) -> str | None:
    if set(new.modules_to_save) < set(old.modules_to_save):
        return f"{', '.join(sorted(set(old.modules_to_save) - set(new.modules_to_save)))} stays"
    named = new.target_modules
    if named == "all-linear":
        return None
    if old.target_modules == "all-linear" or set(named) < set(old.target_modules):
        return f"adapters on {', '.join(named)} alone"
    return None


def _kind_of_replay(recipe: RecipeFormat) -> Kind:
    assert recipe.replay is not None
    return "self_replay" if recipe.replay.answers == "baseline" else "replay"


def _replay(old: RecipeFormat, new: RecipeFormat) -> Iterator[Mitigation]:
    if new.replay is None:
        return
    kind, share = _kind_of_replay(new), f"{100 * new.replay.fraction:g} % of the data"
    if old.replay is None:
        yield Mitigation(kind, share)
    elif _kind_of_replay(old) != kind:
        whose = "the baseline's own answers" if kind == "self_replay" else "the file's answers"
        yield Mitigation(kind, f"{share}, with {whose}")
    elif new.replay.fraction > old.replay.fraction:
        yield Mitigation(kind, f"{share} instead of {100 * old.replay.fraction:g} %")


def _held(old: RecipeFormat, new: RecipeFormat) -> Iterator[Mitigation]:
    """Penalties for leaving the baseline: new ones, and those that weigh more."""
    before, after = _weights(old), _weights(new)
    for kind, weight in after.items():
        if kind not in before:
            yield Mitigation(kind, f"with a weight of {weight:g}")
        elif weight > before[kind]:
            yield Mitigation(kind, f"with a weight of {weight:g} instead of {before[kind]:g}")


def _weights(recipe: RecipeFormat) -> dict[Kind, float]:
    """How much staying near the baseline counts against learning, by each means that the recipe has."""
    found: dict[Kind, float] = {}
    if recipe.distill:
        found["distill"] = recipe.distill.weight
    if recipe.l2_sp:
        found["l2_sp"] = recipe.l2_sp
    if recipe.ewc:
        found["ewc"] = recipe.ewc.importance
    return found


def _other(old: RecipeFormat, new: RecipeFormat, told: set[Kind]) -> Iterator[str]:
    """The keys in which the recipes differ and that no mitigation tells."""
    parts = tuple(part for kind in told for part in _PARTS[kind])
    before, after = _flat(old.model_dump(mode="json")), _flat(new.model_dump(mode="json"))
    for key in dict.fromkeys((*before, *after)):
        top = key.partition(".")[0]
        comes_or_goes = top in _WHOLE and (getattr(old, top) is None) != (getattr(new, top) is None)
        if (
            before.get(key) != after.get(key)
            and top not in _APART
            and not comes_or_goes
            and not any(key == part or key.startswith(f"{part}.") for part in parts)
        ):
            yield key


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, its keys joined by dots."""
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(inner, f"{prefix}{key}.") if isinstance(inner, dict) else {f"{prefix}{key}": inner}
    return found
