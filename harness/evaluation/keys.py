"""Content keys of probes: equal where a model is shown the same, and where its answers are scored the same way."""

from __future__ import annotations

from collections.abc import Iterable

from harness.digest import digest
from harness.engine.answers import request_data, request_key
from harness.engine.prompts import request
from harness.suites.suite import Probe, Suite


def question_key(suite: Suite, probe: Probe) -> str:
    """The key of everything that determines a probe's answer and its score."""
    return digest({
        "request": request_data(request(suite, probe)),
        "score": {probe.scorer.name: probe.scorer.written()},
        "answers": sorted(probe.answers),
    })  # fmt: skip


def asked_key(asked: Iterable[tuple[Suite, Iterable[Probe]]]) -> str:
    """The key of everything that a model is shown for probes of several suites, but not of how its answers are scored."""
    return digest([
        [suite.name, [[probe.id, request_key(request(suite, probe))] for probe in probes]]
        for suite, probes in asked
    ])  # fmt: skip
