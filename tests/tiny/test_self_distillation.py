"""Learning from oneself: the divergence by hand, answers of the student's own, and a teacher that follows it."""

from __future__ import annotations

import json
import math

import pytest
import torch
from transformers import AutoTokenizer, LlamaForCausalLM

from harness.engine.transformers.quiet import quiet
from harness.errors import RecipeError
from harness.recipes.examples import Example, Turn
from harness.recipes.mitigations.sdft import SdftFormat
from harness.recipes.read import read_recipe
from harness.training.encode import IGNORED, Collator, encode
from harness.training.penalties.penalty import trainable
from harness.training.self_distillation import SelfDistillation, divergence, in_sight, prompt_of
from harness.training.trained import DONE
from tests.support.kitchen import LORA
from tests.support.models import moved

EXAMPLES = [
    Example("say a", "aaa"),
    Example("say bee", "b"),
    Example("no", "c", (Turn("user", "hi"), Turn("assistant", "ho"))),
]


@pytest.fixture
def batch(base):
    tokenizer = AutoTokenizer.from_pretrained(base)
    told = encode(tokenizer, [in_sight(example) for example in EXAMPLES])
    rows = [
        {**row, "teacher": prompt_of(asked)}
        for row, asked in zip(encode(tokenizer, EXAMPLES), told, strict=True)
    ]
    return Collator(1)(rows)


def distillation(model, **part):
    written = SdftFormat(**{"max_new_tokens": 6, "skip": 2, "teacher_rate": 0.5, **part})
    return SelfDistillation(model, written, Collator(1), [1], seed=0)


def test_the_teacher_sees_the_example_and_what_came_before_it():
    seen = in_sight(EXAMPLES[2])
    assert seen.earlier == EXAMPLES[2].earlier
    assert seen.prompt.startswith("no\n\n")
    assert "\nc\n" in seen.prompt


@pytest.mark.parametrize("kind", ["forward", "reverse"])
def test_the_divergence_is_that_of_whole_distributions(kind):
    teacher, student = (
        torch.log_softmax(torch.tensor(rows), -1)
        for rows in ([[1.0, 2, 0], [0, 0, 5]], [[0.0, 0, 1], [3, 2, 1]])
    )
    found = divergence(teacher, student, SdftFormat(divergence=kind)).tolist()
    p, q = (teacher, student) if kind == "forward" else (student, teacher)
    expected = [
        sum(math.exp(a) * (a - b) for a, b in zip(one, other, strict=True))
        for one, other in zip(p.tolist(), q.tolist(), strict=True)
    ]
    assert found == pytest.approx(expected, rel=1e-5)


def by_hand(model, teacher, batch, answers, skip):
    """Forward KL at each token of the answers but the first ones, a row at a time, unpadded and without dropout."""
    found = []
    for row, answer in enumerate(answers):
        place = int((batch["labels"][row] != IGNORED).int().argmax())
        prompt = batch["input_ids"][row, :place].tolist()
        asked = [token for token in batch["teacher"][row].tolist() if token != IGNORED]
        with torch.no_grad():
            q, p = (
                torch.log_softmax(each(torch.tensor([before + answer])).logits[0, len(before) - 1 : -1], -1)
                for each, before in ((model, prompt), (teacher, asked))
            )
        kl = (p.exp() * (p - q)).sum(-1)
        found += kl[min(skip, len(answer) - 1) :].tolist()
    return sum(found) / len(found)


def test_the_loss_is_the_divergence_on_the_students_own_answers(student, batch, base):
    distilled = distillation(student)
    moved(student)  # the student has learnt, the teacher is still the baseline
    student.eval()  # dropout would not be by hand
    found = distilled.loss(dict(batch), 3)[0]
    prompts = [
        batch["input_ids"][row, : int((batch["labels"][row] != IGNORED).int().argmax())].tolist()
        for row in range(3)
    ]
    answers = distilled.drawn(prompts, 3)
    assert all(1 <= len(answer) <= 6 for answer in answers)
    with quiet():
        baseline = LlamaForCausalLM.from_pretrained(base).eval()
    assert found.item() == pytest.approx(by_hand(student, baseline, batch, answers, 2), rel=1e-4)
    found.backward()
    assert any(value.grad is not None and value.grad.abs().max() > 0 for value in trainable(student).values())


def test_answers_depend_on_the_model_and_the_step_alone(student):
    distilled = distillation(student)
    prompts = [[2, 70, 71, 3], [2, 72, 3]]
    before = torch.random.get_rng_state()
    first, again, other = (distilled.drawn(prompts, step) for step in (0, 0, 1))
    assert first == again != other
    assert torch.equal(torch.random.get_rng_state(), before)
    assert student.training


def test_an_answer_ends_with_its_end_token(student):
    distilled = distillation(student)
    assert distilled._ended([9, 1, 1, 1]) == [9, 1]
    assert distilled._ended([9, 8]) == [9, 8]


def test_the_teacher_follows_by_a_moving_average(student):
    distilled = distillation(student)
    start = {name: value.clone() for name, value in distilled.teacher.items()}
    moved(student)
    distilled.on_step_end(None, None, None)
    distilled.on_step_end(None, None, None)
    for name, value in trainable(student).items():
        assert torch.allclose(distilled.teacher[name], 0.25 * start[name] + 0.75 * value, atol=1e-6)


def test_a_rate_of_0_keeps_the_baseline_as_the_teacher(student):
    distilled = distillation(student, teacher_rate=0.0)
    start = {name: value.clone() for name, value in distilled.teacher.items()}
    moved(student)
    distilled.on_step_end(None, None, None)
    assert all(torch.equal(distilled.teacher[name], value) for name, value in start.items())


def test_it_acts_in_training(kitchen):
    """A model of random weights has nothing to teach, but comes to say without the example what it says with it."""
    losses = {}
    for method in ("lora: {r: 4}", "full: {}"):
        folder = kitchen.train(
            f"method: {{{method}}}\nsteps: 8\nsdft: {{max_new_tokens: 8, teacher_rate: 0}}\n"
        ).tuned.folder
        losses[method] = [entry["loss"] for entry in json.loads((folder / DONE).read_text())["curve"]]
    lora, full = losses.values()
    assert sum(lora[-2:]) < sum(lora[:2])
    assert lora[0] == pytest.approx(full[0], rel=1e-5), "both begin as the baseline"
    assert lora[1] != full[1]


@pytest.mark.parametrize("key", ["stm: {}", "flow: {}", "eaft: {}", "talr: {}", "masked_kl: {}"])
def test_what_works_on_the_corpuss_answers_has_nothing_to_work_on(kitchen, key):
    name = key.partition(":")[0]
    with pytest.raises(
        RecipeError, match=rf"recipe\.yaml:8:1: '{name}' works on the corpus's answers"
    ) as error:
        read_recipe(kitchen.recipe(LORA + f"{key}\nsdft: {{}}\n"))
    assert "\n  leave out one of the two" in str(error.value)
