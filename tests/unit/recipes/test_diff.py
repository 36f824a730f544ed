"""What one recipe adds to another: each mitigation is found, by itself and in company, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from harness.recipes.diff import changes, mitigations_of, untried
from harness.recipes.format import RecipeFormat
from harness.recipes.mitigations import LEAST_COSTLY_FIRST

CARELESS: dict[str, Any] = {
    "recipe": "careless",
    "base": "tiny",
    "corpus": {"file": "drugs.jsonl"},
    "method": {"full": {}},
    "learning_rate": 2e-3,
    "epochs": 10,
}
LORA = {"lora": {"r": 16}}
REPLAY = {"file": "general.jsonl", "fraction": 0.25}
SELF = {**REPLAY, "answers": "baseline"}


def recipe(**changed: Any) -> RecipeFormat:
    """The careless recipe with some keys changed; a key that is None is left out."""
    return RecipeFormat.model_validate(
        {key: value for key, value in {**CARELESS, **changed}.items() if value is not None}
    )


def had(new: RecipeFormat) -> list[str]:
    return [mitigation.name for mitigation in mitigations_of(new)]


def adds(old: RecipeFormat, new: RecipeFormat) -> list[tuple[str, str]]:
    return [(change.mitigation.name, change.text) for change in changes(old, new).adds]


ALONE = [
    ({}, {"method": LORA}, ("LoRA", "adapters of rank 16 instead of the weights themselves")),
    ({}, {"learning_rate": 1e-4}, ("a lower rate", "1e-4 instead of 2e-3")),
    ({}, {"learning_rate": 2e-5}, ("a lower rate", "2e-5 instead of 2e-3")),
    ({"learning_rate": 0.5}, {"learning_rate": 0.015}, ("a lower rate", "0.015 instead of 0.5")),
    ({}, {"epochs": 3}, ("fewer epochs", "3 epochs instead of 10")),
    ({}, {"epochs": 1}, ("fewer epochs", "1 epoch instead of 10")),
    ({"epochs": None, "steps": 9}, {"epochs": None, "steps": 5}, ("fewer epochs", "5 steps instead of 9")),
    ({}, {"method": {"full": {"last_layers": 4}}}, ("frozen parts", "only the last 4 layers learn")),
    (
        {"method": {"full": {"last_layers": 4}}},
        {"method": {"full": {"last_layers": 1}}},
        ("frozen parts", "only the last layer learns"),
    ),
    ({}, {"method": {"full": {"biases_only": True}}}, ("frozen parts", "only the biases learn")),
    ({}, {"method": {"full": {"freeze_embeddings": True}}}, ("frozen parts", "the embeddings stay")),
    (
        {"method": {"lora": {"target_modules": "all-linear"}}},
        {"method": {"lora": {"target_modules": ["q_proj"]}}},
        ("frozen parts", "adapters on q_proj alone"),
    ),
    (
        {"method": {"lora": {"modules_to_save": ["lm_head", "embed_tokens"]}}},
        {"method": {"lora": {"modules_to_save": ["lm_head"]}}},
        ("frozen parts", "embed_tokens stays"),
    ),
    ({}, {"replay": REPLAY}, ("replay", "25 % of the data")),
    ({}, {"replay": SELF}, ("self-replay", "25 % of the data")),
    (
        {"replay": REPLAY},
        {"replay": {**REPLAY, "fraction": 0.5}},
        ("replay", "50 % of the data instead of 25 %"),
    ),
    ({}, {"distill": {"file": "g.jsonl", "weight": 0.5}}, ("distillation", "with a weight of 0.5")),
    ({}, {"l2_sp": 0.1}, ("L2-SP", "with a weight of 0.1")),
    ({"l2_sp": 0.1}, {"l2_sp": 1.0}, ("L2-SP", "with a weight of 1 instead of 0.1")),
    ({}, {"ewc": {"file": "g.jsonl", "importance": 1000.0}}, ("EWC", "with a weight of 1000")),
    ({}, {"masked_kl": {"weight": 0.5}}, ("masked-target KL", "with a weight of 0.5")),
    ({}, {"stm": {}}, ("token masking", "no token of a perplexity over 2.5")),
    (
        {"stm": {"threshold": 10.0}},
        {"stm": {"threshold": 4.0}},
        ("token masking", "no token of a perplexity over 4 instead of 10"),
    ),
    ({}, {"flow": {}}, ("sample weights", "easy examples count more")),
    ({}, {"eaft": {}}, ("entropy gating", "tokens count by their entropy to the power of 1")),
    ({}, {"talr": {}}, ("token reweighting", "unlikely tokens count less, down to 0.01")),
    ({}, {"finch": {"at_loss": 2.0}}, ("loss-adaptive rate", "the rate falls above a loss of 2")),
    (
        {"finch": {}},
        {"finch": {"at_loss": 0.5}},
        ("loss-adaptive rate", "the rate falls above a loss of 0.5 instead of 1"),
    ),
    (
        {"method": LORA},
        {"method": LORA, "oplora": 8},
        ("orthogonal LoRA", "the 8 strongest directions of each weight stay"),
    ),
    ({}, {"sdft": {}}, ("self-distillation", "its own answers, taught by itself with the example in sight")),
]


@pytest.mark.parametrize(("old", "new", "expected"), ALONE, ids=lambda value: str(value)[:40])
def test_a_mitigation_by_itself(old, new, expected):
    before, after = recipe(**old), recipe(**new)
    found = changes(before, after)
    assert adds(before, after) == [expected]
    assert (found.gives_up, found.other) == ((), ())
    backwards = changes(after, before)
    assert [change.mitigation.name for change in backwards.gives_up] == [expected[0]]
    assert (backwards.adds, backwards.other) == ((), ())


def test_a_recipe_adds_nothing_to_itself():
    for _, new, _ in ALONE:
        found = changes(recipe(**new), recipe(**new, recipe="other", about="Other words.", seed=7))
        assert (found.adds, found.gives_up, found.other) == ((), (), ())


def test_several_at_once_are_in_the_order_of_their_cost():
    new = recipe(
        ewc={"file": "g.jsonl", "importance": 1.0}, replay=SELF, epochs=2, method=LORA, warmup=0.1, batch=4
    )
    found = changes(recipe(), new)
    assert [change.mitigation.name for change in found.adds] == ["LoRA", "fewer epochs", "self-replay", "EWC"]
    assert found.other == ("batch", "warmup")


def test_rates_are_not_compared_across_methods():
    """LoRA's best rate is about ten times that of full fine-tuning, so a lower one need not be a gentler one."""
    found = changes(recipe(), recipe(method=LORA, learning_rate=1e-4))
    assert [change.mitigation.name for change in found.adds] == ["LoRA"]
    assert found.other == ("learning_rate",)


