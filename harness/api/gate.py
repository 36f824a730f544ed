"""`pytest SUITES --model=MODEL`, for Python: two models and suites in, a Record out."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, Unpack

from harness import __version__
from harness.api.models import Model, engines_of
from harness.diagnosis.diagnose import IN_A_RUN, Diagnosing, diagnosed
from harness.documents.within import Reach
from harness.engine.place import known_places
from harness.engine.prompts import request, under
from harness.engine.requests import EnginePair, Side
from harness.engine.settings import PairOptions, Settings, settings_of_keywords
from harness.errors import HarnessError, NoEvidenceError
from harness.evaluation.arguments import (
    check,
    check_flags,
    check_sample,
    check_severity,
    is_fraction,
    is_share,
    is_whole,
    paths_of,
)
from harness.evaluation.permission import check_consent, without_code
from harness.evaluation.record import model_row, rows, suite_row, versions
from harness.evaluation.sample import sampled
from harness.evaluation.session import PairSession
from harness.evaluation.suites import read_suites
from harness.gate.cases import Case, cases, check_margin_overall, with_overall
from harness.gate.policy import Policy, overall_margin
from harness.models.identity import weights_identity
from harness.models.reference import SAME
from harness.progress import no_progress
from harness.reporting.diagnosis_rows import DiagnosisRow
from harness.reporting.exit_code import exit_code
from harness.reporting.rows import ModelRow, ProbeRow, Record, RunRow
from harness.reporting.run_rows import run_status
from harness.reporting.standing_out import standing_out
from harness.spelling import in_python
from harness.store.given import check_apart
from harness.store.opening import open_pair
from harness.suites.accepted import with_accepted
from harness.suites.severity import Severity
from harness.suites.suite import OVERALL, Suite
from harness.training.references import find_models, trained
from harness.wording import now

logger = logging.getLogger("harness")


def run_gate(
    model: Model,
    suites: Sequence[str | Path] | str | Path,
    baseline: Model | None = None,
    *,
    sample: int | None = None,
    seed: int = 0,
    sequential: bool = False,
    noise_floor: int = 0,
    engine_flips: float | None = None,
    strict: bool = False,
    fail_on: Severity = "low",
    max_drop_overall: float | Literal["off"] | None = None,
    max_flips: float | None = None,
    accepted: bool = True,
    diagnose: bool = False,
    allow_code: bool = False,
    allow_outside: bool = False,
    allow_task_code: bool = False,
    **options: Unpack[PairOptions],
) -> Record:
    """Ask both models the probes of the suites, and decide every gate.

        record = run_gate("./tuned", "suites/")
        assert record.run.exit_status == 0

    Args:
        model: the tuned model: a reference such as "./tuned" or a recipe, a function from prompt to text, an Engine, or a
            (model, tokenizer) pair.
        suites: suite files, folders of them, or names of suites that ship, such as "general-qa".
        baseline: the model before tuning; not needed if an adapter, a model card or a recipe names it. "same" compares the
            model with itself on purpose.
        sample: ask at most this many probes, stratified by suite and category; None asks all. Gates over `each` keep all
            of their probes.
        seed: seed of the sample, and of the order of a sequential run.
        sequential: whether to ask a suite only until its gate over all probes is decided.
        noise_floor: how many more times to ask the baseline in other batches, to see which margins its noise allows.
        engine_flips: where the baseline runs on another engine, the share of answers that flip between the two on one model;
            None takes 0.05.
        strict: whether inconclusive gates fail.
        fail_on: gates below this severity warn instead of failing; without evidence, they decide nothing.
        max_drop_overall: the margin of the gate over all suites together, a fraction; "off" for no such gate. By default
            0.03 if there are several suites.
        max_flips: the margin of a further gate, over the answers that flip, to wrong or to right: a fraction, for a model that
            should be the same as the baseline, such as an adapter merged; None for no such gate.
        accepted: whether the losses that an accepted.yaml beside a suite names count as kept.
        diagnose: whether to ask both models the lost probes in other ways, and say for each suite why they were lost.
        allow_code: whether scores may run code in answers.
        allow_outside: whether suites may read probes from outside their folders and the working folder.
        allow_task_code: whether Python that comes with tasks of lm-evaluation-harness may run, unconfined.
        options: how the models run (see PairOptions and EngineOptions).

    Returns:
        The record that pytest writes to record.json. `run.exit_status` is 0 if all gates passed, 1 if one failed, and 5 if
        none was decided, none about one of the suites (one that was not named by its file may be decided by the gate over
        all suites), or not a gate over all suites although `max_drop_overall` or `max_flips` was given.

    Raises:
        InputError: a suite cannot be read, or is named by its file and would run code without permission.
        NoEvidenceError: there are no suites, or an answer is no evidence, such as NaN.
        ModelError, EngineError, ScorerError: as in a run of pytest.
        HarnessError: an option has an invalid value or would do nothing, or margins are within the noise of the baseline.
        TypeError: there is no option of that name.
    """
    began, started = time.monotonic(), now()
    settings = settings_of_keywords(options, run_gate, PairOptions)
    check_flags(
        sequential=sequential,
        strict=strict,
        accepted=accepted,
        diagnose=diagnose,
        allow_code=allow_code,
        allow_outside=allow_outside,
        allow_task_code=allow_task_code,
    )
    check_severity(fail_on)
    check_sample(sample, seed)
    given = max_drop_overall
    fits = given in (None, "off") or is_fraction(given)
    check("max_drop_overall", given, fits, "a fraction such as 0.03, or 'off'")
    fits = max_flips is None or is_fraction(max_flips)
    check("max_flips", max_flips, fits, "a fraction such as 0.05, or None")
    check("noise_floor", noise_floor, is_whole(noise_floor, 0), "0 or more")
    fits = engine_flips is None or is_share(engine_flips)
    check("engine_flips", engine_flips, fits, "a share from 0 to 1, or None")
    paths = paths_of(suites)
    reach = Reach(anywhere=allow_outside, code=allow_task_code)
    read, left_out = _suites(paths, allow_code, reach)
    read = [with_accepted(suite) for suite in read] if accepted else read
    asked = list(sampled((case for suite in read for case in cases(suite)), sample, seed))
    check_margin_overall(asked, given)
    margin = overall_margin(given)
    engines, models = _engines(model, baseline, settings, asked, reach)
    engines = known_places(engines)
    session = PairSession(
        Policy(strict, fail_on, margin, max_flips),
        settings,
        allow_code=allow_code,
        noise_floor=noise_floor,
        engine_flips=engine_flips,
        sequential=seed if sequential else None,
        baseline=lambda: models.get("baseline"),
    )
    session.need(asked)
    for name in session.suites:
        session.ask_both(name, engines.of)
    gates, probes = rows(session.decide(with_overall(asked, margin, given is not None, max_flips)))
    diagnosis = (
        _diagnosis(probes, session, engines, Diagnosing(IN_A_RUN, seed, allow_code)) if diagnose else {}
    )
    named = sorted(suite.name for suite in read if suite.path in paths)
    named += [OVERALL] if given is not None and margin is not None else []
    code = exit_code(gates, named)
    run = RunRow(
        harness=__version__,
        started=started,
        ended=now(),
        status=run_status(code, gate_failed=code == 1),
        seconds=round(time.monotonic() - began, 1),
        command=[],
        exit_status=code,
        errors=[],
        device=engines.device,
        dtype=engines.dtype,
        versions=versions(),
        suites={suite.name: suite_row(suite) for suite in read},
        sample=sample,
        sample_seed=seed,
        strict=strict,
        fail_on=fail_on,
        max_drop_overall=margin,
        named=named,
        diagnosis=diagnosis,
        observed=standing_out(probes),
        notes=[in_python(note) for note in (*left_out, *engines.notes, *session.notes)],
        **models,
        **session.given,
        **session.told,
    )
    return Record(run=run, gates=gates, probes=probes)


def _diagnosis(
    probes: Sequence[ProbeRow], session: PairSession, engines: EnginePair, how: Diagnosing
) -> dict[str, DiagnosisRow]:
    """Why probes were lost; a note tells where that cannot be, which fails no run."""
    try:
        return diagnosed(probes, {name: run.suite for name, run in session.suites.items()}, engines, how)
    except HarnessError as error:
        session.note(f"diagnose: {error.text}")
        return {}


def _suites(paths: Sequence[Path], allow_code: bool, reach: Reach) -> tuple[list[Suite], list[str]]:
    """The suites to run, with their notes, and one for each left out: it runs code without permission, and only its folder was named."""
    suites = read_suites(paths, reach)
    notes = [note for suite in suites for note in suite.notes]
    if not allow_code:
        along = [suite for suite in suites if suite.path not in paths]
        kept, left_out = without_code(along, anyway=len(along) < len(suites))
        notes += left_out
        suites = [suite for suite in suites if suite.path in paths or suite in kept]
    check_consent(suites, allow_code)
    if not suites:
        raise NoEvidenceError("no suites were given, so no forgetting would be seen")
    return suites, notes


def _engines(
    model: Model, baseline: Model | None, settings: Settings, asked: Sequence[Case], reach: Reach
) -> tuple[EnginePair, dict[Side, ModelRow]]:
    """Both engines, and the models' rows in the record."""
    if isinstance(model, str | Path) and isinstance(baseline, str | Path | None):
        named = None if baseline is None else str(baseline)
        found = find_models(str(model), named, settings, reach)
        pair = trained(found, named, settings, logger.info, no_progress)
        requests = [request(under(case.suite, settings), probe) for case in asked for probe in case.probes]
        engines = open_pair(pair, settings, logger.info, list(dict.fromkeys(requests)))
        identity = cache(weights_identity)
        return engines, {
            "baseline": model_row(pair.baseline, named, engines.baseline.label, identity),
            "tuned": model_row(pair.tuned, str(model), engines.tuned.label, identity),
        }
    if isinstance(baseline, str) and baseline == SAME:
        baseline = model
    if baseline is None:
        raise NoEvidenceError(
            "the baseline of a model in memory is unknown\n  give the model before tuning: baseline=..."
        )
    (before, baseline_row), (after, tuned_row) = engines_of((baseline, model), settings)
    after = before if baseline is model else after
    check_apart(before, after)
    return EnginePair(before, after), {"baseline": baseline_row, "tuned": tuned_row}
