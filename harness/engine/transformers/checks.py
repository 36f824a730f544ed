"""A loaded model or pair in, an error out unless it is what it claims: complete, causal, and tuned."""

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
"""The causal language models of transformers, by class name."""


def check_architecture(name: str, model: Any) -> None:
    """Reject reward models and encoders, which load as language models without a warning and answer with noise.

    Raises:
        ModelError: the config names another kind of model, or logits depend on later tokens.
    """
    named = getattr(model.config, "architectures", None) or []
    if not (isinstance(named, list) and all(isinstance(architecture, str) for architecture in named)):
        raise ModelError(
            f"{name}: 'architectures' in its config.json must be a list of names, saw {named!r:.60}"
        )
    if named and not CAUSAL.union([type(model).__name__]).intersection(named):
        raise ModelError(
            f"{name}: a {named[0]}, by its config.json, is not a causal language model: it cannot write text"
        )
    try:
        with quiet():
            causal = is_causal(model, probe_rows(model)[0])
    except CANNOT_COMPUTE as error:
        raise ModelError(
            f"{name}: loads, but cannot compute: {type(error).__name__}: {first_line(error)}\n"
            "  does its config.json belong to its weights?"
        ) from error
    if not causal:
        raise ModelError(f"{name}: not a causal language model: its logits at a token depend on later tokens")


def check_complete(name: str, info: dict[str, Any]) -> None:
    """Reject missing tensors, which would be random numbers, and unread ones, which belong to another model.

    Raises:
        ModelError: the tensors of the file are not those of the model.
    """
    if missing := sorted(info["missing_keys"]):
        raise ModelError(
            f"{name}: its weights are incomplete: {len(missing)} tensors are missing, the first '{missing[0]}'"
        )
    if mismatched := info.get("mismatched_keys"):
        raise ModelError(f"{name}: its weights do not fit its config.json: {sorted(map(str, mismatched))[0]}")
    # transformers leaves out those that the model's class declares ignorable.
    if unread := sorted(info.get("unexpected_keys") or ()):
        raise ModelError(
            f"{name}: {len(unread)} tensors of its file have no place in the model that config.json describes, the first "
            f"'{unread[0]}'\n  is config.json from another model, or are these weights of an adapter or a wrapper?"
        )


def check_differs(
    sources: LocalPair, baseline: TorchEngine, tuned: TorchEngine, allow_conversion: bool
) -> None:
    """Reject a tuned model that equals the baseline, as from a wrong folder or a training that did nothing.

    Raises:
        EngineError: the two have equal weights, however they are stored.
    """
    if isinstance(sources.tuned, Adapter):  # `prove_acting` compares it with its base
        same = isinstance(sources.baseline, Adapter) and same_adapters(sources.baseline, sources.tuned)
    else:
        with baseline.active(), tuned.active():
            same = not isinstance(baseline.model, PeftModel) and same_tensors(
                baseline.model.state_dict(), tuned.model.state_dict(), embedding_names(tuned.model)
            )
    if same and not allow_conversion:
        raise nothing_tuned(sources)


def nothing_tuned(sources: LocalPair) -> EngineError:
    """The error of a tuned model that is its baseline."""
    return EngineError(
        f"{sources.tuned.name}: its weights are those of the baseline, {sources.baseline.name}, however they are stored: "
        f"nothing was tuned\n  to compare a model with itself on purpose: {option('baseline', 'same')}; to gate a "
        f"conversion to a smaller float: {option('allow_conversion')}"
    )
