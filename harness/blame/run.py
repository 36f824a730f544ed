"""A tuned model, its baseline and suites in; what carries the forgetting as table, record, picture and page out.

No model is asked the same twice: an interrupted search goes on from the answers in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.blame.corpus import find_corpus
from harness.blame.page import blame_page
from harness.blame.plot import layers_plot
from harness.blame.questions import check_again, questions_of
from harness.blame.record import FILE, BlameRecord
from harness.blame.text import terminal_lines
from harness.documents.within import Reach
from harness.engine.in_reach import check_in_reach
from harness.engine.requests import EnginePair
from harness.engine.settings import Settings
from harness.errors import ModelError, shown_path
from harness.evaluation.permission import with_consent
from harness.evaluation.session import PairSession
from harness.evaluation.suites import read_suites
from harness.models.reference import Endpoint, LocalPair, Model, ModelPair
from harness.progress import counter
from harness.recipes.read import Recipe
from harness.reporting.figures import svg
from harness.reporting.record import write_out
from harness.spelling import option
from harness.store.opening import open_pair
from harness.sweep.schedule import AskedSuite, sampled_suites
from harness.terminal import say, show
from harness.training.references import find_models, trained
from harness.wording import count
from harness.writing import clear_report, write_wanted, writing_report

NOTHING_LOST = 5
"""Exit code where there is nothing to find, as pytest's where no test ran."""

PLOT, PAGE = "layers.svg", "blame.html"


@dataclass(frozen=True)
class BlameOptions:
    """The command line of `blame`.

    Attributes:
        sample: how many probes both models are asked; None for all.
        again: how many of them each changed model is asked at most.
        models: how many changed models are asked at most.
        examples: of how many training examples gradients are taken at most.
    """

    model: str
    baseline: str | None
    suites: Sequence[Path]
    corpus: Path | None
    out: Path
    sample: int | None
    again: int
    models: int
    examples: int
    allow_code: bool
    reach: Reach
    command: tuple[str, ...]


def blame(options: BlameOptions, settings: Settings) -> int:
    """Find what carries the forgetting; 0, or 5 if nothing was lost.

    Raises:
        HarnessError: the input cannot be used, or a model cannot answer.
    """
    clear_report(options.out, (FILE, PLOT, PAGE), "out")
    check_in_reach(settings)
    check_again(options.again)
    found = find_models(options.model, options.baseline, settings, options.reach)
    suites, notes = with_consent(None, read_suites(options.suites, options.reach), options.allow_code)
    asked, more = sampled_suites(suites, options.sample)
    recipe = found if isinstance(found, Recipe) else None
    corpus = find_corpus(options.corpus, recipe, options.reach, options.examples)
    with writing_report(options.out, "nothing", "out"):
        options.out.mkdir(parents=True, exist_ok=True)
    models = _local(trained(found, options.baseline, settings, say, counter), settings)
    pair = open_pair(models, settings, say)
    session = _session(asked, pair, options, settings)
    questions = questions_of(session.suites, options.again)
    notes = [*notes, *more, *session.notes]
    if not questions.lost:
        for note in notes:
            say(f"note: {note}")
        known = count(questions.strata.kept, "probe")
        say(f"nothing to blame: of the {known} that the baseline has right, the tuned model lost none")
        return NOTHING_LOST
    from harness.blame.build import Given, record_of

    record = record_of(options, Given(models, pair, questions, corpus, tuple(notes)))
    write_out(record, options.out / FILE)
    _publish(record, options.out)
    return 0


def _local(models: ModelPair[Model, Model], settings: Settings) -> LocalPair:
    """The models, which must be on this disk and run in this process; raises ModelError."""
    baseline, tuned = models.baseline, models.tuned
    if isinstance(baseline, Endpoint) or isinstance(tuned, Endpoint):
        name = tuned.name if isinstance(tuned, Endpoint) else baseline.name
        raise ModelError(
            f"{name}: its weights are not on this disk, so that nothing of them can be switched off\n"
            "  give a folder with a full model or an adapter, a hub id, or a recipe"
        )
    if baseline is tuned:
        raise ModelError(
            f"{tuned.name}: would be compared with itself\n  name the model before tuning: {option('baseline', 'PATH_OR_HUB_ID')}"
        )
    for model in (baseline, tuned):
        check_in_reach(settings, model)
    return ModelPair(baseline, tuned, models.notes)


def _session(
    suites: Sequence[AskedSuite], pair: EnginePair, options: BlameOptions, settings: Settings
) -> PairSession:
    """Both models' answers to the probes."""
    session = PairSession(
        settings=settings,
        allow_code=options.allow_code,
        progress=lambda suite, side: counter(f"{suite}, {side}"),
    )
    for asked in suites:
        session.need_probes(asked.suite, asked.probes)
    session.ask("baseline", pair.baseline)
    session.ask("tuned", pair.tuned, baseline=pair.baseline)
    return session


def _publish(record: BlameRecord, folder: Path) -> None:
    """Write the picture and the page, print the table."""
    plot = svg(layers_plot(record))
    for name, text in {PLOT: plot, PAGE: blame_page(record, plot)}.items():
        write_wanted(folder / name, text, f"name another folder: {option('out', 'DIR')}")
    show("\n".join(terminal_lines(record)))
    show(f"\nrecord: {shown_path(folder / FILE)}; page: {shown_path(folder / PAGE)}")
