"""The engine of a model in; refused where its weights are in another process, out of reach of what changes them."""

from __future__ import annotations

from harness.engine.settings import Settings
from harness.errors import ModelError
from harness.models.reference import LocalModel
from harness.spelling import option


def check_in_reach(settings: Settings, model: LocalModel | None = None) -> None:
    """Raise ModelError where the run, or the model's own reference, names an engine other than transformers."""
    if model and model.engine not in (None, "transformers"):
        raise ModelError(
            f"{model.name}: {model.engine} would run it, and weights in another process cannot be changed\n"
            f"  leave {model.engine}: out of the reference"
        )
    if settings.engine not in ("auto", "transformers"):
        raise ModelError(
            f"{option('engine', settings.engine)}: weights in another process cannot be changed\n"
            "  leave it out: transformers runs the models in this one"
        )
