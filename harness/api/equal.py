"""Several forms of one model and suites in, a Record for each form against the first out: is it the same model?"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

from harness import __version__
from harness.api.models import Model, engine_of, named_by, settings_for
from harness.documents.within import Reach
from harness.engine.registry import check_acts, own_settings, schemes
from harness.engine.requests import Engine, EnginePair, Side
from harness.engine.settings import EngineOptions, Settings, settings_of_keywords
from harness.errors import HarnessError, NoEvidenceError
from harness.evaluation.arguments import check as check_argument
from harness.evaluation.arguments import check_flags, check_sample, is_fraction, paths_of
from harness.evaluation.forms import Form, compared
from harness.evaluation.permission import check_consent, without_code
from harness.evaluation.record import model_row, rows, suite_row, versions
from harness.evaluation.sample import sampled
from harness.evaluation.session import PairSession
from harness.evaluation.suites import read_suites
from harness.gate.cases import Case, cases, with_overall
from harness.gate.policy import MAX_DROP_OVERALL, Policy
from harness.models.reference import Endpoint, LocalModel, ModelPair, by_form
from harness.progress import Log, Progress, ProgressFor, no_progress
from harness.reporting.exit_code import exit_code
from harness.reporting.rows import ModelRow, Record, RunRow
from harness.reporting.run_rows import run_status
from harness.spelling import in_python
from harness.store.opening import open_engine, open_pair
from harness.suites.suite import MarginGate, RiseGate, Suite
from harness.training.references import find_model
from harness.wording import now

logger = logging.getLogger("harness")

MAX_FLIPS = 0.05
"""The default margin of answers that flip, a fraction."""

MAX_RISE = 0.02
"""The largest mean rise of the bits per byte of texts, a fraction."""


@dataclass(frozen=True)
class Comparing:
    """How forms are compared: margins as fractions, and what is asked."""

    max_flips: float = MAX_FLIPS
    max_drop: float = MAX_DROP_OVERALL
    sample: int | None = None
    seed: int = 0
    allow_code: bool = False
    command: Sequence[str] = ()

    @property
    def policy(self) -> Policy:
        """How verdicts become outcomes."""
        return Policy(max_drop_overall=self.max_drop, max_flips=self.max_flips)


def compare_forms(
    forms: Sequence[Model],
    suites: Sequence[str | Path] | str | Path,
    *,
    max_flips: float = MAX_FLIPS,
    max_drop: float = MAX_DROP_OVERALL,
    sample: int | None = None,
    seed: int = 0,
    allow_code: bool = False,
    allow_outside: bool = False,
    allow_task_code: bool = False,
    **options: Unpack[EngineOptions],
) -> list[Record]:
    """Whether several forms of a model (an adapter, the same merged, quantised or served) are the same model.

        [record] = compare_forms(["./adapter", "./merged"], "suites/")
        assert record.run.exit_status == 0, record.run.equal.causes

    Args:
        forms: references, or what else stands for a model in `run_gate`; each is compared with the first.
        suites: suite files, folders of them, or names of suites that ship; their own gates are not used.
        max_flips: the largest acceptable share of answers that are right in one form and wrong in the other, a fraction.
        max_drop: the largest acceptable drop in accuracy, of all suites and of each, a fraction.
        sample: ask at most this many probes, stratified by suite and category; None asks all.
        seed: seed of the sample.
        allow_code: whether scores may run code in answers.
        allow_outside: whether suites may read probes from outside their folders and the working folder.
        allow_task_code: whether Python that comes with tasks of lm-evaluation-harness may run, unconfined.
        options: how the models run (see EngineOptions).

    Returns:
        A record for each form but the first. `run.exit_status` is 0 if it is shown to be the same, 1 if it is shown to differ,
        and 5 if that cannot be told; `run.equal` says how alike they are, and what explains why they are not.

    Raises:
        InputError: a suite cannot be read, or would run code without permission.
        NoEvidenceError: there are no suites, or an answer is no evidence, such as NaN.
        ModelError, EngineError, ScorerError: as in `run_gate`.
        HarnessError: there are fewer than two forms, or an option has an invalid value.
        TypeError: there is no option of that name.
    """
    settings = settings_of_keywords(options, compare_forms)
    for name, value in (("max_flips", max_flips), ("max_drop", max_drop)):
        check_argument(name, value, is_fraction(value), "a fraction such as 0.05")
    check_flags(allow_code=allow_code, allow_outside=allow_outside, allow_task_code=allow_task_code)
    check_sample(sample, seed)
    several = isinstance(forms, Iterable) and not isinstance(forms, str)
    check_argument("forms", forms, several, 'a list of models, such as ["./adapter", "./merged"]')
    reach = Reach(anywhere=allow_outside, code=allow_task_code)
    how = Comparing(max_flips, max_drop, sample, seed, allow_code)
    read, notes = read_suites(paths_of(suites), reach), list[str]()
    if not allow_code:
        read, notes = without_code(read)
    for note in notes:
        logger.warning(in_python(note))
    return list(records(list(forms), read, how, settings, reach))


def records(
    forms: Sequence[Model],
    suites: Sequence[Suite],
    how: Comparing,
    settings: Settings,
    reach: Reach,
    log: Log = logger.info,
    counter: ProgressFor | None = None,
) -> Iterator[Record]:
    """The same for suites that were read, a record as soon as its form was asked.

    Args:
        counter: makes the callback for the progress of a work; None shows none.
    """
    check(forms, suites, how)
    named = [by_form(str(form), schemes()) for form in forms if isinstance(form, str | Path)]
    elsewhere = [form for form in named if isinstance(form, Endpoint)]
    if len(elsewhere) == len(forms):
        check_acts(elsewhere, settings)
    opening = _Opening(forms, settings, reach, log, counter)
    asked = list(
        sampled((case for suite in suites for case in cases(under_forms(suite, how))), how.sample, how.seed)
    )
    first = opening.form(forms[0])
    began = time.monotonic()
    known = _session(asked, how, settings, first, counter)
    known.ask("baseline", first.form.engine)
    for other in forms[1:]:
        started = now()
        second = opening.form(other)
        session = _session(asked, how, settings, second, counter)
        session.know("baseline", {name: run.answered("baseline") for name, run in known.suites.items()})
        session.check_engines(first.form.engine, second.form.engine, refuse=False)
        session.ask("tuned", second.form.engine, baseline=first.form.engine)
        yield _record(session, asked, first, second, how, opening.base, started, time.monotonic() - began)
        began = time.monotonic()


def check(forms: Sequence[Model], suites: Sequence[Suite], how: Comparing) -> None:
    """Refuse what cannot be compared, before any model is loaded.

    Raises:
        HarnessError: there are fewer than two forms, or one is named twice.
        NoEvidenceError: there are no suites.
        InputError: a suite would run code without permission.
    """
    if len(forms) < 2:
        raise HarnessError("equal: needs two forms of a model\n  name both: equal ./adapter ./merged")
    named: dict[object, str] = {}
    for form in (str(form) for form in forms if isinstance(form, str | Path)):
        if (first := named.setdefault(named_by(form), form)) != form or list(forms).count(form) > 1:
            twice = form if first == form else f"{first}, as {form} too,"
            raise HarnessError(
                f"equal: {twice} is named twice, and is the same as itself\n  name another form"
            )
    if not suites:
        raise NoEvidenceError("no suites were given, so no difference would be seen")
    check_consent(suites, how.allow_code)


def under_forms(suite: Suite, how: Comparing) -> Suite:
    """The suite with one gate over all of its probes, for its own margins are those of a tuning."""
    if suite.task.answer == "likelihood":
        return replace(suite, gates=(RiseGate(over="all", max_rise=MAX_RISE),))
    return replace(suite, gates=(MarginGate(over="all", max_drop=how.max_drop),))


@dataclass(frozen=True)
class _Opened:
    """A form with its row in a record, and where it runs."""

    form: Form
    row: ModelRow
    device: str | None = None
    dtype: str | None = None
    notes: tuple[str, ...] = ()


class _Opening:
    """Opens forms one by one, so that two are in memory at most."""

    def __init__(
        self, forms: Sequence[Model], settings: Settings, reach: Reach, log: Log, counter: ProgressFor | None
    ) -> None:
        self.forms = forms
        self.settings = settings
        self.reach = reach
        self.log = log
        self.counter = counter or no_progress

    def form(self, model: Model) -> _Opened:
        """A form of a reference, or of what else stands for a model."""
        if not isinstance(model, str | Path):
            engine, row = engine_of(model, settings_for(model, self.settings, self.forms))
            return _Opened(Form(row.name, engine), row)
        found = find_model(str(model), self.settings, self.log, self.counter, self.reach)
        settings = own_settings(found, self.settings) if isinstance(found, Endpoint) else self.settings
        pair: EnginePair = open_pair(ModelPair(found, found), settings, self.log)
        row = model_row(found, str(model), pair.tuned.label)
        return _Opened(Form(str(model), pair.tuned, found), row, pair.device, pair.dtype, pair.notes)

    def base(self, model: LocalModel) -> Engine:
        """The engine of an adapter's base."""
        return open_engine(model, self.settings, self.log)


