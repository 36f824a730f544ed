"""What all tests share.

hypothesis draws the same examples in each run, so that a change is red for what it changes; others under `make fuzz`. No answer is
kept from one test to the next, but where a test names a store. Help and tables are of the usual width, whatever the caller's terminal.
"""

from __future__ import annotations

import gc
import os

from hypothesis import HealthCheck, settings

# A busy machine is no failure.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "fuzz", max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
settings.load_profile("same")

os.environ["FORGETTING_GATE_STORE"] = "off"
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)


def pytest_collection_finish() -> None:
    """What the test modules imported is never garbage: looked through anew, it was most of the time of many tests."""
    gc.freeze()
