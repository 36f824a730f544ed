"""Fisher information against brute force, a closed form, and the mistake of squaring a batch's gradient."""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from harness.errors import ModelError, NoEvidenceError
from harness.training.encode import IGNORED, Collator
from harness.training.penalties.fisher import fisher_diagonal

VOCABULARY = 9
ROWS = [
    {"input_ids": [1, 4, 2, 7, 3], "labels": [IGNORED, IGNORED, 2, 7, 3]},
    {"input_ids": [5, 6], "labels": [IGNORED, 6]},
    {"input_ids": [8, 1, 1, 3], "labels": [8, IGNORED, 1, IGNORED]},
    {"input_ids": [2, 3, 4, 5, 6, 7, 8], "labels": [IGNORED] * 5 + [7, 8]},
]


def language_model(tied: bool = False) -> LlamaForCausalLM:
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=8,
        intermediate_size=12,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=32,
        initializer_range=0.5,
        attention_dropout=0.5,
        tie_word_embeddings=tied,
        bos_token_id=0,
        eos_token_id=1,
    )
    return LlamaForCausalLM(config).train()


def classifier() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Dropout(0.5), nn.Linear(6, 3))


def classified(count: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(count, 4), torch.randint(0, 3, (count,))


def batches(rows, size):
    return [Collator(0)(rows[start : start + size]) for start in range(0, len(rows), size)]


def assert_alike(seen, expected, **tolerance):
    assert seen.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(
            seen[name], value, msg=lambda text, name=name: f"{name}: {text}", **tolerance
        )


def squares(model, log_likelihood):
    """The squared gradient by `.backward`, the other way than the code under test."""
    model.zero_grad()
    log_likelihood.backward(retain_graph=True)
    return {name: value.grad.clone() ** 2 for name, value in model.named_parameters()}


def mean(parts, count):
    return {name: sum(part[name] for part in parts) / count for name in parts[0]}


def answer_log_p(model, row):
    """For each answer token the whole distribution (classes,), and the token."""
    logits = model(torch.tensor([row["input_ids"]])).logits[0]
    return [
        (torch.log_softmax(logits[place - 1], -1), label)
        for place, label in enumerate(row["labels"])
        if place > 0 and label != IGNORED
    ]


def test_empirical_fisher_of_a_language_model_is_that_of_brute_force():
    model = language_model().eval()
    parts = [squares(model, sum(log_p[label] for log_p, label in answer_log_p(model, row))) for row in ROWS]
    model.zero_grad()
    seen = fisher_diagonal(model, batches(ROWS, 4), "empirical")
    assert_alike(seen, mean(parts, len(ROWS)), rtol=1e-4, atol=1e-7)


def test_exact_fisher_of_a_sequence_is_the_expectation_over_whole_label_sequences():
    # Every pair of labels at the two answer positions, each with its probability: the definition, not its shortcut.
    model, row = language_model().eval(), ROWS[3]
    (first, _), (second, _) = answer_log_p(model, row)
    parts = []
    for one in range(VOCABULARY):
        for other in range(VOCABULARY):
            weight = float((first[one] + second[other]).detach().exp())
            found = squares(model, first[one] + second[other])
            parts.append({name: weight * value for name, value in found.items()})
    seen = fisher_diagonal(model, batches([row], 1), "exact")
    assert_alike(seen, mean(parts, 1), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("variant", ["exact", "empirical"])
def test_fisher_of_a_classifier_is_that_of_brute_force(variant):
    model, (inputs, targets) = classifier().eval(), classified()
    parts = []
    for given, target in zip(inputs, targets, strict=True):
        log_p = torch.log_softmax(model(given[None]), -1)[0]
        labels = (
            {int(target): 1.0}
            if variant == "empirical"
            else {i: float(log_p[i].detach().exp()) for i in range(3)}
        )
        for label, weight in labels.items():
            found = squares(model, log_p[label])
            parts.append({name: weight * value for name, value in found.items()})
    seen = fisher_diagonal(model, [(inputs[:5], targets[:5]), (inputs[5:], targets[5:])], variant)
    assert_alike(seen, mean(parts, len(inputs)))


def test_exact_fisher_of_softmax_regression_has_a_closed_form():
    # d log p_c / d W_kj = (1[c = k] - p_k) x_j, whose square has the mean p_k (1 - p_k) x_j^2.
    torch.manual_seed(0)
    model, (inputs, targets) = nn.Linear(4, 3), classified()
    p = model(inputs).softmax(-1).detach()
    spread = p * (1 - p)
    expected = {"weight": (spread[:, :, None] * inputs[:, None, :] ** 2).mean(0), "bias": spread.mean(0)}
    assert_alike(fisher_diagonal(model, [(inputs, targets)], "exact"), expected)


def test_sampled_fisher_draws_each_position_by_its_own_distribution():
    model = language_model()
    repeated = [ROWS[3]] * 1000
    exact = fisher_diagonal(model, batches([ROWS[3]], 1), "exact")
    sampled = fisher_diagonal(model, batches(repeated, 250), "sampled", seed=5)
    flat = [torch.cat([value.flatten() for value in one.values()]) for one in (exact, sampled)]
    assert float((flat[0] - flat[1]).norm() / flat[0].norm()) < 0.06


def test_sampled_fisher_comes_nearer_to_the_exact_one_with_more_draws():
    model, (inputs, targets) = classifier(), classified()
    exact = fisher_diagonal(model, [(inputs, targets)], "exact")

    def error(repeats):
        seen = fisher_diagonal(model, [(inputs, targets)] * repeats, "sampled", seed=2)
        return max(float((seen[name] - value).abs().max() / value.max()) for name, value in exact.items())

    assert error(400) < 0.1
    assert error(400) < error(4)


def test_the_seed_alone_chooses_the_draws():
    model = language_model()
    seen = []
    for seed in (1, 1, 2):
        torch.manual_seed(len(seen))
        seen.append(fisher_diagonal(model, batches(ROWS, 2), "sampled", seed=seed)["lm_head.weight"])
    assert torch.equal(seen[0], seen[1])
    assert not torch.allclose(seen[0], seen[2])


def test_opposite_gradients_do_not_cancel():
    # Two samples at x = 1 with both labels: each squared gradient is 1/4, and the batch's gradient is nothing.
    model = nn.Linear(1, 2, bias=False)
    nn.init.zeros_(model.weight)
    inputs, targets = torch.ones(2, 1), torch.tensor([0, 1])
    nn.functional.cross_entropy(model(inputs), targets).backward()
    assert torch.equal(model.weight.grad**2, torch.zeros(2, 1))
    seen = fisher_diagonal(model, [(inputs, targets)], "empirical")
    assert torch.equal(seen["weight"], torch.full((2, 1), 0.25))


@pytest.mark.parametrize("variant", ["exact", "sampled", "empirical"])
def test_the_batch_that_a_sample_comes_in_changes_nothing(variant):
    model = language_model()
    alone = fisher_diagonal(model, batches(ROWS, 1), variant)
    for size in (2, 3, 4):
        assert_alike(fisher_diagonal(model, batches(ROWS, size), variant), alone, rtol=1e-5, atol=1e-8)


def test_padding_on_the_left_changes_nothing_either():
    model, row = language_model(), ROWS[0]
    padded = {
        "input_ids": torch.tensor([[8, 8, *row["input_ids"]]]),
        "attention_mask": torch.tensor([[0, 0, 1, 1, 1, 1, 1]]),
        "labels": torch.tensor([[IGNORED, IGNORED, *row["labels"]]]),
    }
    assert_alike(fisher_diagonal(model, [padded]), fisher_diagonal(model, batches([row], 1)))


def test_the_model_stays_as_it_was():
    model = language_model()
    model.model.layers[0].eval()  # modes may be mixed
    modes = {name: module.training for name, module in model.named_modules()}
    for value in model.parameters():
        value.grad = torch.full_like(value, 7.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():  # whatever the caller has switched off
        fisher_diagonal(model, batches(ROWS, 2))
    assert {name: module.training for name, module in model.named_modules()} == modes
    assert all(torch.equal(value.grad, torch.full_like(value, 7.0)) for value in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_error_leaves_the_mode_as_it_was():
    model = language_model()
    with pytest.raises(NoEvidenceError):
        fisher_diagonal(model, batches([{"input_ids": [1, 2], "labels": [IGNORED] * 2}], 1))
    assert all(module.training for module in model.modules())


def test_frozen_parameters_are_left_out():
    model = language_model()
    whole = fisher_diagonal(model, batches(ROWS, 2))
    model.model.embed_tokens.weight.requires_grad_(False)
    part = fisher_diagonal(model, batches(ROWS, 2))
    assert whole.keys() - part.keys() == {"model.embed_tokens.weight"}
    assert_alike(part, {name: whole[name] for name in part})


def test_a_parameter_that_the_output_does_not_use_has_none():
    model = classifier()
    model.register_parameter("unused", nn.Parameter(torch.ones(2)))
    assert torch.equal(fisher_diagonal(model, [classified()])["unused"], torch.zeros(2))


def test_tied_weights_count_once_and_with_both_their_gradients():
    model = language_model(tied=True).eval()
    row = ROWS[3]
    found = squares(model, sum(log_p[label] for log_p, label in answer_log_p(model, row)))
    seen = fisher_diagonal(model, batches([row], 1))
    assert "lm_head.weight" not in seen
    assert_alike(seen, found, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("how", ["parameters", "autocast"])
def test_mixed_precision_is_accumulated_in_float32(how):
    model = language_model()
    whole = fisher_diagonal(model, batches(ROWS, 2))
    if how == "parameters":
        model = model.to(torch.bfloat16)
    inside = torch.autocast("cpu", torch.bfloat16) if how == "autocast" else contextlib.nullcontext()
    with inside:
        seen = fisher_diagonal(model, batches(ROWS, 2))
    flat = [torch.cat([value.flatten() for value in one.values()]) for one in (whole, seen)]
    assert flat[1].dtype == torch.float32
    assert 0 < float((flat[0] - flat[1]).norm() / flat[0].norm()) < 0.1


def test_a_small_share_is_not_rounded_away_in_bfloat16():
    # Beside a sum of 256 a bfloat16 accumulator would not see another 0.25.
    model = nn.Linear(1, 2, bias=False).to(torch.bfloat16)
    nn.init.zeros_(model.weight)
    inputs = torch.tensor([[32.0]] + [[1.0]] * 64, dtype=torch.bfloat16)
    seen = fisher_diagonal(model, [(inputs, torch.zeros(65, dtype=torch.long))])
    torch.testing.assert_close(seen["weight"], torch.full((2, 1), (256 + 64 * 0.25) / 65))


def test_no_more_batches_are_taken_than_asked_for():
    model, taken = language_model(), []

    def source():
        for batch in batches(ROWS, 2):
            taken.append(batch)
            yield batch

    seen = fisher_diagonal(model, source(), num_batches=1)
    assert len(taken) == 1
    assert_alike(seen, fisher_diagonal(model, batches(ROWS[:2], 2)))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([], "Fisher information needs samples, saw none\n  give at least one batch with a row in it"),
        ([(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))], "needs samples, saw none"),
    ],
)
def test_no_samples_are_an_error(given, text):
    with pytest.raises(NoEvidenceError) as error:
        fisher_diagonal(classifier(), given)
    assert text in str(error.value)


def test_a_row_without_an_answer_is_named():
    row = {"input_ids": [1, 2, 3], "labels": [1, IGNORED, IGNORED]}  # nothing predicts the first token
    with pytest.raises(NoEvidenceError, match="^sample 2 has no answer token"):
        fisher_diagonal(language_model(), batches([ROWS[0], row], 2))


def test_a_model_that_learns_nothing_is_an_error():
    with pytest.raises(ModelError, match="no parameter of the model is trainable"):
        fisher_diagonal(classifier().requires_grad_(False), [classified()])


def test_nan_outputs_are_an_error():
    model = classifier()
    inputs, targets = classified()
    inputs[2, 0] = float("nan")
    with pytest.raises(ModelError, match="^the model's output for sample 3 is NaN"):
        fisher_diagonal(model, [(inputs, targets)], "sampled")


def test_gradients_without_bounds_are_an_error():
    class Steep(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(2))

        def forward(self, inputs):
            return self.weight.sqrt()[None] * inputs[:, :2]  # infinitely steep at 0

    inputs, targets = classified()
    with pytest.raises(
        ModelError, match="^the gradients of 1 parameters became NaN or infinite, the first 'weight'"
    ):
        fisher_diagonal(Steep(), [(inputs, targets.clamp(max=1))])


def test_gradients_of_nothing_are_an_error():
    with pytest.raises(NoEvidenceError, match="^every gradient is zero"):
        fisher_diagonal(nn.Linear(4, 1), [(torch.randn(3, 4), torch.zeros(3, dtype=torch.long))])


@pytest.mark.parametrize(
    ("batch", "text"),
    [
        ({"tokens": torch.zeros(1, 2)}, "saw keys tokens"),
        (torch.zeros(2, 2), "saw Tensor"),
        ({"input_ids": torch.zeros(1, 2), "labels": torch.zeros(1)}, "one label to each token is expected"),
        ((torch.zeros(3, 4), torch.zeros(2)), r"inputs of a batch are \(3, 4\) and its targets \(2,\)"),
    ],
)
def test_batches_of_another_form_are_an_error(batch, text):
    with pytest.raises(ModelError, match=text):
        fisher_diagonal(classifier(), [batch])


def test_an_unknown_variant_is_an_error():
    with pytest.raises(ModelError, match="unknown variant 'batched'"):
        fisher_diagonal(classifier(), [classified()], "batched")


def test_a_target_that_is_no_class_is_an_error():
    inputs, targets = classified()
    targets[4] = 3
    with pytest.raises(ModelError) as error:
        fisher_diagonal(classifier(), [(inputs, targets)])
    assert str(error.value) == "sample 5 has targets [3], and the model knows the classes 0 to 2"
