"""The Python API: evaluate a model, compare two evaluations, run a checklist, run the gate.

The same engines, scores and statistics as `pytest suites/ --model=REF`.
"""

from harness.api.checklist import run_forgetting_checklist
from harness.api.compare import compare_forgetting
from harness.api.equal import compare_forms
from harness.api.evaluate import evaluate_general_qa
from harness.api.gate import run_gate
from harness.api.suites import shipped_suite

__all__ = [
    "compare_forgetting",
    "compare_forms",
    "evaluate_general_qa",
    "run_forgetting_checklist",
    "run_gate",
    "shipped_suite",
]
