"""`preview`: a suite in, its probes as a model is shown them out; with a model, its answers and whether they are right too."""

from __future__ import annotations

from argparse import Namespace

from harness.cli.options import Commands, add_allow_code, add_reading, reach_of
from harness.command_line import count as at_least_one
from harness.engine.options import add_engine_options, settings_of
from harness.progress import counter
from harness.terminal import say, show
from harness.wording import count


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("preview", help="what probes look like to a model, and what it answers")
    parser.add_argument("suite", metavar="SUITE[::SLICE]", help="a suite file, or a slice: s.yaml::probe[id]")
    parser.add_argument(
        "--model", metavar="REF", help="ask this model, and show the prompt after its chat template"
    )
    parser.add_argument("--limit", type=at_least_one, default=3, metavar="N", help="so many probes (3)")
    add_engine_options(parser, template=False)
    add_allow_code(parser)
    add_reading(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print what the first probes of a suite, or of a slice of it, look like to a model; 0. Without one, nothing is loaded.

    Raises:
        HarnessError: the suite cannot be read, it has no such slice, or the model cannot be asked.
    """
    from harness.authoring.preview import answer_lines, find_probes, probe_lines, prompt_lines, reading_lines
    from harness.engine.prompts import request, under
    from harness.engine.registry import open_engine
    from harness.evaluation.prompts import unused_arguments
    from harness.scoring import score
    from harness.training.references import find_model

    settings, reach, limit = settings_of(vars(parsed)), reach_of(parsed), parsed.limit
    suite, probes = find_probes(parsed.suite, reach)
    suite = under(suite, settings)
    shown = probes[:limit]
    show(
        f"{suite.name}: {count(len(probes), 'probe')}"
        + (f", the first {limit}" if len(probes) > limit else "")
    )
    if parsed.model is None:
        for probe in shown:
            show("\n".join(["", *probe_lines(suite, probe), *prompt_lines(request(suite, probe))]))
        return 0
    engine = open_engine(find_model(parsed.model, settings, say, counter, reach), settings, say)
    unused_arguments(suite, engine)
    requests = [request(suite, probe) for probe in shown]
    right = 0
    for probe, asked, answer in zip(shown, requests, engine.ask(requests), strict=True):
        judged = score(probe, answer, allow_code=parsed.allow_code)
        right += judged.right
        parts = [
            *probe_lines(suite, probe),
            *reading_lines(asked, engine),
            *answer_lines(probe, answer, judged),
        ]
        show("\n".join(["", *parts]))
    if suite.task.answer == "likelihood":
        show(f"\n{engine.label}: a likelihood is kept or lost only against a baseline's")
    else:
        show(f"\n{engine.label}: {right} of {len(shown)} right")
    return 0
