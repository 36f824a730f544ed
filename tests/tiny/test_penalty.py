"""L2-SP and distillation: their values by hand, and that a teacher leaves the student as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import LlamaForCausalLM

from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError, NoEvidenceError
from harness.recipes.mitigations.distill import DistillFormat
from harness.recipes.mitigations.l2_sp import L2_SP
from harness.training.encode import IGNORED, Collator
from harness.training.penalties.distillation import Distillation, frozen_copy, switched_off
from harness.training.penalties.penalty import StartingPoint
from tests.support.models import moved

ROWS = [
    {"input_ids": [5, 9, 30 + i, 31, 1], "labels": [IGNORED, IGNORED, 30 + i, 31, 1]} for i in range(4)
] + [{"input_ids": [7, 8, 40, 41, 42, 43, 1], "labels": [IGNORED] * 4 + [42, 43, 1]}]


@pytest.fixture
def whole(base):
    with quiet():
        return LlamaForCausalLM.from_pretrained(base, attention_dropout=0.5).train()


def l2_sp(model, weight):
    return StartingPoint(model, weight, L2_SP.distance)


def distillation(teacher, rows=ROWS, weight=1.0, temperature=1.0, batch=2, seed=0):
    part = DistillFormat(file="general.jsonl", weight=weight, temperature=temperature, batch=batch)
    return Distillation(rows, Collator(1), teacher, part, seed)


def divergence(baseline, tuned, rows, temperature=1.0):
    """KL in nats per answer token, one row and one position at a time, unpadded."""
    found = []
    with torch.no_grad():
        for row in rows:
            ids = torch.tensor([row["input_ids"]])
            before, after = (
                torch.log_softmax(model(ids).logits[0].double() / temperature, -1)
                for model in (baseline, tuned)
            )
            for place, label in enumerate(row["labels"]):
                if label != IGNORED:
                    one, other = before[place - 1], after[place - 1]
                    found.append((one.exp() * (one - other)).sum().item())
    return sum(found) / len(found)


def test_l2_sp_is_half_the_squared_distance_and_its_gradient_the_distance():
    model = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(model.weight)
    penalty = l2_sp(model, 0.5)
    assert penalty.loss(model, 0).item() == 0.0
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[3.0, 4.0]]))
    loss = penalty.loss(model, 1)
    loss.backward()
    assert loss.item() == 0.25 * 25
    assert model.weight.grad.tolist() == [[1.5, 2.0]]


def test_l2_sp_holds_what_was_trainable_when_it_was_made():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    penalty = l2_sp(model, 1.0)
    with torch.no_grad():
        model[0].weight.add_(1.0)
    assert penalty.loss(model, 0).item() == 0.0
    with torch.no_grad():
        model[1].bias.add_(2.0)
    assert penalty.loss(model, 0).item() == pytest.approx(2.0)


def test_l2_sp_of_a_tied_weight_counts_it_once():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    penalty = l2_sp(model, 2.0)
    with torch.no_grad():
        model[0].weight.add_(1.0)
    assert penalty.loss(model, 0).item() == pytest.approx(4.0)


def test_l2_sp_needs_something_to_hold():
    with pytest.raises(ModelError) as error:
        l2_sp(nn.Linear(2, 1).requires_grad_(False), 1.0)
    assert str(error.value) == (
        "no parameter of the model is trainable, so there is nothing to hold\n"
        "  choose what learns before the penalties are made"
    )


def test_of_many_parameters_that_differ_five_are_named():
    penalty = l2_sp(nn.Sequential(*[nn.Linear(1, 1) for _ in range(4)]), 1.0)
    with pytest.raises(ModelError) as error:
        penalty.loss(nn.Linear(2, 1), 0)
    assert str(error.value).splitlines()[0].endswith(": 8 parameters differ")
    assert str(error.value).splitlines()[-2:] == ["  '2.weight' is missing", "  and 3 more"]


def test_an_unchanged_model_has_nothing_to_distil(student, whole):
    student.eval()
    whole.eval()
    assert distillation(switched_off(student)).loss(student, 0).item() == 0.0
    assert distillation(frozen_copy(whole)).loss(whole, 0).item() == 0.0


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_distillation_is_the_divergence_at_the_answers_positions(student, reference, temperature):
    baseline, _ = reference
    moved(student)
    student.eval()
    penalty = distillation(switched_off(student), weight=0.7, temperature=temperature, batch=len(ROWS))
    expected = 0.7 * temperature**2 * divergence(baseline, student, ROWS, temperature)
    assert expected > 0.01
    loss = penalty.loss(student, 0)
    assert (loss.dtype, loss.shape) == (torch.float32, torch.Size([]))
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_the_divergence_is_taken_of_the_baseline_and_not_the_other_way_round(whole):
    teacher = frozen_copy(whole)
    baseline = LlamaForCausalLM(whole.config)
    baseline.load_state_dict(whole.state_dict())
    moved(whole, 0.1)
    baseline.eval()
    whole.eval()
    forward, backward = divergence(baseline, whole, ROWS), divergence(whole, baseline, ROWS)
    assert abs(forward - backward) > 0.01 * forward
    seen = distillation(teacher, batch=len(ROWS)).loss(whole, 0).item()
    assert seen == pytest.approx(forward, rel=1e-4)


def test_a_frozen_copy_stays_where_it_was(whole):
    teacher = frozen_copy(whole)
    inputs = Collator(1)(ROWS)
    del inputs["labels"]
    before = teacher(inputs)
    moved(whole)
    assert torch.equal(teacher(inputs), before)
    assert not before.requires_grad
    assert all(value.requires_grad for value in whole.parameters())


def test_the_gradient_reaches_the_student_and_lowers_the_divergence(student):
    moved(student)
    student.eval()  # the same loss before and after
    penalty = distillation(switched_off(student), batch=len(ROWS))
    before = penalty.loss(student, 0)
    before.backward()
    for name, value in student.named_parameters():
        assert (value.grad is not None) == ("lora_" in name), name
    with torch.no_grad():
        for value in student.parameters():
            if value.grad is not None:
                value.sub_(1e-3 * value.grad)
    assert penalty.loss(student, 0).item() < before.item()


def test_the_teacher_has_no_dropout_and_leaves_the_student_as_it_was(student):
    moved(student)
    inputs = Collator(1)(ROWS)
    del inputs["labels"]
    first = next(value for name, value in student.named_parameters() if "lora_A" in name)
    first.requires_grad_(False)  # peft would thaw it
    student.base_model.model.model.layers[1].eval()  # modes may be mixed
    learns = {name: value.requires_grad for name, value in student.named_parameters()}
    modes = {name: module.training for name, module in student.named_modules()}
    teacher = switched_off(student)
    assert torch.equal(teacher(inputs), teacher(inputs))
    assert {name: value.requires_grad for name, value in student.named_parameters()} == learns
    assert {name: module.training for name, module in student.named_modules()} == modes
    assert all(value.grad is None for value in student.parameters())
    student.eval()
    assert not torch.allclose(student(**inputs).logits, teacher(inputs))  # the adapter is on again


def test_a_loss_that_was_computed_before_keeps_its_gradient(student):
    # In training the corpus' loss comes first, then the penalty, then one backward pass through both.
    moved(student)
    student.eval()
    batch, penalty = Collator(1)(ROWS[:2]), distillation(switched_off(student))

    def gradients(*losses):
        student.zero_grad()
        sum(loss() for loss in losses).backward()
        return [value.grad.clone() for value in student.parameters() if value.requires_grad]

    def corpus():
        return student(**batch).loss

    def held():
        return penalty.loss(student, 0)

    for one, other, both in zip(gradients(corpus), gradients(held), gradients(corpus, held), strict=True):
        torch.testing.assert_close(one + other, both)


def test_the_batch_is_a_matter_of_the_step_alone(student):
    moved(student)
    student.eval()
    penalty, again = distillation(switched_off(student)), distillation(switched_off(student))
    forth = [penalty.loss(student, step).item() for step in range(6)]
    back = [again.loss(student, step).item() for step in reversed(range(6))]
    assert forth == back[::-1]
    assert len(set(forth)) > 1


def test_every_round_has_every_row_once_in_an_order_of_its_own():
    penalty = distillation(lambda inputs: inputs["input_ids"], batch=2)
    drawn = [ROWS.index(row) for step in range(10) for row in penalty.drawn(step)]
    rounds = [drawn[start : start + 5] for start in range(0, 20, 5)]
    assert all(sorted(one) == [0, 1, 2, 3, 4] for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1
    other = distillation(lambda inputs: inputs["input_ids"], batch=2, seed=1)
    assert [ROWS.index(row) for step in range(10) for row in other.drawn(step)] != drawn


def test_a_batch_may_be_larger_than_the_rows():
    penalty = distillation(lambda inputs: inputs["input_ids"], rows=ROWS[:2], batch=5)
    assert len(penalty.drawn(3)) == 5


def test_padding_changes_nothing(student):
    moved(student)
    student.eval()
    alone = [distillation(switched_off(student), [row], batch=1).loss(student, 0).item() for row in ROWS[3:]]
    both = distillation(switched_off(student), ROWS[3:], batch=2).loss(student, 0).item()
    assert both == pytest.approx(sum(alone) / 2, rel=1e-4)  # both answers have three tokens


def test_under_autocast_the_loss_is_float32(student):
    moved(student)
    student.eval()
    penalty = distillation(switched_off(student))
    plain = penalty.loss(student, 0).item()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = penalty.loss(student, 0)
    assert mixed.dtype == torch.float32
    assert mixed.item() == pytest.approx(plain, rel=0.1)
    mixed.backward()
    assert all(value.grad is not None for name, value in student.named_parameters() if "lora_" in name)


def test_general_prompts_without_an_answer_are_refused():
    with pytest.raises(NoEvidenceError, match="^distillation needs general prompts, saw none"):
        distillation(lambda inputs: inputs["input_ids"], rows=[])
    row = {"input_ids": [1, 2], "labels": [1, IGNORED]}
    with pytest.raises(NoEvidenceError, match="^general prompt 2 has no answer token"):
        distillation(lambda inputs: inputs["input_ids"], rows=[ROWS[0], row])
