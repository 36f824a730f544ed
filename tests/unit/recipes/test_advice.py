from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.recipes.advice import advise

LORA = "{lora: {}}"


def messages(recipe, base=None):
    return [problem.message for problem in advise(recipe, base)]


def test_a_careful_recipe_needs_no_advice(recipe):
    assert advise(recipe()) == []


@pytest.mark.parametrize(
    ("method", "rate", "said"),
    [
        ("{full: {}}", "1e-5", None),
        ("{full: {}}", "2e-5", None),
        (
            "{full: {}}",
            "2.1e-5",
            "learning_rate 2.1e-05 is high: 1e-05 to 2e-05 is usual for full fine-tuning",
        ),
        ("{full: {}}", "9e-6", "learning_rate 9e-06 is low: 1e-05 to 2e-05 is usual for full fine-tuning"),
        (LORA, "1e-4", None),
        (LORA, "3e-4", None),
        (LORA, "3.1e-4", "learning_rate 0.00031 is high: 0.0001 to 0.0003 is usual for LoRA"),
        (LORA, "2e-5", "learning_rate 2e-05 is low: 0.0001 to 0.0003 is usual for LoRA"),
        ("{full: {last_layers: 2}}", "1e-3", None),
    ],
)
def test_learning_rates(recipe, method, rate, said):
    assert messages(recipe(method=method, learning_rate=rate)) == ([said] if said else [])


def test_lora_on_a_quantised_base_has_a_range_of_its_own(recipe, tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text(json.dumps({"quantization_config": {"load_in_4bit": True}}))
    one = recipe(method=LORA, learning_rate="2.5e-4")
    assert messages(one) == []
    assert messages(one, base) == [
        "learning_rate 0.00025 is high: 0.0001 to 0.0002 is usual for LoRA on a quantised base"
    ]


@pytest.mark.parametrize(("key", "value", "said"), [("epochs", "3", False), ("epochs", "4", True)])
def test_many_epochs_over_few_examples(recipe, key, value, said):
    found = messages(recipe(**{key: value}))
    assert found == (["4 epochs over 4 examples are many: 3 are usual"] if said else [])


def test_steps_are_counted_as_epochs(recipe):
    found = messages(recipe(epochs=None, steps="5", batch="4"))
    assert found == ["5 epochs over 4 examples are many: 3 are usual"]
    assert messages(recipe(epochs=None, steps="3", batch="4")) == []


def test_no_warmup(recipe):
    (problem,) = advise(recipe(warmup=None))
    assert problem.message == "there is no warmup: 0.03 to 0.1 is usual"
    assert problem.hint == "Adam's first steps are its largest, before it has seen how gradients vary"


@pytest.mark.parametrize("key", ["replay", "distill"])
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (", max_new_tokens: 32", ["max_new_tokens has no effect on the answers of corpus.jsonl"]),
        (", max_new_tokens: 32, answers: baseline", []),
        ("", []),
    ],
)
def test_a_length_that_nothing_is_written_to(recipe, key, more, said):
    assert messages(recipe(**{key: f"{{file: corpus.jsonl{more}}}"})) == said


def test_modules_to_save_under_lora(recipe):
    found = messages(recipe(method="{lora: {modules_to_save: [lm_head]}}", learning_rate="2e-4"))
    assert found == ["modules_to_save trains lm_head whole, beside the adapters"]


@pytest.mark.parametrize(("key", "value"), [("l2_sp", "0.1"), ("ewc", "{file: corpus.jsonl, importance: 5}")])
def test_what_holds_weights_holds_an_adapter_under_lora(recipe, key, value):
    (message,) = messages(recipe(method=LORA, learning_rate="2e-4", **{key: value}))
    assert (
        message == f"{key} holds what learns at its start, and under LoRA that is the adapter, not the model"
    )


def test_the_command_names_place_and_reason(write, capsys):
    path = write(learning_rate="5e-5", warmup=None)
    assert main(["advise", str(path)]) == 0
    assert capsys.readouterr().out == (
        "recipe.yaml:6:1: learning_rate 5e-05 is high: 1e-05 to 2e-05 is usual for full fine-tuning\n"
        "  the larger the steps, the more is overwritten\n"
        "recipe.yaml:1:1: there is no warmup: 0.03 to 0.1 is usual\n"
        "  Adam's first steps are its largest, before it has seen how gradients vary\n"
        "recipe.yaml: r, 2 pieces of advice\n"
    )
    assert main(["advise", str(path), "--strict"]) == 1
    assert main(["advise", str(write()), "--strict"]) == 0
    assert capsys.readouterr().out.endswith("recipe.yaml: r, nothing to advise\n")


def test_a_recipe_that_cannot_be_read_ends_in_2(write, capsys):
    assert main(["advise", str(write(learning_rat="1"))]) == 2
    assert (
        "recipe.yaml:8:1: unknown key 'learning_rat' in a recipe\n  did you mean 'learning_rate'?"
        in capsys.readouterr().err
    )
    assert main(["advise", "missing.yaml"]) == 2
    assert "missing.yaml" in capsys.readouterr().err


def test_the_shipped_recipes_are_advised_on_as_meant():
    careful = Path(__file__).parents[3] / "fixtures" / "careful.yaml"
    from harness.recipes.read import read_recipe

    assert messages(read_recipe(careful)) == []
    assert len(messages(read_recipe(careful.with_name("careless.yaml")))) == 2


def test_weights_that_multiply(recipe):
    assert messages(recipe(flow="{}")) == []
    (problem,) = advise(recipe(flow="{}", stm="{}", talr="{}"))
    assert problem.message == "stm, flow and talr each let tokens count less, and their weights multiply"
    assert problem.span.line == 10, "that of the last one"
