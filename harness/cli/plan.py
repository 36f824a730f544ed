"""`plan`: suite files in, what their gates can and cannot see out: one line a gate and slice. No model is loaded."""

from __future__ import annotations

import json
from argparse import Namespace

from harness.cli.options import Commands, add_reading, add_suites, reach_of
from harness.command_line import positive, rate
from harness.terminal import show


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "plan", help="what the gates of suites can and cannot see; no model is loaded"
    )
    add_suites(parser)
    parser.add_argument(
        "--flip-rate", type=rate, default=0.02, metavar="SHARE",
        help="the answers of an unchanged model that flip by chance, half of them each way (0.02)",
    )  # fmt: skip
    parser.add_argument(
        "--tokens-per-second", type=positive, default=400.0, metavar="N",
        help="the speed at which time is estimated (400)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="rows for a program")
    add_reading(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print the plan of suites; 0.

    Raises:
        SuiteError: some of them cannot be read.
        NoEvidenceError: a folder has no suites.
    """
    from harness.authoring.power import gate_plans, suite_size
    from harness.authoring.power_text import plan_data, plan_lines
    from harness.evaluation.suites import read_suites

    suites = read_suites(parsed.files, reach_of(parsed))
    gates = [row for suite in suites for row in gate_plans(suite, parsed.flip_rate)]
    sizes = [suite_size(suite, parsed.tokens_per_second) for suite in suites]
    assumed = parsed.flip_rate, parsed.tokens_per_second
    if parsed.json:
        show(json.dumps(plan_data(gates, sizes, *assumed), indent=2))
    else:
        show("\n".join(plan_lines(gates, sizes, *assumed)))
    return 0
