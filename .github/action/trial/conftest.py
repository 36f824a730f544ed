"""Models that need no weights: `fake:NAME` always answers yes, and `fake:forgetful` never."""

from __future__ import annotations

from harness import Endpoint, FunctionEngine, Settings, engine_for


@engine_for("fake")
def fake(endpoint: Endpoint, settings: Settings) -> FunctionEngine:
    """Answers for `--model=fake:NAME`."""
    answer = "I cannot say." if endpoint.rest == "forgetful" else "Yes, indeed."
    return FunctionEngine(lambda prompt: answer, f"fake {endpoint.rest}")
