"""`preview`: show the probes of a suite as a model reads them; with a model, its answers and whether they are right."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.cli.options import Commands, add_asking, reach_of
from harness.command_line import count as at_least_one
from harness.engine.settings import settings_of
from harness.progress import counter
from harness.terminal import say, show
from harness.wording import count

if TYPE_CHECKING:
    from harness.suites.suite import Probe, Suite


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("preview", help="show probes as a model reads them, and what it answers")
    parser.add_argument(
        "suite", metavar="SUITE[::SLICE]", help="a suite, or a slice of it: s.yaml::probe[id]"
    )
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--model", metavar="REF", help="ask this model, and show the prompt as its chat template renders it"
    )
    either.add_argument(
        "--battery", action="store_true", help="show how the scores judge made-up replies, right and wrong"
    )
    parser.add_argument(
        "--limit", type=at_least_one, default=3, metavar="N", help="show at most N probes (default: 3)"
    )
    add_asking(parser, template=False)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print the first probes of a suite, or of a slice of it, as a model reads them; 0. Without a model, none is loaded.

    Raises:
        HarnessError: the suite cannot be read, it has no such slice, or the model cannot answer.
    """
    from harness.authoring.preview import answer_lines, find_probes, probe_lines, request_lines
    from harness.engine.prompts import request, under
    from harness.evaluation.ask import ask
    from harness.evaluation.prompts import unused_arguments
    from harness.evaluation.word_order import WordOrder, asked_for
    from harness.store.opening import open_engine
    from harness.training.references import find_model

    settings, reach, limit = settings_of(vars(parsed)), reach_of(parsed), parsed.limit
    suite, probes = find_probes(parsed.suite, reach)
    suite = under(suite, settings)
    if parsed.battery:
        return _show_battery(suite, probes)
    shown = probes[:limit]
    show(
        f"{suite.name}: {count(len(probes), 'probe')}"
        + (f", the first {limit}" if len(probes) > limit else "")
    )
    requests = [request(suite, probe) for probe in shown]
    if parsed.model is None:
        for probe, asked in zip(shown, requests, strict=True):
            show("\n".join(["", *probe_lines(suite, probe), *request_lines(asked)]))
        return 0
    engine = open_engine(find_model(parsed.model, settings, say, counter, reach), settings, say)
    unused_arguments(suite, engine)
    word_order = WordOrder(engine if "likelihood" in engine.kinds else None)
    answered = ask(engine, suite, shown, word_order=word_order, allow_code=parsed.allow_code)
    for probe, asked in zip(shown, requests, strict=True):
        about = [*probe_lines(suite, probe), *request_lines(asked, engine)]
        show("\n".join(["", *about, *answer_lines(probe, answered.scores[probe.id])]))
    right = sum(judged.right for judged in answered.scores.values())
    if word_order.by_rule and asked_for(shown):
        show(
            f"\n{engine.label}: it has no log-likelihoods, so the word order that 'fluent' asks for was not judged"
        )
    if suite.task.answer == "likelihood":
        show(f"\n{engine.label}: a likelihood is judged only against a baseline's")
    else:
        show(f"\n{engine.label}: {right} of {len(shown)} right")
    return 0


def _show_battery(suite: Suite, probes: Sequence[Probe]) -> int:
    from harness.authoring.battery import battery
    from harness.authoring.battery_text import battery_lines

    show(f"{suite.name}: {count(len(probes), 'probe')}")
    if suite.task.answer != "generate":
        show(f"  'answer: {suite.task.answer}' has no replies to judge")
    else:
        show("\n".join(["", *battery_lines(battery(suite, {probe.id for probe in probes}), len(probes))]))
    return 0
