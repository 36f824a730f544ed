"""What the lint rules found in a suite in, its warnings out: without those that the suite explains, alike ones as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from harness.errors import Problem, Span
from harness.suites.suite import Probe, Suite
from harness.suites.weakness import MUST_BE_RIGHT, MUST_BE_WRONG, WORDING, Weakness, reason
from harness.wording import some

MOST_ALIKE = 3
"""Findings of one kind about so many probes are warnings of their own; more become one."""

OVER_SUITES: tuple[Weakness, ...] = ("repeated_id",)
"""Found only where several suites are linted together."""


@dataclass(frozen=True)
class Finding:
    """A weakness of a probe, or of the suite as a whole."""

    kind: Weakness
    span: Span | None
    message: str
    hint: str
    probe: Probe | None = None

    @classmethod
    def of(cls, probe: Probe, kind: Weakness, message: str, hint: str) -> Self:
        """A weakness of a probe."""
        return cls(kind, probe.span, message, hint, probe)


def warnings(suite: Suite, found: Sequence[Finding], with_battery: bool) -> Iterator[Problem]:
    """The warnings of a suite.

    Args:
        with_battery: whether `found` has what the battery of replies shows, so that an unused exemption from it is known.
    """
    kinds: dict[Weakness, list[Finding]] = {}
    for finding in found:
        if not is_ignored(suite, finding):
            kinds.setdefault(finding.kind, []).append(finding)
    for findings in kinds.values():
        yield from grouped(findings, len(suite.probes))
    yield from _unused(suite, found, with_battery)


def is_ignored(suite: Suite, finding: Finding) -> bool:
    """Whether the suite, or the probe, says why it has this weakness."""
    own = finding.probe.lint_ignore if finding.probe else {}
    return reason(own, finding.kind) is not None or reason(suite.lint_ignore, finding.kind) is not None


def grouped(findings: Sequence[Finding], of: int) -> Iterator[Problem]:
    """Findings of one kind as warnings; those of many probes as one, at the first.

    Args:
        of: how many probes there are.
    """
    about = [finding for finding in findings if finding.probe is not None]
    for finding in findings:
        if finding.probe is None or len(about) <= MOST_ALIKE:
            yield Problem(finding.span, finding.message, finding.hint)
    if len(about) > MOST_ALIKE:
        first, names = about[0], [f"'{finding.probe.id}'" for finding in about if finding.probe is not None]
        message = f"{first.message}; so in {len(names):,} of {of:,} probes: {some(names)}"
        yield Problem(first.span, message, first.hint)


def _unused(suite: Suite, found: Iterable[Finding], with_battery: bool) -> Iterator[Problem]:
    """Exemptions from weaknesses that the suite does not have."""
    seen = {(finding.kind, finding.probe.span if finding.probe else None) for finding in found}
    seen |= {("wording", span) for kind, span in seen if kind in WORDING}
    kinds = {kind for kind, _ in seen}
    unknown = {*OVER_SUITES, *(() if with_battery else (*MUST_BE_WRONG, *MUST_BE_RIGHT, "wording"))}
    for kind in suite.lint_ignore:
        if kind not in kinds and kind not in unknown:
            yield _needless(suite.span, f"the suite '{suite.name}'", kind)
    named: set[tuple[str, Span | None]] = set()
    for probe in suite.probes:
        for kind in probe.lint_ignore:
            if (kind, probe.span) not in seen | named and kind not in unknown:
                named.add((kind, probe.span))
                yield _needless(probe.span, f"the probe '{probe.id}'", kind)


def _needless(span: Span | None, whose: str, kind: str) -> Problem:
    return Problem(span, f"'lint_ignore' of {whose} names '{kind}', which lint does not find", "remove it")


def repeated_ids(suites: Sequence[Suite]) -> list[Problem]:
    """Ids of probes that an earlier suite has too."""
    first: dict[str, Suite] = {}
    problems: list[Problem] = []
    for suite in suites:
        found = [
            Finding.of(
                probe,
                "repeated_id",
                f"the id '{probe.id}' is in the suite '{first[probe.id].name}' too",
                "-k and reports by id cannot tell them apart; rename one of them",
            )
            for probe in suite.probes
            if probe.id in first and first[probe.id].name != suite.name
        ]
        problems += grouped(
            [finding for finding in found if not is_ignored(suite, finding)], len(suite.probes)
        )
        for probe in suite.probes:
            first.setdefault(probe.id, suite)
    return problems
