"""The gate for people who write their own tests: ask a model questions, compare two results, run a checklist.

The same engine, scores and statistics as `pytest suites/ --model REF`, behind plain dicts.
"""

from harness.api.checklist import ChecklistResult, Failure, run_forgetting_checklist
from harness.api.compare import ForgettingResult, compare_forgetting
from harness.api.evaluate import evaluate_general_qa
from harness.api.evaluation import Asked, CategoryResult, Evaluation
from harness.api.gate import run_gate
from harness.api.models import Model, Who
from harness.api.suites import shipped_suite

__all__ = [
    "Asked",
    "CategoryResult",
    "ChecklistResult",
    "Evaluation",
    "Failure",
    "ForgettingResult",
    "Model",
    "Who",
    "compare_forgetting",
    "evaluate_general_qa",
    "run_forgetting_checklist",
    "run_gate",
    "shipped_suite",
]
