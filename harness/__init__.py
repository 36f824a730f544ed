"""A gate against catastrophic forgetting: ask a baseline and a tuned model the same probes."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("forgetting-gate")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

_WHERE = {
    "evaluate_general_qa": "harness.api",
    "compare_forgetting": "harness.api",
    "run_forgetting_checklist": "harness.api",
    "EWCRegularizer": "harness.training.penalties.ewc",
    "ForgettingCallback": "harness.training.callback.callback",
    "create_replay_dataset": "harness.training.replay",
}

__all__ = [
    "EWCRegularizer",
    "ForgettingCallback",
    "__version__",
    "compare_forgetting",
    "create_replay_dataset",
    "evaluate_general_qa",
    "run_forgetting_checklist",
]


def __getattr__(name: str) -> Any:
    """Load the public functions when they are first used, so that the import of a plugin is cheap."""
    if name in _WHERE:
        with import_module("harness.versions").needed():
            return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")
