"""The search for what carries a loss, over models whose culprits are known."""

from __future__ import annotations

import pytest

from harness.blame.search import Outcome, Search, Strata
from harness.training.edits.parts import Part

LAYERS, KINDS = 16, ("q", "v")
PARTS = [Part(layer, kind) for layer in range(LAYERS) for kind in KINDS]
LOST, KEPT = 20, 10


def alone(lost: int, kept: int) -> Strata:
    """Probes of which none go together."""
    return Strata(lost, kept, ([None] * LOST, [None] * KEPT))


def searched(lost, kept=lambda on: True, most=200, strata=None):
    """Search models that lose each of LOST probes by the rule `lost` over the parts that are on."""
    asked = []

    def ask(off):
        on = set(PARTS) - set(off)
        asked.append(frozenset(off))
        return Outcome(
            tuple(not lost(on, probe) for probe in range(LOST)), tuple(kept(on) for _ in range(KEPT))
        )

    search = Search(PARTS, strata or alone(LOST, KEPT), ask, most)
    found = search.found()
    assert len(asked) == len(set(asked))
    return found


def measured(found, axis, **keys):
    return [
        one for one in found.groups if one.group.axis == axis and all(getattr(one.group, k) == v for k, v in keys.items())
    ]  # fmt: skip


CULPRIT = Part(11, "v")


def test_one_culprit_is_found_both_ways():
    found = searched(lambda on, probe: CULPRIT in on)
    whole = LOST / (LOST + KEPT)
    (one,) = measured(found, "layers", layers=(11,), modules=("v",))
    assert (one.off.value, one.alone.value) == pytest.approx((whole, whole))
    (other,) = measured(found, "layers", layers=(11,), modules=("q",))
    assert (other.off.value, other.alone.value) == (0, 0)
    (kind,) = measured(found, "modules", modules=("v",))
    assert (kind.off.value, kind.alone.value) == pytest.approx((whole, whole))
    assert (found.apart, found.unopened, found.rest.value) == ((), 0, 0)
    assert found.models < 2 * 2 * 5 + 4  # a binary search


def test_of_two_that_each_suffice_neither_brings_anything_back():
    two = (Part(2, "q"), Part(13, "q"))
    found = searched(lambda on, probe: any(part in on for part in two))
    for layer in (2, 13):
        (one,) = measured(found, "layers", layers=(layer,), modules=("q",))
        assert one.off.value == 0
        assert one.alone.value == pytest.approx(found.whole.value)
    first = [row for row in found.apart if row.group == 0]
    assert [(row.way, row.together > sum(row.apart)) for row in first] == [("off", True), ("alone", False)]


def test_two_that_only_lose_it_together_bring_it_all_back_each():
    two = {Part(2, "q"), Part(13, "q")}
    found = searched(lambda on, probe: two <= on)
    for layer in (2, 13):
        (one,) = measured(found, "layers", layers=(layer,), modules=("q",))
        assert one.off.value == pytest.approx(found.whole.value)
        assert one.alone.value == 0
    first = [row for row in found.apart if row.group == 0]
    assert [(row.way, row.together > sum(row.apart)) for row in first] == [("off", False), ("alone", True)]


def test_effects_on_different_probes_add_up():
    parts = (Part(1, "q"), Part(9, "v"))
    found = searched(lambda on, probe: parts[probe % 2] in on)
    assert found.apart == ()
    (one,) = measured(found, "layers", layers=(9,), modules=("v",))
    assert one.off.value == pytest.approx(found.whole.value / 2)


def test_what_a_group_keeps_counts_against_it():
    keeper = Part(5, "q")
    found = searched(lambda on, probe: CULPRIT in on, kept=lambda on: keeper in on or CULPRIT not in on)
    (one,) = measured(found, "layers", layers=tuple(range(8)))
    assert one.off.value == pytest.approx(-KEPT / (LOST + KEPT))


def test_a_sample_counts_for_what_it_is_a_sample_of():
    found = searched(lambda on, probe: CULPRIT in on, strata=alone(20, 180))
    assert found.whole.value == pytest.approx(0.1)


def test_what_stays_lost_with_every_part_off_is_told():
    found = searched(lambda on, probe: probe < 10 or CULPRIT in on)
    assert found.rest.value == pytest.approx(10 / 30)


@pytest.mark.parametrize("most", [2, 7, 12])
def test_no_more_models_are_asked_than_allowed(most):
    found = searched(lambda on, probe: CULPRIT in on, most=most)
    assert found.models <= most
    assert found.unopened > 0


def test_the_half_that_carries_most_is_opened_first():
    found = searched(lambda on, probe: CULPRIT in on, most=9)
    opened = [one.group.layers for one in found.groups if one.group.axis == "layers" and one.depth == 2]
    assert opened == [(8, 9, 10, 11), (12, 13, 14, 15)]


def test_nothing_kept_and_one_layer():
    def ask(off):
        return Outcome((bool(off),) * 3, ())

    found = Search([Part(0, "q"), Part(0, "v")], Strata(3, 0, ([None] * 3, [])), ask, 10).found()
    assert [one.group.axis for one in found.groups] == ["modules"] * 3
    assert found.whole.value == 1


def test_kept_probes_of_which_none_is_asked_are_our_mistake():
    """Their share would be left out of every number without a word."""
    search = Search([Part(0, "q")], Strata(3, 3, ([None] * 3, [])), lambda off: Outcome((True,) * 3, ()), 10)
    with pytest.raises(AssertionError, match="no probe was asked"):
        search.found()


def test_one_probe_does_not_show_that_halves_do_not_add_up():
    def asked(n):
        def ask(off):
            on = {Part(0, "q"), Part(1, "q")} - set(off)
            return Outcome((not on,) * n, (True,) * n)

        strata = Strata(n, n, ([None] * n, [None] * n))
        return Search([Part(0, "q"), Part(1, "q")], strata, ask, 10).found().apart

    assert asked(8)
    assert not asked(1)


def test_probes_that_go_together_make_every_effect_less_sure():
    """Of each template of five, a part switched off brings back all or none."""

    def lost(on, probe):
        return CULPRIT in on and probe < 10

    apart = searched(lost)
    clusters = [f"t{probe // 5}" for probe in range(LOST)], [None] * KEPT
    together = searched(lost, strata=Strata(LOST, KEPT, clusters))
    (before,), (after,) = (
        measured(found, "layers", layers=(11,), modules=("v",)) for found in (apart, together)
    )
    assert after.alone.value == before.alone.value
    assert after.alone.interval[0] < before.alone.interval[0]
    assert before.alone.interval[1] < after.alone.interval[1]


def test_a_few_templates_do_not_show_that_halves_do_not_add_up():
    two = (Part(2, "q"), Part(13, "q"))

    def lost(on, probe):
        return any(part in on for part in two) if probe < 5 else CULPRIT in on

    assert searched(lost).apart
    clusters = [f"t{probe // 5}" for probe in range(LOST)], [None] * KEPT
    assert not searched(lost, strata=Strata(LOST, KEPT, clusters)).apart
