"""A reference in, the engine of its model alone out."""

from __future__ import annotations

from harness.engine.settings import Settings
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.loading import load_pair
from harness.models.reference import LocalPair, find_local_model


def load_reference(reference: str, settings: Settings = Settings()) -> TorchEngine:
    """The model on both sides of a pair; raises ModelError or EngineError."""
    model = find_local_model(reference, settings.allow_pickle)
    engine = load_pair(LocalPair(model, model), settings).tuned
    assert isinstance(engine, TorchEngine)
    return engine
