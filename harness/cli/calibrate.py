"""`calibrate`: suite files and a baseline in, what it can lose there and which margins its noise allows, out.

Each probe is asked under conditions that should make no difference: batches of two sizes. What differs all the
same is the noise floor of this model on this machine, below which no margin means anything.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.cli.options import Commands, add_allow_code, add_reading, add_suites, reach_of
from harness.engine.options import add_engine_options, settings_of
from harness.errors import HarnessError, ModelError
from harness.progress import counter
from harness.terminal import say, show

if TYPE_CHECKING:
    from harness.authoring.noise_floor import Condition
    from harness.suites.suite import Suite


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "calibrate", help="ask a baseline: what it can lose on suites, and which margins its noise allows"
    )
    add_suites(parser, "SUITE")
    parser.add_argument(
        "--model", required=True, metavar="BASE", help="the baseline: a folder, a hub id or 'embedded'"
    )
    add_engine_options(parser, template=False)
    add_allow_code(parser)
    parser.add_argument("--json", action="store_true", help="what was found, for a program")
    add_reading(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Ask the baseline all probes of the suites, twice, and print what follows; 0.

    Raises:
        SuiteError: some suites cannot be read.
        NoEvidenceError: a folder has no suites.
        ModelError: the model cannot be loaded.
        EngineError: it cannot answer.
        HarnessError: a suite runs code, which is not allowed or cannot be confined here.
    """
    from harness.authoring.noise_floor import equivalent_conditions
    from harness.engine.prompts import under
    from harness.engine.registry import open_engine, schemes
    from harness.evaluation.permission import code_problem
    from harness.evaluation.prompts import unused_arguments
    from harness.evaluation.suites import read_suites
    from harness.models.reference import RecipeFile, resolve

    settings = settings_of(vars(parsed))
    suites = [under(suite, settings) for suite in read_suites(parsed.files, reach_of(parsed))]
    for suite in suites:
        if problem := code_problem(suite, suite.probes, parsed.allow_code):
            raise HarnessError(problem.text)
    model = resolve(parsed.model, schemes(), settings.allow_pickle)
    if isinstance(model, RecipeFile):
        raise ModelError(
            f"{parsed.model}: is a fixture, and suites are calibrated on a baseline\n"
            "  name the fixture's base instead"
        )
    engine = open_engine(model, settings, say)
    for suite in suites:
        unused_arguments(suite, engine)
    report(suites, lambda suite: equivalent_conditions(engine, suite), parsed.json, parsed.allow_code)
    return 0


def report(
    suites: Sequence[Suite],
    conditions: Callable[[Suite], Sequence[Condition]],
    as_json: bool = False,
    allow_code: bool = False,
) -> None:
    """Calibrate suites one after another, and print each as soon as it is known."""
    from harness.authoring.noise_floor import measure
    from harness.authoring.noise_floor_text import calibration_lines

    found = []
    for place, suite in enumerate(suites):
        found.append(measure(suite, conditions(suite), allow_code, counter))
        if not as_json:
            lines = "\n".join(calibration_lines(found[-1]))
            show(lines if place == 0 else "\n" + lines)
    if as_json:
        show(json.dumps([asdict(one) for one in found], indent=2))
