"""`ladder --vary`: a recipe for each value, named by it, and what cannot be varied."""

from __future__ import annotations

import pytest

from harness.cli.main import main
from harness.recipes.mitigations import EWC
from harness.recipes.read import read_recipe
from harness.sweep import vary as module
from harness.sweep.record import read_sweep
from harness.sweep.vary import Varied, varied
from tests.support.sweeps import GOOD, RECIPE, Fake, run_sweep


@pytest.fixture
def recipes(folder):
    (folder / "ewc.yaml").write_text(
        RECIPE.format(name="ewc", epochs=1) + "ewc: {file: corpus.jsonl, importance: 5}\nflow: {}\n"
    )
    return [read_recipe(folder / "careless_recipe.yaml"), read_recipe(folder / "ewc.yaml")]


def test_a_recipe_that_has_the_key_is_tried_with_each_value(recipes):
    found = varied(recipes, [Varied("ewc.importance", (100, 1e4))])
    assert [recipe.name for recipe in found] == ["careless", "ewc-importance-100", "ewc-importance-10000.0"]
    assert [recipe.written.ewc and recipe.written.ewc.importance for recipe in found] == [None, 100, 1e4]
    assert found[0] is recipes[0]
    assert found[1].content != found[2].content
    assert found[1].content["general"] == recipes[1].content["general"]
    assert EWC.adds(found[1].written, found[2].written) == "with a weight of 10000 instead of 100"


def test_several_keys_are_tried_in_every_combination(recipes):
    found = varied(recipes, [Varied("ewc.importance", (1, 2)), Varied("learning_rate", (1e-5, 1e-4))])
    assert [(recipe.name, recipe.written.learning_rate) for recipe in found] == [
        ("careless-learning_rate-1e-05", 1e-5),
        ("careless-learning_rate-0.0001", 1e-4),
        ("ewc-importance-1-learning_rate-1e-05", 1e-5),
        ("ewc-importance-1-learning_rate-0.0001", 1e-4),
        ("ewc-importance-2-learning_rate-1e-05", 1e-5),
        ("ewc-importance-2-learning_rate-0.0001", 1e-4),
    ]


def test_without_a_key_they_are_the_recipes_themselves(recipes):
    assert varied(recipes, []) == recipes


def test_each_value_is_a_rung_of_its_own(folder, capsys):
    models = Fake({"careless-epochs-1": GOOD["careful"], "careless-epochs-9": GOOD["careless"]})
    assert run_sweep(models, "careless", vary=(Varied("epochs", (1, 9)),), seeds=(1, 2)) == 0
    record = read_sweep(folder / "out")
    assert record.planned == ["careless-epochs-1", "careless-epochs-9"]
    assert [(row.name, row.recipe.epochs, len(row.seeds)) for row in record.rungs] == [
        ("careless-epochs-1", 1, 2), ("careless-epochs-9", 9, 2),
    ]  # fmt: skip
    assert "fewer epochs (measured): 'careless-epochs-1' (1 epoch instead of 9)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ewc.import=1,2"], "--vary ewc.import: no recipe has that key\n  did you mean 'ewc.importance'?"),
        (
            ["l2_sp=1"],
            "--vary l2_sp: no recipe has that key\n  give a recipe with that key, or leave --vary out",
        ),
        (["ewc.importance=-1"], "--vary ewc.importance: must be more than 0, saw -1"),
        (["epochs=1.5"], "--vary epochs: must be a whole number, saw 1.5"),
        (
            ["ewc.variant=exact"],
            "--vary ewc.variant: must be empirical or sampled, saw text 'exact'",
        ),
        (
            ["corpus.limit=1"],
            "--vary corpus.limit: 'corpus' cannot be varied\n  write a recipe for each instead",
        ),
        (["ewc.file=x"], "--vary ewc.file: 'file' cannot be varied\n  write a recipe for each instead"),
        (
            ["ewc.answers=corpus,baseline"],
            "--vary ewc.answers: 'answers' cannot be varied\n  write a recipe for each instead",
        ),
        (["seed=1,2"], "--vary seed: 'seed' cannot be varied\n  name seeds with --seeds"),
        (
            ["epochs=1", "epochs=2"],
            "--vary epochs: given twice\n  give all its values at once, separated by commas",
        ),
        (["epochs=1,2,3,4"], "--vary: makes 8 recipes of 2; at most 6 are tried"),
    ],
)
def test_what_cannot_be_varied(recipes, folder, capsys, monkeypatch, arguments, said):
    monkeypatch.setattr(module, "MOST_VARIED", 6)
    given = [part for argument in arguments for part in ("--vary", argument)]
    code = main(["ladder", "careless_recipe.yaml", "ewc.yaml", "--suite", "general.yaml", *given])
    assert (code, capsys.readouterr().err.rstrip("\n")) == (4, said)


@pytest.mark.parametrize("given", ["epochs", "=1", "epochs=", "epochs=1,1", "a..b=1", "epochs=1,"])
def test_what_is_no_key_with_values(capsys, given):
    with pytest.raises(SystemExit) as ended:
        main(["ladder", "a.yaml", "--vary", given])
    assert ended.value.code == 4
    assert (
        f"must be a key and different values, such as ewc.importance=100,1000, saw '{given}'"
        in capsys.readouterr().err
    )
