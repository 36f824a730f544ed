"""The rows of a record about why probes were lost: what each was diagnosed as, and what that rests on.

Rates are fractions. The text under each field is its line in docs/record.md.
"""

from __future__ import annotations

from typing import Literal

from harness.reporting.row import Row

Cause = Literal[
    "format takeover", "knowledge lost", "refuses", "rambles or cuts off", "other language", "undetermined"
]
WayName = Literal["choices", "shots", "restated", "begun", "stripped"]


class ExampleRow(Row):
    """A lost probe that was diagnosed so. Long texts are cut."""

    probe: str
    """Its id."""
    question: str
    """What it asks."""
    expected: list[str]
    """Its right answers."""
    baseline: str
    """The baseline's answer."""
    tuned: str
    """The tuned model's."""
    because: str
    """What the diagnosis rests on."""
    way: WayName | None = None
    """How it was asked otherwise, if that decided."""
    otherwise: str | None = None
    """The tuned model's answer then."""


class LossCauseRow(Row):
    """How many of a suite's lost probes have a cause."""

    cause: Cause
    """`format takeover`, `knowledge lost`, `refuses`, `rambles or cuts off`, `other language` or `undetermined`."""
    probes: int
    """How many."""
    share: float
    """Of those that were diagnosed."""
    interval: tuple[float, float]
    """Of the share (Wilson), with 90 % confidence."""
    examples: list[ExampleRow]
    """At most three."""


class WayRow(Row):
    """What came of asking both models otherwise: `choices`, `shots`, `restated`, `begun`; or, without asking, `stripped`."""

    way: WayName
    """How they were asked."""
    lost: int
    """How many lost probes were asked so."""
    baseline: int
    """How many of them the baseline has right so."""
    tuned: int
    """How many the tuned model has."""
    interval: tuple[float, float]
    """Of the tuned model's share (Wilson), with 90 % confidence."""
    chance: float
    """The share that is right by luck."""
    luck: float
    """How likely that luck alone gives so many: the recovery counts at 0.05 or less."""
    kept: int
    """How many kept probes were asked so, as a control."""
    kept_baseline: int
    """How many of those the baseline has right."""
    kept_tuned: int
    """How many the tuned model has."""
    tells: bool
    """Whether a wrong answer so tells anything: the controls are right so."""


class DiagnosisRow(Row):
    """Why probes of a suite were lost."""

    verdict: Literal[Cause, "mixed"]
    """The cause of more than half of them; `mixed` if none is."""
    lost: int
    """How many probes were lost."""
    diagnosed: int
    """How many of them were diagnosed: all, or a seeded sample."""
    causes: list[LossCauseRow]
    """Each cause that was found, the most frequent first."""
    ways: list[WayRow]
    """What came of asking otherwise."""
    form: list[str]
    """What lost answers have in common, and few of the baseline's to the same probes."""
    words: list[str]
    """Words in many of the lost answers, and in few of the baseline's."""
    notes: list[str]
    """What could not be asked, and why."""
