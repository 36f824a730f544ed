"""What a ladder recommends, word for word: measured where it was measured, published where not, and why."""

from __future__ import annotations

from harness.recipes.mitigations import LEAST_COSTLY_FIRST
from harness.recipes.mitigations.replay import REPLAY as BY_REPLAY
from harness.sweep.recommendation import recommend
from tests.support.ladders import LORA, REPLAY, ladder, recipe, rung

CARELESS = rung(recipe("careless"), (38, 53))


def by_title(record) -> dict[str, tuple[str, str]]:
    found = recommend(record).advice
    assert len({one.title for one in found}) == len(found)
    return {one.title: (one.basis, one.text) for one in found}


def test_a_mitigation_that_was_measured_alone():
    record = ladder(CARELESS, rung(recipe("gentle", learning_rate=1e-5), (38, 9)))
    found = recommend(record)
    assert found.opening == (
        "Held against 'careless', which forgot most of those that learnt: a drop of 53 points at a gain of 95, "
        "FORGOTTEN at a margin of 10 points."
    )
    assert by_title(record)["a lower rate"] == (
        "measured",
        "'gentle' (1e-5 instead of 5e-5): drop 53 -> 9 points at a gain of 95 (was 95); it helped. "
        "Of 200 probes, 88 are right only under it and 0 only under 'careless'.",
    )
    assert found.conclusion == (
        "Take 'gentle': a drop of 10 points (90 % interval 6.1 to 16) at a gain of 95. It lost least of 2 recipes on 100 "
        "general probes; the drop is that on 100 others, which had no part in choosing it. Whether it loses more than 10 "
        "points cannot be told from 100 probes."
    )


def test_the_rest_is_published_least_costly_first():
    record = ladder(CARELESS, rung(recipe("gentle", learning_rate=1e-5), (38, 9)))
    found = recommend(record).advice
    assert [one.title for one in found] == [mitigation.name for mitigation in LEAST_COSTLY_FIRST]
    published = [one for one in found if one.basis == "published"]
    assert [one.text for one in published] == [
        mitigation.published for mitigation in LEAST_COSTLY_FIRST if mitigation.name != "a lower rate"
    ]
    assert by_title(record)["replay"][1] == (
        "1 % of rehearsal kept about 100 % (Scialom 2022); 5 % for continual pretraining (Ibrahim 2024)"
    )


def test_what_the_reference_has_is_neither_measured_nor_published():
    record = ladder(
        rung(recipe("careless", method=LORA), (38, 53)), rung(recipe("other", method=LORA, epochs=2), (38, 9))
    )
    found = by_title(record)
    assert found["LoRA"] == ("there", "'careless' has it already")
    assert found["EWC"][1].endswith("(Kirkpatrick 2017); under LoRA it holds the adapter, not the model")
    assert found["replay"] == ("published", BY_REPLAY.published)


def test_several_at_once_are_told_as_one_and_not_credited_apart():
    both = recipe("both", replay=REPLAY, epochs=3, warmup=0.1)
    found = by_title(ladder(CARELESS, rung(both, (37, 4))))
    assert found["fewer epochs + replay"] == (
        "together",
        "'both' (3 epochs instead of 10; 25 % of the data; differs too in warmup): drop 53 -> 4 points at a gain of "
        "92.5 (was 95); it helped, if it learnt 90 % of the best, which cannot be told. Of 200 probes, 98 are right only under it and 0 only under 'careless'.",
    )
    assert found["fewer epochs"] == ("together", "measured only together with other mitigations, see 'both'")
    assert "replay" not in found


def test_a_mitigation_that_did_not_help():
    found = by_title(ladder(CARELESS, rung(recipe("held", l2_sp=1.0), (38, 52)), rung(recipe("old", replay=REPLAY), (38, 45)),
                            asked_for="old"))  # fmt: skip
    assert found["L2-SP"][1] == (
        "'held' (with a weight of 1; gives up replay): drop 45 -> 52 points at a gain of 95 (was 95); it did not help "
        "here: more was forgotten. Of 200 probes, 0 are right only under it and 14 only under 'old'."
    )


def test_a_mitigation_of_which_nothing_can_be_told():
    found = by_title(ladder(CARELESS, rung(recipe("held", l2_sp=1.0), (38, 53))))
    assert found["L2-SP"][1] == (
        "'held' (with a weight of 1): drop 53 -> 53 points at a gain of 95 (was 95); whether it helped cannot be told "
        "(90 % interval of the change -1.3 to 1.3). Of 200 probes, 0 are right only under it and 0 only under "
        "'careless'."
    )


def test_what_learnt_less_is_not_said_to_have_helped():
    found = by_title(ladder(CARELESS, rung(recipe("short", epochs=1), (12, 5))))
    assert found["fewer epochs"][1].startswith(
        "'short' (1 epoch instead of 10): drop 53 -> 5 points at a gain of 30 (was 95); it forgot less, but it learnt "
        "less than 90 % of the best. Of 200 probes, "
    )
    worse = by_title(ladder(CARELESS, rung(recipe("short", epochs=1), (12, 58)), asked_for="careless"))
    assert "it forgot more, and it learnt less than 90 % of the best. " in worse["fewer epochs"][1]


