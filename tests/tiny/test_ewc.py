"""Elastic weight consolidation: its value and gradient by hand, a second task, its file, and that it holds."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from transformers import LlamaForCausalLM

from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError, NoEvidenceError
from harness.recipes.mitigations.l2_sp import L2_SP
from harness.training.encode import IGNORED, Collator
from harness.training.penalties.ewc import EWCRegularizer
from harness.training.penalties.fisher import fisher_diagonal
from harness.training.penalties.penalty import StartingPoint
from tests.support.models import moved


def classifier(width: int = 6) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 3))


def data(seed: int = 1) -> list[tuple[torch.Tensor, torch.Tensor]]:
    torch.manual_seed(seed)
    return [(torch.randn(16, 4), torch.randint(0, 3, (16,)))]


def by_hand(model, importance, fisher, anchor) -> float:
    parameters = dict(model.named_parameters())
    away = {name: (parameters[name] - value).double() ** 2 for name, value in anchor.items()}
    return importance / 2 * sum((fisher[name].double() * away[name]).sum().item() for name in anchor)


def values(model) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad}


@pytest.fixture
def model() -> nn.Sequential:
    return classifier()


@pytest.fixture
def ewc(model) -> EWCRegularizer:
    made = EWCRegularizer(model, importance=50.0)
    made.update_fisher(model, data())
    return made


def test_the_loss_is_zero_at_the_anchor(model, ewc):
    assert ewc.ewc_loss(model).item() == 0.0
    assert ewc.ewc_loss(moved(model)).item() > 0.0


def test_the_loss_is_that_of_the_formula(model, ewc):
    anchor, fisher = values(model), fisher_diagonal(model, data())
    moved(model)
    assert ewc.ewc_loss(model).item() == pytest.approx(by_hand(model, 50.0, fisher, anchor), rel=1e-5)
    assert torch.equal(ewc.loss(model, 3), ewc.ewc_loss(model))


def test_the_gradient_is_importance_times_fisher_times_distance(model, ewc):
    anchor, fisher = values(model), fisher_diagonal(model, data())
    moved(model)
    ewc.ewc_loss(model).backward()
    for name, value in model.named_parameters():
        torch.testing.assert_close(value.grad, 50.0 * fisher[name] * (value - anchor[name]).detach())


def test_ewc_with_the_same_importance_everywhere_is_l2_sp(model, ewc):
    control = StartingPoint(model, 50.0, L2_SP.distance)
    state = ewc.state_dict()
    ewc.load_state_dict(
        {**state, "fisher": {name: torch.ones_like(v) for name, v in state["fisher"].items()}}
    )
    moved(model)
    assert ewc.ewc_loss(model).item() == pytest.approx(control.loss(model, 0).item(), rel=1e-6)


def test_without_fisher_information_it_holds_nothing_and_says_so(model, tmp_path):
    ewc = EWCRegularizer(model, 1.0)
    for use in (lambda: ewc.ewc_loss(model), ewc.state_dict, lambda: ewc.save(tmp_path / "ewc.safetensors")):
        with pytest.raises(NoEvidenceError) as error:
            use()
        assert str(error.value) == (
            "EWC has no Fisher information yet, so it would hold nothing\n"
            "  call update_fisher(model, dataloader) first"
        )


@pytest.mark.parametrize("importance", [-1.0, float("nan"), float("inf")])
def test_an_importance_that_is_no_weight_is_refused(model, importance):
    with pytest.raises(ModelError, match="must be a number of at least 0"):
        EWCRegularizer(model, importance)


def test_the_first_update_keeps_the_anchor_of_construction(model):
    anchor = values(model)
    ewc = EWCRegularizer(model, 2.0)
    moved(model)
    ewc.update_fisher(model, data())
    expected = by_hand(model, 2.0, fisher_diagonal(model, data()), anchor)
    assert ewc.ewc_loss(model).item() == pytest.approx(expected, rel=1e-5)


def test_a_second_task_adds_its_fisher_information_and_moves_the_anchor(model, ewc):
    first = fisher_diagonal(model, data())
    moved(model)
    second, anchor = fisher_diagonal(model, data(7)), values(model)
    ewc.update_fisher(model, data(7))
    assert ewc.ewc_loss(model).item() == 0.0
    moved(model, 0.2)
    both = {name: first[name] + second[name] for name in first}
    assert ewc.ewc_loss(model).item() == pytest.approx(by_hand(model, 50.0, both, anchor), rel=1e-5)


def test_an_update_that_fails_leaves_what_was_held(model, ewc):
    moved(model)
    before = ewc.ewc_loss(model).item()
    with pytest.raises(NoEvidenceError):
        ewc.update_fisher(model, [])
    assert ewc.ewc_loss(model).item() == before


def test_only_so_many_batches_are_used(model):
    ewc = EWCRegularizer(model, 1.0)
    ewc.update_fisher(model, [*data(1), *data(2)], num_batches=1)
    expected = fisher_diagonal(model, data(1))
    assert all(torch.equal(value, expected[name]) for name, value in ewc.state_dict()["fisher"].items())


def test_parameters_that_were_thawed_since_are_named(model):
    model[0].requires_grad_(False)
    ewc = EWCRegularizer(model, 1.0)
    model[0].requires_grad_(True)
    with pytest.raises(ModelError) as error:
        ewc.update_fisher(model, data())
    assert str(error.value) == (
        "the model does not fit the weights that are held: 2 parameters differ\n"
        "  '0.weight' is not expected\n  '0.bias' is not expected"
    )


@pytest.mark.parametrize("variant", ["exact", "sampled", "empirical"])
def test_a_saved_regularizer_gives_the_same_loss(model, variant, tmp_path):
    ewc = EWCRegularizer(model, 1 / 3, variant, seed=4)
    ewc.update_fisher(model, data())
    ewc.save(tmp_path / "ewc.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["ewc.safetensors"]
    moved(model)
    loaded = EWCRegularizer.load(tmp_path / "ewc.safetensors", moved(classifier()))
    assert torch.equal(loaded.ewc_loss(model), ewc.ewc_loss(model))
    assert (loaded.importance, loaded.variant, loaded.seed) == (1 / 3, variant, 4)
    ewc.update_fisher(model, data(7))
    loaded.update_fisher(model, data(7))
    moved(model)
    assert torch.equal(loaded.ewc_loss(model), ewc.ewc_loss(model))


def test_a_state_that_was_taken_over_is_a_copy(model, ewc):
    other = EWCRegularizer(model, 1.0)
    other.load_state_dict(ewc.state_dict())
    moved(model)
    expected = ewc.ewc_loss(model).item()
    for part in ("anchor", "fisher"):
        for value in ewc.state_dict()[part].values():
            value.zero_()
    assert other.ewc_loss(model).item() == expected


def test_the_file_of_another_model_is_refused(model, ewc, tmp_path):
    path = tmp_path / "ewc.safetensors"
    ewc.save(path)
    with pytest.raises(ModelError) as error:
        EWCRegularizer.load(path, classifier(width=5))
    assert str(error.value) == (
        f"{path}: the saved anchor does not fit the weights that are held: 3 parameters differ\n"
        "  '0.weight' is (6, 4), expected (5, 4)\n"
        "  '0.bias' is (6,), expected (5,)\n"
        "  '2.weight' is (3, 6), expected (3, 5)"
    )
    with pytest.raises(ModelError, match=r"(?s)'bias' is missing\n.*'0.weight' is not expected"):
        EWCRegularizer.load(path, nn.Linear(4, 3))


def test_a_loss_for_another_model_is_refused(ewc):
    with pytest.raises(ModelError, match="^the model does not fit"):
        ewc.ewc_loss(classifier(width=5))


def test_a_file_that_is_something_else_is_refused(model, tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        EWCRegularizer.load(path, model)
    path.write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        EWCRegularizer.load(path, model)
    save_file(values(model), path)
    with pytest.raises(
        ModelError, match="expected a file of kind 'elastic weight consolidation, 1', saw None"
    ):
        EWCRegularizer.load(path, model)


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -1.0])
def test_a_damaged_fisher_information_is_refused(model, ewc, tmp_path, broken):
    path = tmp_path / "ewc.safetensors"
    ewc.save(path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, no mapping
    tensors["fisher.0.bias"][2] = broken
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(ModelError, match="saved fisher of '0.bias' is NaN, infinite or negative"):
        EWCRegularizer.load(path, model)


def test_the_loss_is_float32_under_autocast(model, ewc):
    moved(model)
    plain = ewc.ewc_loss(model)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = ewc.ewc_loss(model)
    assert mixed.dtype == torch.float32
    assert torch.equal(plain, mixed)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_weights_of_another_dtype_are_held_in_float32(model, dtype):
    model = model.to(dtype)
    batches = [(inputs.to(dtype), targets) for inputs, targets in data()]
    ewc = EWCRegularizer(model, 50.0)
    ewc.update_fisher(model, batches)
    assert ewc.ewc_loss(model).item() == 0.0
    loss = ewc.ewc_loss(moved(model))
    assert loss.dtype == torch.float32
    assert loss.item() > 0.0


def test_an_adapter_alone_is_held(base):
    with quiet():
        model = get_peft_model(
            LlamaForCausalLM.from_pretrained(base),
            LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"),
        )
    rows = [{"input_ids": [5, 9, 30, 31, 1], "labels": [IGNORED, IGNORED, 30, 31, 1]}] * 2
    ewc = EWCRegularizer(model, 1.0)
    ewc.update_fisher(model, [Collator(1)(rows)])
    fisher = ewc.state_dict()["fisher"]
    assert all("lora_" in name for name in fisher)
    assert all(bool((value > 0).any()) == ("lora_B" in name) for name, value in fisher.items())
    assert ewc.ewc_loss(moved(model)).item() > 0.0


def test_training_with_ewc_stays_nearer_where_it_matters(model):
    old, new = data(1), data(2)
    before = values(model)
    fisher = fisher_diagonal(model, old)

    def trained(importance):
        student = classifier()
        ewc = EWCRegularizer(student, importance)
        ewc.update_fisher(student, old)
        optimizer = torch.optim.SGD(student.parameters(), lr=0.05)
        for step in range(100):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(student(new[0][0]), new[0][1])
            (loss + ewc.loss(student, step)).backward()
            optimizer.step()
        return student

    free, held = trained(0.0), trained(30.0)
    assert by_hand(held, 1.0, fisher, before) < 0.1 * by_hand(free, 1.0, fisher, before)
    inputs, _ = old[0]

    def shift(student):
        return nn.functional.kl_div(
            student(inputs).log_softmax(-1), model(inputs).softmax(-1), reduction="batchmean"
        )

    assert shift(held).item() < 0.5 * shift(free).item()


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("importance", float("nan"), "the saved importance must be a number of at least 0, saw nan"),
        ("anchor", float("inf"), "is NaN or infinite"),
        ("fisher", None, "the saved state has no 'fisher'"),
    ],
)
def test_a_saved_state_that_would_hold_nothing_is_refused(model, ewc, part, value, said):
    state = ewc.state_dict()
    if value is None:
        del state[part]
    elif part == "importance":
        state[part] = value
    else:
        name = next(iter(state[part]))
        state[part] = {**state[part], name: torch.full_like(state[part][name], value)}
    with pytest.raises(ModelError, match=said):
        ewc.load_state_dict(state)
