"""The record of a sweep in; each mitigation with its measured or published effect, and which recipe to take, out.

Every measured sentence follows from two recipes: the reference, which forgot, and one that adds the mitigation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.gate.pooling import Pooled
from harness.gate.verdict import Verdict
from harness.recipes.diff import Changes, changes, mitigations_of
from harness.recipes.mitigations import LEAST_COSTLY_FIRST
from harness.recipes.mitigations.mitigation import Mitigation, PenaltyMitigation
from harness.reporting.explain import INTERVAL, shown_interval
from harness.sweep.record import EffectRow, MeasuredRow, RecipeRow, SweepRecord
from harness.sweep.results import compared
from harness.wording import between, count, points

Basis = Literal["measured", "together", "there", "published", "failed"]

MOST_UNTRIED = 6
"""How many mitigations that no recipe has are named in the conclusion; the list above it has all."""


@dataclass(frozen=True)
class Advice:
    """One line of a recommendation.

    Attributes:
        title: the mitigations that it is about, or "no mitigation".
        basis: measured by a recipe that adds this and no other mitigation, or `together` with others; `there`: the
            reference has it; published: by others, not measured here; failed: the recipe could not be measured.
    """

    title: str
    basis: Basis
    text: str


@dataclass(frozen=True)
class Recommendation:
    """The reference, what is known of each mitigation (least costly first), and which recipe to take."""

    opening: str
    advice: tuple[Advice, ...]
    conclusion: str


@dataclass(frozen=True)
class _Step:
    """From the reference to a recipe: the changes, and their effect on the general probes."""

    row: RecipeRow
    measured: MeasuredRow
    changes: Changes
    pooled: Pooled

    @property
    def added(self) -> tuple[Mitigation, ...]:
        """Least costly first."""
        return tuple(change.mitigation for change in self.changes.adds)


def recommend(record: SweepRecord) -> Recommendation:
    """What follows from a sweep; without ranks there is nothing to recommend, and the reason is given."""
    if record.unranked is not None:
        return Recommendation(record.unranked, (), "No recipe can be recommended.")
    failed = tuple(Advice(row.name, "failed", row.error.splitlines()[0]) for row in record.rungs if row.error)
    base = record.recipe(record.reference)
    if base is None or base.measured is None:
        opening = f"'{record.asked_for}' was not measured, so no recipe can be compared with it."
        return Recommendation(opening, failed, _conclusion(record))
    steps = [
        _Step(row, measured, changes(base.recipe, row.recipe), compared(record.suites, base.seeds, row.seeds))
        for row, measured in record.measured
        if row.name != base.name
    ]
    advice = (*_advice(record, base, steps), *failed)
    return Recommendation(_opening(record, base, base.measured), advice, _conclusion(record))


def _opening(record: SweepRecord, base: RecipeRow, measured: MeasuredRow) -> str:
    why = "as asked for" if record.asked_for else "which forgot most of those that learnt"
    text = (
        f"Held against '{base.name}', {why}: a drop of {_points(measured.drop)} at a gain of "
        f"{points(measured.gain)}, {measured.verdict} at a margin of {_points(record.margin)}."
    )
    if not record.asked_for and measured.verdict == "RETAINED":
        text += " Even this is RETAINED: no mitigation is needed here."
    return text


# Mitigations


def _advice(record: SweepRecord, base: RecipeRow, steps: Sequence[_Step]) -> Iterator[Advice]:
    """What is known of each mitigation, least costly first; at the end the recipes that add none."""
    for mitigation in LEAST_COSTLY_FIRST:
        alone = [step for step in steps if step.added == (mitigation,)]
        last = [step for step in steps if len(step.added) > 1 and step.added[-1] is mitigation]
        for step in (*alone, *last):
            yield _measured(record, base, step)
        if not alone:
            yield from _otherwise(mitigation, base, [step for step in steps if mitigation in step.added])
    for step in steps:
        if not step.changes.adds:
            yield _measured(record, base, step)


def _measured(record: SweepRecord, base: RecipeRow, step: _Step) -> Advice:
    title = " + ".join(mitigation.name for mitigation in step.added) or "no mitigation"
    what = "; ".join(change.text for change in step.changes.adds)
    if step.changes.gives_up:
        given_up = ", ".join(change.mitigation.name for change in step.changes.gives_up)
        what += f"{'; ' if what else ''}gives up {given_up}"
    if step.changes.other:
        what += f"{'; ' if what else ''}differs {'too ' if what else ''}in {', '.join(step.changes.other)}"
    text = (
        f"'{step.row.name}'{f' ({what})' if what else ''}: {_effect(base, step)}; {_judgement(record, step)}. "
        f"Of {count(step.pooled.n, 'probe')}, {_number(step.pooled.gained)} are right only under it and "
        f"{_number(step.pooled.lost)} only under '{base.name}'."
    )
    return Advice(title, "together" if len(step.added) > 1 else "measured", text)


def _effect(base: RecipeRow, step: _Step) -> str:
    """ "drop 53.1 -> 8.8 points at a gain of 97 (was 95)"."""
    assert base.measured is not None
    before, after = base.measured, step.measured
    return (
        f"drop {points(before.drop)} -> {points(after.drop)} points at a gain of {points(after.gain)} "
        f"(was {points(before.gain)})"
    )


def _judgement(record: SweepRecord, step: _Step) -> str:
    """The effect of the change; a smaller drop at a smaller gain is no proof that a mitigation helps."""
    low, high = step.pooled.interval
    learning, enough = step.row.learning, f"{points(record.matched)} % of the best"
    if high < 0:
        unsure = f", if it learnt {enough}, which cannot be told" if learning == "cannot be told" else ""
        forgot, helped = "it forgot less", f"it helped{unsure}"
    elif low > 0:
        forgot, helped = "it forgot more", "it did not help here: more was forgotten"
    else:
        change = f"{INTERVAL} of the change {between(step.pooled.interval)}"
        forgot = helped = f"whether it helped cannot be told ({change})"
    if learning != "less":
        return helped
    joined = ", but" if high < 0 else ", and"
    return f"{forgot}{joined} it learnt less than {enough}"


def _otherwise(mitigation: Mitigation, base: RecipeRow, within: Sequence[_Step]) -> Iterator[Advice]:
    """What is known of a mitigation that no recipe adds alone."""
    if within:
        if named := [step for step in within if step.added[-1] is not mitigation]:
            names = ", ".join(f"'{step.row.name}'" for step in named)
            text = f"measured only together with other mitigations, see {names}"
            yield Advice(mitigation.name, "together", text)
    elif mitigation in mitigations_of(base.recipe):
        yield Advice(mitigation.name, "there", f"'{base.name}' has it already")
    else:
        holds_weights = isinstance(mitigation, PenaltyMitigation) and mitigation.holds == "weights"
        in_adapter = holds_weights and base.recipe.method.chosen.is_adapter
        caution = "; under LoRA it holds the adapter, not the model" if in_adapter else ""
        yield Advice(mitigation.name, "published", f"{mitigation.published}{caution}")


def _points(fraction: float) -> str:
    """ "8.8 points", "1 point"."""
    shown = points(fraction)
    return f"{shown} point{'' if shown in ('1', '-1') else 's'}"


def _number(mean: float) -> str:
    """A count, or the mean of counts over the seeds."""
    return f"{mean:.0f}" if mean == int(mean) else f"{mean:.1f}"


# Which recipe to take


def _conclusion(record: SweepRecord) -> str:
    (best, measured), *others = [(row, measured) for row, measured in record.measured if row.rank is not None]
    held_out, gain = record.held_out, f"at a gain of {points(measured.gain)}"
    if held_out is None:
        among = f"the least of {len(others) + 1} recipes" if others else "alone in learning as much"
        general, verdict = measured.general, measured.verdict
        text = f"Take '{best.name}': a drop of {_drop(general)} {gain}, {among}."
    else:
        general, verdict = held_out.effect, held_out.verdict
        text = (
            f"Take '{best.name}': a drop of {_drop(general)} {gain}. It lost least of {len(others) + 1} recipes on "
            f"{count(held_out.ranked_on, 'general probe')}; the drop is that on {general.n:,} others, which had no part "
            "in choosing it."
        )
    if best.learning == "cannot be told":
        text += (
            f" Whether it learnt {points(record.matched)} % of the best cannot be told from "
            f"{count(measured.target.n, 'target probe')}."
        )
    if held_out and held_out.alike:
        names = _listed([f"'{name}'" for name in held_out.alike])
        text += f" These probes cannot tell it from {names}."
    return text + _caution(record, verdict, general.n)


def _drop(general: EffectRow) -> str:
    """ "8 points (90 % interval 4.7 to 12)"."""
    return f"{_points(general.drop)} ({shown_interval(general.interval)})"


def _caution(record: SweepRecord, verdict: Verdict, probes: int) -> str:
    margin, n = _points(record.margin), count(probes, "probe")
    match verdict:
        case "FORGOTTEN":
            tried = _tried(record)
            untried = [mitigation.name for mitigation in LEAST_COSTLY_FIRST if mitigation not in tried]
            named = untried if len(untried) <= MOST_UNTRIED else untried[:MOST_UNTRIED]
            rest = [f"{len(untried) - len(named)} more"] if len(untried) > len(named) else []
            more = f": not tried here are {_listed([*named, *rest])}" if untried else ""
            return f" But it is FORGOTTEN too, by more than {margin}{more}."
        case "INCONCLUSIVE":
            return f" Whether it loses more than {margin} cannot be told from {n}."
        case "VACUOUS":
            return f" But the baseline is right on so little of {n} that nothing could be seen to be lost."
    return f" It is RETAINED at a margin of {margin}."


def _tried(record: SweepRecord) -> set[Mitigation]:
    """The mitigations that a recipe has by itself, or adds to the reference."""
    base = record.recipe(record.reference)
    tried = {mitigation for row in record.rungs for mitigation in mitigations_of(row.recipe)}
    if base is not None:
        tried |= {added.mitigation for row in record.rungs for added in changes(base.recipe, row.recipe).adds}
    return tried


def _listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
