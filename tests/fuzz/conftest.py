"""How long the fuzzing tests look: for seconds among the other tests, for long under `make fuzz`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "fuzz", max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
