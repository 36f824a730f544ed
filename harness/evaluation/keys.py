"""The probes of a suite in, keys that stand for their content out: what was asked, and how answers were judged."""

from __future__ import annotations

from collections.abc import Iterable

from harness.digest import digest
from harness.engine.answers import request_data, request_key
from harness.engine.prompts import request
from harness.suites.suite import Probe, Suite


def question_key(suite: Suite, probe: Probe) -> str:
    """What stands for all that a model is shown for a probe and for how its answer is judged."""
    return digest({
        "request": request_data(request(suite, probe)),
        "score": {probe.scorer.name: probe.scorer.written()},
        "answers": sorted(probe.answers),
    })  # fmt: skip


def asked_key(asked: Iterable[tuple[Suite, Iterable[Probe]]]) -> str:
    """What stands for all that a model is shown for probes of several suites; not for how its answers are judged."""
    return digest([
        [suite.name, [[probe.id, request_key(request(suite, probe))] for probe in probes]]
        for suite, probes in asked
    ])  # fmt: skip