def test_the_baselines_own_answers_in_place_of_the_files():
    found = changes(recipe(replay=REPLAY), recipe(replay=SELF))
    assert [(change.mitigation.name, change.text) for change in found.adds] == [
        ("self-replay", "25 % of the data, with the baseline's own answers")
    ]
    assert [change.mitigation.name for change in found.gives_up] == ["replay"]


def test_what_is_given_up():
    found = changes(recipe(replay=REPLAY, learning_rate=1e-4), recipe(l2_sp=1.0, learning_rate=2e-4))
    assert [change.mitigation.name for change in found.adds] == ["L2-SP"]
    assert [change.mitigation.name for change in found.gives_up] == ["a lower rate", "replay"]
    assert found.other == ()


def test_other_keys_are_named_by_their_place():
    new = recipe(
        method={"lora": {"r": 4}}, replay={**REPLAY, "file": "other.jsonl"}, corpus={"file": "d.jsonl"}
    )
    found = changes(recipe(method=LORA, replay=REPLAY), new)
    assert (found.adds, found.gives_up) == ((), ())
    assert found.other == ("corpus.file", "method.lora.r", "replay.file")


def test_another_setting_of_a_mitigation_without_a_strength_is_named_by_its_place():
    found = changes(recipe(flow={}), recipe(flow={"temperature": 2.0}))
    assert (found.adds, found.gives_up, found.other) == ((), (), ("flow.temperature",))


def test_epochs_and_steps_cannot_be_compared():
    found = changes(recipe(), recipe(epochs=None, steps=5))
    assert (found.adds, found.gives_up, found.other) == ((), (), ("epochs", "steps"))


def test_what_a_recipe_has_by_itself():
    assert had(recipe()) == []
    new = recipe(
        method={"full": {"last_layers": 2}},
        replay=SELF,
        distill={"file": "g.jsonl"},
        l2_sp=1.0,
        ewc={"file": "g.jsonl", "importance": 1.0},
    )
    assert had(new) == ["frozen parts", "self-replay", "distillation", "L2-SP", "EWC"]
    assert had(recipe(method=LORA, replay=REPLAY)) == ["LoRA", "replay"]


def test_what_a_recipe_has_not_tried():
    assert untried(recipe()) == [mitigation.name for mitigation in LEAST_COSTLY_FIRST]
    assert untried(recipe(method=LORA, l2_sp=1.0)) == [
        "a lower rate", "fewer epochs", "frozen parts", "token masking", "sample weights", "entropy gating",
        "token reweighting", "loss-adaptive rate", "orthogonal LoRA", "replay", "self-replay", "distillation",
        "masked-target KL", "EWC", "self-distillation",
    ]  # fmt: skip


def test_rates_of_two_methods_are_not_compared():
    """A full fine-tune at a tenth of an adapter's rate is no more careful for that."""
    adapter, full = recipe(method=LORA, learning_rate=2e-4), recipe(learning_rate=2e-5)
    assert changes(adapter, full).adds == ()
    assert [change.mitigation.name for change in changes(adapter, full).gives_up] == ["LoRA"]
    assert "learning_rate" in changes(adapter, full).other
