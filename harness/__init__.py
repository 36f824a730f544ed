"""A gate against catastrophic forgetting: ask a baseline and a tuned model the same probes, and compare."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import compare_forgetting as compare_forgetting
    from harness.api import compare_forms as compare_forms
    from harness.api import evaluate_general_qa as evaluate_general_qa
    from harness.api import run_forgetting_checklist as run_forgetting_checklist
    from harness.api import run_gate as run_gate
    from harness.engine.functions import FunctionEngine as FunctionEngine
    from harness.engine.registry import engine_for as engine_for
    from harness.engine.requests import Answer as Answer
    from harness.engine.requests import Chat as Chat
    from harness.engine.requests import ChatText as ChatText
    from harness.engine.requests import ChoiceLogProbs as ChoiceLogProbs
    from harness.engine.requests import Continuations as Continuations
    from harness.engine.requests import Engine as Engine
    from harness.engine.requests import Generate as Generate
    from harness.engine.requests import Generated as Generated
    from harness.engine.requests import LogLikelihood as LogLikelihood
    from harness.engine.requests import Message as Message
    from harness.engine.requests import MultipleChoice as MultipleChoice
    from harness.engine.requests import Plain as Plain
    from harness.engine.requests import Progress as Progress
    from harness.engine.requests import Prompt as Prompt
    from harness.engine.requests import Reasoning as Reasoning
    from harness.engine.requests import Request as Request
    from harness.engine.requests import RollingLogLikelihood as RollingLogLikelihood
    from harness.engine.settings import Settings as Settings
    from harness.errors import EngineError as EngineError
    from harness.errors import HarnessError as HarnessError
    from harness.errors import InputError as InputError
    from harness.errors import LimitError as LimitError
    from harness.errors import ModelError as ModelError
    from harness.errors import NoEvidenceError as NoEvidenceError
    from harness.errors import RecipeError as RecipeError
    from harness.errors import ScorerError as ScorerError
    from harness.errors import SuiteError as SuiteError
    from harness.gate.warning import ForgettingWarning as ForgettingWarning
    from harness.models.reference import Endpoint as Endpoint
    from harness.scoring import Scorer as Scorer
    from harness.scoring import scorer as scorer
    from harness.training.callback.callback import ForgettingCallback as ForgettingCallback
    from harness.training.penalties.ewc import EWCRegularizer as EWCRegularizer
    from harness.training.replay import create_replay_dataset as create_replay_dataset

try:
    __version__ = version("forgetting-gate")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

_PUBLIC = {
    "harness.api": ("compare_forgetting", "compare_forms", "evaluate_general_qa", "run_forgetting_checklist", "run_gate"),
    "harness.engine.functions": ("FunctionEngine",),
    "harness.engine.registry": ("engine_for",),
    "harness.engine.requests": (
        "Answer", "Chat", "ChatText", "ChoiceLogProbs", "Continuations", "Engine", "Generate", "Generated", "LogLikelihood", "Message",
        "MultipleChoice", "Plain", "Progress", "Prompt", "Reasoning", "Request", "RollingLogLikelihood",
    ),
    "harness.engine.settings": ("Settings",),
    "harness.errors": (
        "EngineError", "HarnessError", "InputError", "LimitError", "ModelError", "NoEvidenceError", "RecipeError",
        "ScorerError", "SuiteError",
    ),
    "harness.gate.warning": ("ForgettingWarning",),
    "harness.models.reference": ("Endpoint",),
    "harness.scoring": ("Scorer", "scorer"),
    "harness.training.callback.callback": ("ForgettingCallback",),
    "harness.training.penalties.ewc": ("EWCRegularizer",),
    "harness.training.replay": ("create_replay_dataset",),
}  # fmt: skip
_WHERE = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = sorted([*_WHERE, "__version__"])


def __getattr__(name: str) -> Any:
    """Load a public name on first use, so that importing the plugin is cheap."""
    if name in _WHERE:
        with import_module("harness.versions").needed():
            return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
