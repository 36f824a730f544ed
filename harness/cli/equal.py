"""`equal`: is the same model in another form (merged, quantised, served) still the same model, and if not, why."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

from harness.cli.options import Commands, add_asking, reach_of
from harness.command_line import count, fraction, whole
from harness.engine.settings import settings_of
from harness.errors import shown_path
from harness.terminal import say, show


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "equal", help="check that a model in several forms (adapter, merged, quantised, served) is the same"
    )
    parser.add_argument(
        "forms", nargs="+", metavar="REF",
        help="two or more forms of one model, as for --model of pytest; each is compared with the first",
    )  # fmt: skip
    parser.add_argument(
        "--suite", action="extend", nargs="+", required=True, metavar="SUITE",
        help="suite files, folders of them, or names of suites that ship; their own gates are not used",
    )  # fmt: skip
    parser.add_argument(
        "--max-flips", type=fraction, metavar="SHARE",
        help="the largest share of answers that may be right in one form and wrong in the other (default: 0.05)",
    )  # fmt: skip
    parser.add_argument(
        "--max-drop", type=fraction, metavar="DROP",
        help="the largest drop in accuracy, of all suites and of each, a fraction (default: 0.03)",
    )  # fmt: skip
    parser.add_argument(
        "--sample", type=count, metavar="N", help="ask only N probes in all, a proportional share of each suite and category"
    )  # fmt: skip
    parser.add_argument(
        "--sample-seed", type=whole, default=0, metavar="SEED", help="seed of the sample (default: 0)"
    )
    parser.add_argument(
        "--report", type=Path, metavar="DIR",
        help="write the record of each form there, for `show`, `compare` and `rescore`: DIR/record.json, or for several forms "
        "DIR/2/record.json and so on",
    )  # fmt: skip
    add_asking(parser, template=False)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Ask every form, print how alike they are, and why not; 0 if all are the same, 1 if one differs, 5 if that cannot be told.

    Raises:
        SuiteError: some suites cannot be read.
        NoEvidenceError: there are none, or an answer is no evidence.
        ModelError, EngineError: a form cannot be loaded or asked.
        HarnessError: the input cannot be used, or a record cannot be written.
    """
    from harness.api.equal import Comparing, check, records
    from harness.evaluation.arguments import paths_of
    from harness.evaluation.permission import with_consent
    from harness.evaluation.suites import read_suites
    from harness.progress import counter
    from harness.reporting.equal import forms_lines
    from harness.reporting.latest import Latest

    reach, settings = reach_of(parsed), settings_of(vars(parsed))
    given = {"max_flips": parsed.max_flips, "max_drop": parsed.max_drop}
    how = Comparing(
        **{name: value for name, value in given.items() if value is not None},
        sample=parsed.sample,
        seed=parsed.sample_seed,
        allow_code=parsed.allow_code,
        command=tuple(sys.argv[1:]),
    )
    with ExitStack() as claims:
        reports = [Latest(folder) for folder in _folders(parsed)]
        for report in reports:
            report.claim()
            claims.callback(report.release)
        named = read_suites(paths_of(parsed.suite), reach)
        suites, notes = with_consent(None, named, parsed.allow_code)
        for note in notes:
            say(f"note: {note}")
        check(parsed.forms, suites, how)
        found = []
        for number, record in enumerate(records(parsed.forms, suites, how, settings, reach, say, counter)):
            found.append(record)
            if reports:
                reports[number].write(record)
    show("\n".join(forms_lines(found)))
    if reports:
        show()
    for report in reports:
        show(f"record: {shown_path(report.path)}")
    codes = [record.run.exit_status or 0 for record in found]
    return 1 if 1 in codes else max(codes)


def _folders(parsed: Namespace) -> list[Path]:
    """A folder for the record of each form but the first; none if no record is wanted."""
    if parsed.report is None:
        return []
    others = len(parsed.forms) - 1
    return [parsed.report] if others == 1 else [parsed.report / str(number + 2) for number in range(others)]
