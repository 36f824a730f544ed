"""The accepted losses of a suite and the baseline of a run in, which of them count out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from harness.engine.answers import request_key
from harness.engine.prompts import request
from harness.evaluation.suite_run import SuiteRun
from harness.reporting.run_rows import ModelRow, Standing
from harness.suites.acceptance import Acceptance


def today() -> date:
    """The day, in UTC, by which acceptances expire."""
    return datetime.now(UTC).date()


def judged(run: SuiteRun, baseline: ModelRow | None) -> list[tuple[Acceptance, Standing]]:
    """What was accepted of a suite, each with whether it counts for this baseline today."""
    accepted, keys = run.suite.accepted, run.keys
    if keys is None:
        by_id = {probe.id: probe for probe in run.suite.probes}
        known = {item.probe for item in accepted} & by_id.keys()
        keys = {id: request_key(request(run.suite, by_id[id])) for id in known}
    return [(item, _standing(item, baseline, keys.get(item.probe), today())) for item in accepted]


def _standing(item: Acceptance, baseline: ModelRow | None, key: str | None, day: date) -> Standing:
    if key is None:
        return "no such probe"
    if key != item.asked:
        return "asked otherwise"
    if not _is_for(item, baseline):
        return "another baseline"
    return "in force" if item.until is None or day <= item.until else "expired"


def _is_for(item: Acceptance, baseline: ModelRow | None) -> bool:
    """Whether it is the same baseline: by its content, or by its reference if neither content is known."""
    if baseline is None:
        return False
    if item.weights is None and baseline.weights is None:
        return item.baseline == baseline.reference
    return (item.weights, item.base_weights) == (baseline.weights, baseline.base_weights)


def standings_now(run: SuiteRun) -> Iterator[tuple[Acceptance, Standing]]:
    """The same once the models were asked: what is accepted and was not lost is not needed."""
    if not run.acceptances:
        return
    lost = {pair.probe.id for pair in run.pairs(run.asked_of_both) if pair.change == "lost"}
    asked = {probe.id for probe in run.asked_of_both}
    for item, standing in run.acceptances:
        kept = standing == "in force" and item.probe in asked - lost
        yield item, "not lost" if kept else standing
