"""`plan`: show the power of the gates of suites, a line a gate and slice. No model is loaded."""

from __future__ import annotations

import json
from argparse import Namespace

from harness.cli.options import Commands, add_reading, add_suites, reach_of
from harness.command_line import positive, rate
from harness.terminal import show


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "plan", help="show which drops the gates of suites can detect; loads no model"
    )
    add_suites(parser)
    parser.add_argument(
        "--flip-rate", type=rate, default=0.02, metavar="SHARE",
        help="share of an unchanged model's answers that flip by chance, half of them each way (default: 0.02)",
    )  # fmt: skip
    parser.add_argument(
        "--tokens-per-second", type=positive, default=400.0, metavar="N",
        help="speed for the estimate of time (default: 400)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_reading(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print the power plan of suites; 0.

    Raises:
        SuiteError: some of them cannot be read.
        NoEvidenceError: a folder has no suites.
    """
    from harness.authoring.power import gate_powers, suite_size
    from harness.authoring.power_text import power_data, power_lines
    from harness.evaluation.suites import read_suites

    suites = read_suites(parsed.files, reach_of(parsed))
    gates = [gate for suite in suites for gate in gate_powers(suite, parsed.flip_rate)]
    sizes = [suite_size(suite, parsed.tokens_per_second) for suite in suites]
    assumed = parsed.flip_rate, parsed.tokens_per_second
    if parsed.json:
        show(json.dumps(power_data(gates, sizes, *assumed), indent=2))
    else:
        show("\n".join(power_lines(gates, sizes, *assumed)))
    return 0
