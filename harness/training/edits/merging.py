"""An adapter on its base in memory in, one full model that computes the same out."""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import AuxiliaryTrainingWrapper

from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.proof import logits_of, probe_rows
from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError, first_line
from harness.training.edits.kinds import UNMERGED

CLOSE = 0.05
"""Of the spread of logits: how far merging may move them by rounding, in their mean."""


def merged_into_base(engine: TorchEngine) -> Any:
    """The model of transformers that the adapter of an engine makes of its base, which is changed in place.

    A head that is tied to the embeddings becomes one of its own where the adapter changes one of both.

    Raises:
        ModelError: an adapter of its kind cannot be merged, or computes something else then.
    """
    rows = probe_rows(engine.model, engine.tokenizer)
    with quiet(), engine.active():
        config = engine.model.active_peft_config
        if key := next((key for key in UNMERGED if getattr(config, key, None)), None):
            raise ModelError(f"{engine.label}: an adapter with '{key}' cannot be merged into its base")
        try:
            with torch.no_grad():
                before = logits_of(engine.model, rows)
                _untie(engine.model)
                model = engine.model.merge_and_unload().eval()
                after = logits_of(model, rows)
        except Exception as error:  # peft raises anything for what it cannot merge
            raise ModelError(
                f"{engine.label}: cannot be merged into its base: {type(error).__name__}: {first_line(error)}"
            ) from error
    if any(not _close(left, right) for left, right in zip(before, after, strict=True)):
        raise ModelError(f"{engine.label}: merged into its base, it computes something else than on it")
    return model


def _close(left: torch.Tensor, right: torch.Tensor) -> bool:
    left, right = left.float(), right.float()
    return left.shape == right.shape and bool((left - right).abs().mean() <= CLOSE * left.std())


def _untie(model: Any) -> None:
    """Give a tied head weights of its own, or merging would change the embeddings with it, and the other way round."""
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    base = model.get_base_model()
    adapted = any(
        isinstance(module, BaseTunerLayer | AuxiliaryTrainingWrapper) for module in (head, embeddings)
    )
    if head is None or not base.config.tie_word_embeddings or not adapted:
        return
    base.config.tie_word_embeddings = False
    own = (
        head.get_base_layer() if isinstance(head, BaseTunerLayer) else getattr(head, "original_module", head)
    )
    own.weight = torch.nn.Parameter(own.weight.detach().clone(), requires_grad=False)
