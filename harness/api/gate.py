"""Two models and suites in, the Record of a gate run out: `pytest SUITES --model MODEL`, for Python."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Unpack

from harness import __version__
from harness.api.models import Model, engine_of
from harness.documents.within import Reach
from harness.engine.keywords import EngineOptions, settings_of_keywords
from harness.engine.pair import EnginePair
from harness.engine.prompts import request, under
from harness.engine.registry import open_pair
from harness.engine.settings import Settings
from harness.errors import HarnessError, InputError, NoEvidenceError
from harness.evaluation.permission import code_problem
from harness.evaluation.record import exit_code, model_row, rows, versions
from harness.evaluation.sample import sampled
from harness.evaluation.session import PairSession
from harness.evaluation.suites import read_suites
from harness.gate.cases import Case, cases
from harness.gate.verdict import Policy
from harness.progress import Progress
from harness.reporting.record import ModelRow, Record, RunRow
from harness.spelling import in_python
from harness.suites.severity import SEVERITIES, Severity
from harness.suites.suite import Suite
from harness.training.references import find_models, trained

logger = logging.getLogger("harness")


def run_gate(
    model: Model,
    suites: Sequence[str | Path] | str | Path,
    baseline: Model | None = None,
    *,
    sample: int | None = None,
    seed: int = 0,
    strict: bool = False,
    fail_on: Severity = "low",
    allow_code: bool = False,
    allow_outside: bool = False,
    **options: Unpack[EngineOptions],
) -> Record:
    """Ask both models the probes of suites, and decide their gates.

        record = run_gate("./tuned", "suites/")
        assert record.run.exit_status == 0

    Args:
        model: the tuned one: a reference such as "./tuned" or a recipe, a function from prompt to text, an Engine, or a
            (model, tokenizer) pair.
        suites: suite files, or folders of them.
        baseline: the model before tuning; a reference needs none where its adapter or model card names it.
        sample: how many probes to ask at most, each suite and category with its share; None for all. Gates over `each`
            keep all of their probes.
        seed: of the sample.
        strict: what is inconclusive fails.
        fail_on: gates of lesser severity warn and do not fail.
        allow_code: run code that the model writes, where a score does.
        allow_outside: let suites take their probes from outside their folders and the working folder.
        options: how the models run (see EngineOptions).

    Returns:
        What pytest writes to record.json. `run.exit_status` is 0 where all gates passed, 1 where one failed, 5 where none
        was decided.

    Raises:
        InputError: a suite cannot be read, or runs code and may not.
        NoEvidenceError: there are no suites, or nothing follows from an answer.
        ModelError, EngineError, ScorerError: as in a run of pytest.
        HarnessError: an option has no value that it may have.
        TypeError: an option of that name does not exist.
    """
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    settings = settings_of_keywords(options, run_gate)
    if fail_on not in SEVERITIES:
        raise HarnessError(f"fail_on must be one of {', '.join(SEVERITIES)}, saw {fail_on!r}")
    if sample is not None and sample < 1:
        raise HarnessError(f"sample must be at least 1 probe, or None for all, saw {sample}")
    reach = Reach(anywhere=allow_outside)
    read = _suites([suites] if isinstance(suites, str | Path) else suites, allow_code, reach)
    asked = list(sampled((case for suite in read for case in cases(suite)), sample, seed))
    engines, who = _engines(model, baseline, settings, asked, reach)
    session = PairSession(Policy(strict, fail_on), settings, allow_code=allow_code)
    session.need(asked)
    decisions = [
        session.ask_and_decide(case, None if case.tuned_alone else engines.baseline, engines.tuned)
        for case in asked
    ]
    gates, probes = rows(decisions)
    run = RunRow(
        harness=__version__,
        started=started,
        seconds=round(time.monotonic() - began, 1),
        command=[],
        exit_status=exit_code(gates),
        errors=[],
        device=engines.device,
        dtype=engines.dtype,
        versions=versions(),
        strict=strict,
        fail_on=fail_on,
        notes=[in_python(note) for note in (*engines.notes, *session.notes)],
        seconds_asking=session.seconds_asking,
        **who,
        **session.given,
    )
    return Record(run=run, gates=gates, probes=probes)


def _suites(paths: Sequence[str | Path], allow_code: bool, reach: Reach) -> list[Suite]:
    suites = read_suites([Path(path) for path in paths], reach)
    if problems := list(filter(None, (code_problem(suite, suite.probes, allow_code) for suite in suites))):
        raise InputError(problems)
    if not suites:
        raise NoEvidenceError("no suites were given, so no forgetting would be seen")
    return suites


def _engines(
    model: Model, baseline: Model | None, settings: Settings, asked: Sequence[Case], reach: Reach
) -> tuple[EnginePair, dict[str, Any]]:
    """Both engines, and the rows of the record that say who they are."""
    if isinstance(model, str | Path) and isinstance(baseline, str | Path | None):
        named = None if baseline is None else str(baseline)
        pair = trained(
            find_models(str(model), named, settings, reach), named, settings, logger.info, _uncounted
        )
        requests = [request(under(case.suite, settings), probe) for case in asked for probe in case.probes]
        engines = open_pair(pair, settings, logger.info, list(dict.fromkeys(requests)))
        return engines, {
            "baseline": model_row(pair.baseline, named, engines.baseline.label),
            "tuned": model_row(pair.tuned, str(model), engines.tuned.label),
        }
    if baseline is None:
        raise NoEvidenceError(
            "a model in memory has no baseline that is known\n  give the model before tuning: baseline=..."
        )
    (before, who_before), (after, who_after) = (
        engine_of(side, settings if isinstance(side, str | Path) else _of_asking(settings))
        for side in (baseline, model)
    )
    return EnginePair(before, after), {"baseline": _row(who_before), "tuned": _row(who_after)}


def _of_asking(settings: Settings) -> Settings:
    """The settings that act on a model which is loaded already."""
    return Settings(template_arguments=settings.template_arguments, thinking_tokens=settings.thinking_tokens)


def _uncounted(label: str, unit: str = "") -> Progress:
    """For work whose progress nobody watches."""
    return lambda done, total: None


def _row(who: Any) -> ModelRow:
    label = who["label"]
    return ModelRow(
        reference=label, name=label, weights=who.get("weights"), base_weights=who.get("base_weights"),
        source="reference" if "weights" in who else "fixture",
    )  # fmt: skip
