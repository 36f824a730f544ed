"""A loaded model, or a pair of them, in; nothing out where it is what it claims to be, and an error where it is not."""

from __future__ import annotations

from typing import Any

from peft import PeftModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from harness.engine.transformers.adapters import same_adapters
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.proof import (
    CANNOT_COMPUTE,
    embedding_names,
    is_causal,
    probe_rows,
    same_tensors,
)
from harness.engine.transformers.quiet import quiet
from harness.errors import EngineError, ModelError, first_line
from harness.models.reference import Adapter, LocalPair
from harness.spelling import option

CAUSAL = set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values())
"""The architectures that transformers knows as causal language models."""


def check_architecture(name: str, model: Any) -> None:
    """A reward model or an encoder loads as a language model without a word, and answers with noise: refuse.

    Raises:
        ModelError: the config names another kind of model, or what a position answers depends on what follows it.
    """
    named = getattr(model.config, "architectures", None) or []
    if not (isinstance(named, list) and all(isinstance(one, str) for one in named)):
        raise ModelError(
            f"{name}: 'architectures' in its config.json must be a list of names, saw {named!r:.60}"
        )
    if named and not any(one in CAUSAL or one == type(model).__name__ for one in named):
        raise ModelError(
            f"{name}: its config.json says it is a {named[0]}, which is no causal language model: it does not write"
        )
    try:
        with quiet():
            causal = is_causal(model, probe_rows(model)[0])
    except CANNOT_COMPUTE as error:
        raise ModelError(
            f"{name}: was loaded, but cannot compute: {type(error).__name__}: {first_line(error)}\n"
            "  does its config.json belong to its weights?"
        ) from error
    if not causal:
        raise ModelError(
            f"{name}: not a causal language model: what it answers at a token depends on the tokens that follow"
        )


def check_complete(name: str, info: dict[str, Any]) -> None:
    """A tensor that is missing would be filled with random numbers, one that nobody reads is part of another model: refuse."""
    if missing := sorted(info["missing_keys"]):
        raise ModelError(
            f"{name}: its weights are incomplete: {len(missing)} tensors are missing, the first '{missing[0]}'"
        )
    if mismatched := info.get("mismatched_keys"):
        raise ModelError(f"{name}: its weights do not fit its config.json: {sorted(map(str, mismatched))[0]}")
    # Without those that the model's class itself calls ignorable.
    if unread := sorted(info.get("unexpected_keys") or ()):
        raise ModelError(
            f"{name}: {len(unread)} tensors of its file have no place in the model that config.json describes, the first "
            f"'{unread[0]}'\n  is config.json of another model, or are these weights of an adapter or a wrapper?"
        )


def check_differs(
    sources: LocalPair, baseline: TorchEngine, tuned: TorchEngine, allow_conversion: bool
) -> None:
    """Nothing is shown by a tuned model that is the baseline: a wrong folder, a variable that was never trained.

    Raises:
        EngineError: the two are equal, however they are stored.
    """
    if isinstance(sources.tuned, Adapter):  # proven to act when it was put on its base
        same = isinstance(sources.baseline, Adapter) and same_adapters(sources.baseline, sources.tuned)
    else:
        with baseline.active(), tuned.active():
            same = not isinstance(baseline.model, PeftModel) and same_tensors(
                baseline.model.state_dict(), tuned.model.state_dict(), embedding_names(tuned.model)
            )
    if same and not allow_conversion:
        raise EngineError(
            f"{sources.tuned.name}: its weights are those of the baseline, {sources.baseline.name}, however they are stored: "
            f"nothing was tuned\n  to hold a model against itself on purpose: {option('baseline', 'same')}; to gate a "
            f"conversion to a smaller float: {option('allow_conversion')}"
        )
