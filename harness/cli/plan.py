"""`plan`: show the power of the gates of suites, a line a gate and slice. No model is loaded."""

from __future__ import annotations

import json
from argparse import Namespace

from harness.cli.options import Commands, add_reading, add_suites, reach_of
from harness.command_line import at_least_one, count, positive, rate, share_or_off
from harness.terminal import say, show


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "plan", help="show which drops the gates of suites can detect; loads no model"
    )
    add_suites(parser)
    parser.add_argument(
        "--flip-rate", type=rate, default=0.05, metavar="SHARE",
        help="share of answers that flip where nothing was lost, half of them each way (default: 0.05; false alarms are "
        "shown at 0.02, 0.05 and 0.10 too)",
    )  # fmt: skip
    parser.add_argument(
        "--design-effect", type=at_least_one, default=1.0, metavar="X",
        help="how many times the variance of independent probes those that share a template or passage have (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--strict", action="store_true", help="as under pytest --strict: gates fail unless RETAINED"
    )
    parser.add_argument(
        "--max-drop-overall", type=share_or_off, metavar="DROP",
        help="as under pytest: the margin of the gate over all suites (0.03 where there are several), or off",
    )  # fmt: skip
    parser.add_argument(
        "--sample", type=count, metavar="N", help="as under pytest --sample: ask only N probes in all"
    )
    parser.add_argument(
        "--sample-seed",
        type=int,
        default=0,
        metavar="SEED",
        help="the random seed of the sample (default: 0)",
    )
    parser.add_argument(
        "--tokens-per-second", type=positive, metavar="N",
        help="speed for the time estimate (default: as measured by the last run on this machine)",
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
    from harness.authoring.gate_power import Assumed
    from harness.authoring.power import run_power
    from harness.authoring.power_text import power_data, power_lines
    from harness.engine.speeds import given_speed, measured
    from harness.evaluation.suites import read_suites

    suites = read_suites(parsed.files, reach_of(parsed))
    assumed = Assumed(parsed.flip_rate, parsed.design_effect, parsed.strict, parsed.max_drop_overall)
    given = parsed.tokens_per_second
    timing, note = (given_speed(given), None) if given else measured()
    if note:
        say(f"note: {note}")
    found = run_power(suites, assumed, timing, parsed.sample, parsed.sample_seed)
    if parsed.json:
        show(json.dumps(power_data(found), indent=2))
    else:
        show("\n".join(power_lines(found)))
    return 0