def _session(
    asked: Sequence[Case], how: Comparing, settings: Settings, opened: _Opened, counter: ProgressFor | None
) -> PairSession:
    def progress(suite: str, side: Side) -> Progress:
        assert counter is not None
        return counter(f"{opened.form.name}: {suite}")

    session = PairSession(
        how.policy,
        settings,
        allow_code=how.allow_code,
        progress=progress if counter else None,
        forms=True,
    )
    session.need(asked)
    return session


def _record(
    session: PairSession,
    asked: Sequence[Case],
    first: _Opened,
    second: _Opened,
    how: Comparing,
    base: Callable[[LocalModel], Engine],
    started: str,
    seconds: float,
) -> Record:
    run_cases = with_overall(asked, how.max_drop, max_flips=how.max_flips)
    gates, probes = rows(session.decide(run_cases))
    code = exit_code(gates)
    alike = compared(session.suites, first.form, second.form, base)
    run = RunRow(
        harness=__version__,
        started=started,
        ended=now(),
        status=run_status(code, gate_failed=code == 1),
        seconds=round(seconds, 1),
        command=list(how.command),
        exit_status=code,
        errors=[],
        baseline=first.row,
        tuned=second.row,
        device=second.device,
        dtype=second.dtype,
        versions=versions(),
        suites={case.suite.name: suite_row(case.suite) for case in asked},
        sample=how.sample,
        sample_seed=how.seed,
        strict=False,
        fail_on="low",
        max_drop_overall=how.max_drop,
        nothing_known=session.nothing_known,
        notes=[in_python(note) for note in dict.fromkeys([*first.notes, *second.notes, *session.notes])],
        seconds_asking=session.seconds_asking,
        equal=alike,
        **session.given,
    )
    return Record(run=run, gates=gates, probes=probes)