def test_a_recipe_that_adds_no_mitigation_is_compared_too():
    found = by_title(ladder(CARELESS, rung(recipe("batches", batch=2), (38, 40))))
    assert found["no mitigation"] == (
        "measured",
        "'batches' (differs in batch): drop 53 -> 40 points at a gain of 95 (was 95); it helped. Of 200 probes, 26 are "
        "right only under it and 0 only under 'careless'.",
    )


def test_counts_over_seeds_are_means():
    record = ladder(
        rung(recipe("careless"), (38, 53), (38, 50)), rung(recipe("b", l2_sp=1.0), (38, 10), (38, 10))
    )
    assert "Of 200 probes, 83 are right only under it" in by_title(record)["L2-SP"][1]
    record = ladder(
        rung(recipe("careless"), (38, 53), (38, 50), (38, 50)), rung(recipe("b", l2_sp=1.0), *[(38, 10)] * 3)
    )
    assert "Of 200 probes, 82.0 are" not in by_title(record)["L2-SP"][1]


def test_a_failed_recipe_is_named():
    record = ladder(CARELESS, rung(recipe("hot", learning_rate=0.5), error="hot.yaml:9:1: NaN\n  lower it"))
    assert recommend(record).advice[-1].title == "hot"
    assert by_title(record)["hot"] == ("failed", "hot.yaml:9:1: NaN")


def test_a_reference_that_was_asked_for_and_failed():
    record = ladder(rung(recipe("a"), (38, 3)), rung(recipe("b"), error="NaN"), asked_for="b")
    found = recommend(record)
    assert found.opening == "'b' was not measured, so no recipe can be compared with it."
    assert [one.basis for one in found.advice] == ["failed"]
    assert found.conclusion.startswith("Take 'a': ")


def test_a_reference_that_was_asked_for():
    record = ladder(CARELESS, rung(recipe("gentle", learning_rate=1e-5), (38, 2)), asked_for="gentle")
    found = recommend(record)
    assert found.opening == (
        "Held against 'gentle', as asked for: a drop of 2 points at a gain of 95, RETAINED at a margin of 10 points."
    )
    assert [one.text for one in found.advice if one.title == "no mitigation"] == [
        "'careless' (gives up a lower rate): drop 2 -> 53 points at a gain of 95 (was 95); it did not help here: more "
        "was forgotten. Of 200 probes, 0 are right only under it and 102 only under 'gentle'."
    ]


def test_where_nothing_is_forgotten_no_mitigation_is_needed():
    found = recommend(ladder(rung(recipe("a"), (38, 3)), rung(recipe("b", epochs=2), (38, 2))))
    assert found.opening.endswith(
        "RETAINED at a margin of 10 points. Even this is RETAINED: no mitigation is needed here."
    )
    assert found.conclusion == (
        "Take 'b': a drop of 2 points (90 % interval -0.7 to 5.9) at a gain of 95. It lost least of 2 recipes on 100 "
        "general probes; the drop is that on 100 others, which had no part in choosing it. These probes cannot tell it "
        "from 'a'. It is RETAINED at a margin of 10 points."
    )


def test_the_best_may_have_forgotten_too():
    found = recommend(ladder(CARELESS, rung(recipe("lora", method=LORA), (38, 30))))
    assert found.conclusion == (
        "Take 'lora': a drop of 36 points (90 % interval 28.6 to 44.2) at a gain of 95. It lost least of 2 recipes on 100 "
        "general probes; the drop is that on 100 others, which had no part in choosing it. But it is FORGOTTEN too, by more than 10 points: not tried here are a lower rate, fewer epochs, "
        "frozen parts, token masking, sample weights, entropy gating and 10 more."
    )


def test_the_best_may_have_learnt_less():
    found = recommend(ladder(CARELESS, rung(recipe("lora", method=LORA), (35, 20))))
    assert found.conclusion.startswith("Take 'lora': a drop of ")
    assert " Whether it learnt 90 % of the best cannot be told from 40 target probes. " in found.conclusion


def test_one_recipe_alone():
    found = recommend(ladder(rung(recipe("a"), (38, 2))))
    assert found.conclusion.startswith(
        "Take 'a': a drop of 2 points (90 % interval 0.6 to 4.4) at a gain of 95, alone in "
    )
    assert {one.basis for one in found.advice} == {"published"}


def test_nothing_is_recommended_where_nothing_was_learnt():
    found = recommend(ladder(rung(recipe("a"), (1, 2))))
    assert found.opening.startswith("no ranking is possible: ")
    assert (found.advice, found.conclusion) == ((), "No recipe can be recommended.")
