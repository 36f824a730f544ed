"""How much tokens count: each formula beside one written out token by token, and what a training does with it."""

from __future__ import annotations

import json
import math
from statistics import median

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM

from harness.engine.transformers.quiet import quiet
from harness.errors import RecipeError
from harness.recipes.mitigations.eaft import EAFT, EaftFormat
from harness.recipes.mitigations.flow import FLOW, FlowFormat
from harness.recipes.mitigations.stm import STM, StmFormat
from harness.recipes.mitigations.talr import TALR, TalrFormat
from harness.recipes.read import read_recipe
from harness.training.encode import IGNORED, Collator
from harness.training.train import trained_sources
from harness.training.trained import DONE
from harness.training.weighting import eaft, flow, stm, talr
from harness.training.weighting.kept import GATES, KEPT, token_losses, weighted_rows
from harness.training.weighting.weighted import Seen, weighted_loss
from tests.support.kitchen import HEAD, LORA, SETTINGS, quietly

LOGITS = torch.tensor(
    [
        [2.0, 0.5, -1.0, 0.0, 1.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [9.0, -3.0, 0.0, 1.0, -9.0],
        [0.1, 0.2, 0.3, 4.0, 0.5],
    ]
)
TARGETS = [0, 3, 4, 2]
ROWS = [0, 0, 0, 1]


def softmax(logits):
    total = sum(math.exp(value) for value in logits)
    return [math.exp(value) / total for value in logits]


def probability(place):
    return softmax(LOGITS[place].tolist())[TARGETS[place]]


@pytest.fixture
def seen():
    return Seen(LOGITS, cross_entropy(LOGITS, torch.tensor(TARGETS), reduction="none"), torch.tensor(ROWS))


@pytest.fixture
def model(base):
    with quiet():
        return LlamaForCausalLM.from_pretrained(base, attention_dropout=0.5).train()


def test_stm_keeps_the_tokens_whose_perplexity_is_at_most_the_threshold():
    losses = [torch.tensor([0.1, math.log(2.5) - 1e-4, math.log(2.5) + 1e-4]), torch.tensor([5.0])]
    assert [example.tolist() for example in stm.weights(losses, StmFormat())] == [[1, 1, 0], [0]]
    assert [example.tolist() for example in stm.weights(losses, StmFormat(threshold=150.0))] == [
        [1, 1, 1],
        [1],
    ]


@pytest.mark.parametrize("temperature", [None, 0.7])
def test_flow_weighs_an_example_by_its_mean_loss(temperature):
    losses = [torch.tensor([1.0, 3.0]), torch.tensor([0.5]), torch.tensor([4.0, 4.0, 1.0])]
    means = [2.0, 0.5, 3.0]
    tau = temperature or median(means)
    found = flow.weights(losses, FlowFormat(temperature=temperature))
    assert [len(example) for example in found] == [2, 1, 3]
    for example, mean in zip(found, means, strict=True):
        assert example.tolist() == pytest.approx([math.exp(-mean / tau)] * len(example))


def test_flow_on_a_corpus_that_the_baseline_knows_by_heart_is_plain_training():
    assert flow.weights([torch.zeros(2), torch.zeros(1)], FlowFormat())[0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("top", "power"), [(3, 1.0), (3, 2.5), (20, 1.0)])
def test_eaft_weighs_a_token_by_the_entropy_of_the_likeliest(seen, top, power):
    found = eaft.build(EaftFormat(top=top, power=power))(seen)
    for logits, weight in zip(LOGITS.tolist(), found.tolist(), strict=True):
        p = softmax(sorted(logits)[-top:])
        entropy = -sum(value * math.log(value) for value in p) / math.log(min(top, len(logits)))
        assert weight == pytest.approx(entropy**power, abs=1e-6)
    assert found[1].item() == pytest.approx(1.0), "of a uniform prediction"


@pytest.mark.parametrize("temperature", [None, 2.0])
def test_talr_weighs_a_token_by_a_power_of_its_probability(seen, temperature):
    p = [probability(place) for place in range(4)]
    losses = [-math.log(value) for value in p]
    tau = temperature or median([sum(losses[:3]) / 3, losses[3]])
    found = talr.build(TalrFormat(temperature=temperature, least=0.01))(seen)
    assert found.tolist() == pytest.approx([max(value ** (1 / tau), 0.01) for value in p], rel=1e-4)
    assert (found.min().item() == pytest.approx(0.01)) == (temperature is not None), (
        "it has next to no probability"
    )


BATCH = [
    {"input_ids": [5, 9, 30, 31, 1], "labels": [IGNORED, IGNORED, 30, 31, 1]},
    {"input_ids": [7, 8, 40, 41, 42, 43, 1], "labels": [IGNORED] * 4 + [42, 43, 1]},
]


def test_with_every_weight_1_the_loss_is_the_models_own(model):
    model.eval()
    batch = Collator(1)(BATCH)
    own = model(**batch)
    for items, expected in ((None, own.loss), (60, own.loss * 6 / 60)):
        assert weighted_loss(own.logits, batch["labels"], None, [], items).item() == pytest.approx(
            expected.item()
        )


def test_weights_multiply_and_the_divisor_is_the_number_of_tokens(model):
    model.eval()
    rows = [{**row, "weights": [0.1 * place for place in range(len(row["labels"]))]} for row in BATCH]
    batch = Collator(1)(rows)
    logits = model(batch["input_ids"], batch["attention_mask"]).logits
    found = weighted_loss(logits, batch["labels"], batch["weights"], [lambda seen: seen.losses * 0 + 0.5])
    expected = [
        -0.5 * row["weights"][place] * torch.log_softmax(logits[number, place - 1].double(), -1)[label].item()
        for number, row in enumerate(rows)
        for place, label in enumerate(row["labels"])
        if label != IGNORED
    ]
    assert found.item() == pytest.approx(sum(expected) / 6, rel=1e-5)


def test_no_gradient_goes_through_a_weight(model):
    model.eval()
    batch = Collator(1)(BATCH)
    weights: list[torch.Tensor] = []

    def gate(seen):
        weights.append((-seen.losses).exp())
        return weights[-1]

    gradients = []
    for each in (gate, lambda seen: weights[0].clone()):
        model.zero_grad()
        logits = model(batch["input_ids"], batch["attention_mask"]).logits
        weighted_loss(logits, batch["labels"], None, [each]).backward()
        gradients.append(model.lm_head.weight.grad.clone())
    assert torch.equal(*gradients)


def test_losses_are_the_baselines_row_by_row_without_dropout(model):
    found = token_losses(model, [*BATCH, BATCH[0]], Collator(1), 2, lambda done, total: None)
    assert model.training
    with torch.no_grad():
        for row, losses in zip([*BATCH, BATCH[0]], found, strict=True):
            logits = model.eval()(torch.tensor([row["input_ids"]])).logits[0]
            expected = [
                -torch.log_softmax(logits[place - 1], -1)[label].item()
                for place, label in enumerate(row["labels"])
                if label != IGNORED
            ]
            assert losses.tolist() == pytest.approx(expected, rel=1e-4)


def weighted(kitchen, model, text):
    recipe = read_recipe(kitchen.recipe(LORA + text))
    return weighted_rows(recipe, model, BATCH, Collator(1), kitchen.said.append, quietly)


def test_masked_tokens_are_no_labels_and_the_rest_counts(kitchen, model):
    losses = token_losses(model, BATCH, Collator(1), 2, lambda done, total: None)
    middle = float(torch.cat(losses).median().exp()) + 1e-3
    rows = weighted(kitchen, model, f"stm: {{threshold: {middle}}}\nflow: {{}}\n")
    kept = {number: losses[number].exp() <= middle for number in range(2)}
    assert sum(int(each.sum()) for each in kept.values()) == 3
    means = [float(each.mean()) for each in losses]
    rest = iter(rows)
    for number, row in enumerate(BATCH):
        if not kept[number].any():
            continue
        found, learnt = next(rest), iter(kept[number].tolist())
        keeps = [label != IGNORED and next(learnt) for label in row["labels"]]
        assert found["labels"] == [
            label if keep else IGNORED for label, keep in zip(row["labels"], keeps, strict=True)
        ]
        weight = math.exp(-means[number] / median(means))
        assert found["weights"] == pytest.approx([weight if keep else 0 for keep in keeps])
    assert "r: stm: 50 % of 6 answer tokens are left out" in kitchen.said
    assert any(line.startswith("r: flow: answer tokens count 0.") for line in kitchen.said)


def test_a_corpus_of_which_nothing_is_left_is_said_at_its_place(kitchen, model):
    with pytest.raises(
        RecipeError,
        match=r"recipe\.yaml:8:1: 'stm' leaves no answer token of 2 examples to learn\n  raise its threshold",
    ):
        weighted(kitchen, model, "stm: {threshold: 1.0001}\n")


def first_losses(kitchen, text, head=HEAD):
    """The losses of a training's first two updates; at the first, the model is the baseline."""
    recipe = read_recipe(kitchen.recipe(f"method: {{lora: {{r: 4}}}}\nsteps: 2\n{text}", head))
    folder = trained_sources(recipe, None, SETTINGS, kitchen.said.append, quietly).tuned.folder
    return [entry["loss"] for entry in json.loads((folder / DONE).read_text())["curve"]]


def test_each_weighting_acts_in_training(kitchen):
    """At the first update gates see the baseline, so the loss is less by what the formula says."""
    plain, _ = first_losses(kitchen, "")
    for text in ("eaft: {}\n", "talr: {}\n", "flow: {}\n", "stm: {threshold: 200}\n"):
        assert first_losses(kitchen, text)[0] < 0.95 * plain, text
    both = first_losses(kitchen, "talr: {least: 0.5, temperature: 1e-9}\nflow: {temperature: 1e9}\n")
    assert both[0] == pytest.approx(plain / 2, rel=1e-3), (
        "every token counts the least, 0.5, and every example 1"
    )


def test_accumulated_batches_weigh_as_one(kitchen):
    """The rows of an update are the same, two by two or four at once."""
    weighed = "flow: {}\neaft: {}\n"
    once = first_losses(kitchen, weighed, HEAD.replace("batch: 2", "batch: 4"))
    assert first_losses(kitchen, weighed + "accumulation: 2\n") == pytest.approx(once, rel=1e-4)


def test_every_weighting_is_built_in_one_way():
    assert {STM, FLOW} == set(KEPT)
    assert {EAFT, TALR} == set(GATES)
