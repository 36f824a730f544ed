"""`calibrate`: measure what a baseline can lose on suites, and which margins its noise allows.

Each probe is asked under conditions that should make no difference: batches of two sizes. Answers that flip all the same
are the noise floor of this model on this machine; a margin that such flips reach means nothing.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.cli.options import Commands, add_allow_code, add_reading, add_suites, reach_of
from harness.command_line import rate
from harness.engine.settings import add_engine_options, settings_of
from harness.errors import ModelError
from harness.progress import counter
from harness.terminal import say, show

if TYPE_CHECKING:
    from harness.authoring.conditions import Condition
    from harness.suites.suite import Suite


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "calibrate", help="measure what a baseline can lose on suites, and which margins its noise allows"
    )
    add_suites(parser)
    parser.add_argument(
        "--model", required=True, metavar="BASE", help="baseline: a folder, a hub id or 'embedded'"
    )
    parser.add_argument(
        "--tuning-flips", type=rate, default=0.05, metavar="SHARE",
        help="share of answers that flip under a fine-tune that does no harm; margins are for this or the upper bound of the "
        "measured rate, whichever is larger (default: 0.05)",
    )  # fmt: skip
    parser.add_argument(
        "--beside", metavar="REF",
        help="the same model on another engine, such as vllm:BASE or a server: measure how many answers flip between the two "
        "engines, for --engine-flips, instead of between batches",
    )  # fmt: skip
    add_engine_options(parser, template=False)
    add_allow_code(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_reading(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Ask the baseline every probe twice, and print the results; 0.

    Raises:
        SuiteError: some suites cannot be read.
        NoEvidenceError: a folder has no suites.
        ModelError: the model cannot be loaded.
        EngineError: it cannot answer.
        HarnessError: a suite runs code, which is not allowed or cannot be sandboxed here.
    """
    from harness.authoring.conditions import equivalent_conditions, two_engines
    from harness.engine.prompts import under
    from harness.engine.registry import check_acts, own_settings, schemes
    from harness.engine.speeds import remember
    from harness.evaluation.permission import with_consent
    from harness.evaluation.prompts import unused_arguments
    from harness.evaluation.suites import read_suites
    from harness.models.reference import RecipeFile, resolve
    from harness.store.opening import open_engine

    settings = settings_of(vars(parsed))
    read, notes = with_consent(None, read_suites(parsed.files, reach_of(parsed)), parsed.allow_code)
    for note in notes:
        say(f"note: {note}")
    suites = [under(suite, settings) for suite in read]
    models = []
    for reference in filter(None, (parsed.model, parsed.beside)):
        model = resolve(reference, schemes(), settings.allowed)
        if isinstance(model, RecipeFile):
            raise ModelError(
                f"{reference} is a recipe, and suites are calibrated on a baseline\n  name the recipe's base instead"
            )
        models.append(model)
    check_acts(models, settings)
    engines = [
        open_engine(model, own_settings(model, settings) if parsed.beside else settings, say)
        for model in models
    ]
    for suite in suites:
        unused_arguments(suite, *engines)
    report(
        suites,
        lambda suite: two_engines(*engines) if parsed.beside else equivalent_conditions(engines[0], suite),
        parsed.json,
        parsed.allow_code,
        parsed.tuning_flips,
    )
    for engine in engines:
        remember(engine)
    return 0


def report(
    suites: Sequence[Suite],
    conditions: Callable[[Suite], Sequence[Condition]],
    as_json: bool = False,
    allow_code: bool = False,
    tuning_flips: float = 0.05,
) -> None:
    """Calibrate suites one by one, and print each result at once."""
    from harness.authoring.noise_floor import measure
    from harness.authoring.noise_floor_text import calibration_lines

    results = []
    for suite in suites:
        results.append(measure(suite, conditions(suite), allow_code, counter, tuning_flips))
        if not as_json:
            show("\n".join([*([""] if len(results) > 1 else []), *calibration_lines(results[-1])]))
    if as_json:
        show(json.dumps([asdict(result) for result in results], indent=2))
