"""Suite files and a baseline in, what the baseline can lose there and which margins its noise allows, out.

Each probe is asked under conditions that should make no difference: batches of two sizes. What differs all the
same is the noise floor of this model on this machine, below which no margin means anything.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness.authoring.noise_floor import Condition, measure
from harness.authoring.noise_floor_text import calibration_lines
from harness.documents.within import PROJECT, Reach
from harness.engine.batching import Budget
from harness.engine.estimate import estimated_tokens
from harness.engine.prompts import request, under
from harness.engine.settings import Settings
from harness.errors import HarnessError, ModelError
from harness.evaluation.permission import code_problem
from harness.evaluation.prompts import unused_arguments
from harness.evaluation.suites import read_suites
from harness.models.reference import is_recipe
from harness.progress import counter
from harness.suites.suite import Suite
from harness.terminal import say, show

if TYPE_CHECKING:
    from harness.engine.transformers.engine import TorchEngine

SMALLER = 4
"""The second condition's batches are smaller by this factor."""


def calibrate(
    paths: Sequence[Path],
    model: str,
    settings: Settings,
    as_json: bool = False,
    allow_code: bool = False,
    reach: Reach = PROJECT,
) -> int:
    """Ask the baseline all probes of the suites, twice, and print what follows; 0.

    Args:
        allow_code: whether a score may run code that stands in an answer.

    Raises:
        SuiteError: some suites cannot be read.
        InputError: a folder has no suites.
        ModelError: the model cannot be loaded.
        EngineError: it cannot answer.
        HarnessError: a suite runs code, which is not allowed or cannot be confined here.
    """
    suites = [under(suite, settings) for suite in read_suites(paths, reach)]
    for suite in suites:
        if problem := code_problem(suite, suite.probes, allow_code, "--allow-code"):
            raise HarnessError(str(problem))
    if is_recipe(model):
        raise ModelError(
            f"{model}: is a fixture, and suites are calibrated on a baseline\n  name the fixture's base instead"
        )
    from harness.engine.transformers.loading import load_reference

    engine = load_reference(model, settings, say)
    for suite in suites:
        unused_arguments(suite, engine)
    report(suites, lambda suite: batch_conditions(engine, suite), as_json, allow_code)
    return 0


def report(
    suites: Sequence[Suite],
    conditions: Callable[[Suite], Sequence[Condition]],
    as_json: bool = False,
    allow_code: bool = False,
) -> None:
    """Calibrate suites one after another, and print each as soon as it is known."""
    found = []
    for place, suite in enumerate(suites):
        found.append(measure(suite, conditions(suite), allow_code, counter))
        if not as_json:
            lines = "\n".join(calibration_lines(found[-1]))
            show(lines if place == 0 else "\n" + lines)
    if as_json:
        show(json.dumps([asdict(one) for one in found], indent=2))


def batch_conditions(engine: TorchEngine, suite: Suite) -> list[Condition]:
    """The engine as it is, and with batches so small that the suite takes several of them."""
    whole = sum(estimated_tokens(request(suite, probe)) for probe in suite.probes)
    smaller = copy.copy(engine)
    smaller.budget = Budget(max(1, int(min(engine.budget.tokens, whole)) // SMALLER))
    return [Condition(f"batches of {one.budget.tokens} tokens", one) for one in (engine, smaller)]
