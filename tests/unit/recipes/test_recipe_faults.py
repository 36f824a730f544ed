"""Faults of a recipe in its author's words: a suite's are told in the same way."""

from __future__ import annotations

import pytest

from harness.errors import RecipeError
from harness.recipes.read import read_recipe

RECIPE = """\
recipe: careful
about: A careful fine-tune.
base: embedded
corpus: {file: corpus.jsonl}
method: {lora: {r: 8, alpha: 16}}
learning_rate: 2e-4
epochs: 2
warmup: 0.1
"""


@pytest.mark.parametrize(
    ("line", "written", "said"),
    [
        ("about: A careful fine-tune.", 'about: "A careful fine-tune.',
         '2:8: not YAML: the quote " that opens here is never closed\n  write: about: "A careful fine-tune."'),
        ("about: A careful fine-tune.", "about: Careful: a fine-tune.",
         "2:8: not YAML: text with ': ' in it needs quotes: YAML takes what stands before it for a key\n"
         '  write: about: "Careful: a fine-tune."'),
        ("base: embedded", " base: embedded",
         "3:2: not YAML: 'base' is indented deeper than its neighbour 'about' in line 2\n"
         "  write it with no space before it: base: embedded"),
        ("method: {lora: {r: 8, alpha: 16}}", "method:\n\tlora: {r: 8, alpha: 16}",
         "6:1: not YAML: a tab where YAML allows only spaces\n"
         "  indent with spaces; write it with 2 of them before it: lora: {r: 8, alpha: 16}"),
        ("epochs: 2", "epochs = 2",
         "7:7: not YAML: 'epochs' needs ': ' after it, a colon and a space\n  write: epochs: 2"),
        ("alpha: 16}}", "alpha: 16}", "5:16: not YAML: '{' opens here and is never closed\n  write: method: {lora: {r: 8, alpha: 16}}"),
        ("learning_rate", "lr", "6:1: unknown key 'lr' in a recipe\n  its name is 'learning_rate'; write: learning_rate: 2e-4"),
        ("2e-4", '"2e-4"', "6:16: 'learning_rate' must be a number, saw text '2e-4'\n  write: learning_rate: 0.0002"),
        ("2e-4", "0,0002", "6:16: 'learning_rate' must be a number, saw text '0,0002'\n  write: learning_rate: 0.0002"),
        ("epochs: 2", "epochs: 2 epochs", "7:9: 'epochs' must be a whole number, saw text '2 epochs'\n  write: epochs: 2"),
        ("0.1", "10%", "8:9: 'warmup' must be a number, saw text '10%'\n  a fraction of 1: 0.1 means 10 %; write: warmup: 0.1"),
        ("{lora: {r: 8, alpha: 16}}", "lora", "5:9: 'method' must be a mapping, saw text 'lora'\n  write: method: {lora: {}}"),
        ("{file: corpus.jsonl}", "corpus.jsonl",
         "4:9: 'corpus' must be a mapping, saw text 'corpus.jsonl'\n  write: corpus: {file: corpus.jsonl}"),
        ("{lora: {r: 8, alpha: 16}}", "{full: {biases_only: yes}}",
         "5:30: 'biases_only' must be true or false, saw text 'yes'\n  write: method: {full: {biases_only: true}}"),
        ("r: 8", "target_modules: q_proj",
         "5:17: 'target_modules' must be a list or all-linear, saw text 'q_proj'\n"
         "  write: method: {lora: {target_modules: [q_proj], alpha: 16}}"),
        ("method: {lora: {r: 8, alpha: 16}}\n", "",
         "1:1: a recipe needs 'method'\n  write: method: {lora: {r: 16, alpha: 32}}"),
        (RECIPE, "", "1:1: the file is empty: it has no recipe\n  begin with 'recipe: name'"),
        (RECIPE, "suite: s\nprobes: []\n",
         "1:1: this is a suite, which asks a model, and no recipe\n"
         "  gate a model with it: pytest FILE --model=REF; a recipe begins with 'recipe: name'"),
    ],
)  # fmt: skip
def test_a_fault(corpus_folder, line, written, said):
    assert line in RECIPE
    path = corpus_folder / "recipe.yaml"
    path.write_text(RECIPE.replace(line, written, 1), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    assert str(caught.value).replace("recipe.yaml:", "") == said
