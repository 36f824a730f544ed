"""Errors in a recipe read like errors in a suite."""

from __future__ import annotations

import os

import pytest


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"learning_rat": "1"}, "recipe.yaml:8:1: unknown key 'learning_rat' in a recipe\n  did you mean 'learning_rate'?"),
        ({"method": "{lora: {rank: 4}}"}, "recipe.yaml:7:17: unknown key 'rank' in lora"),
        ({"method": "{full: {last_layer: 4}}"},
         "recipe.yaml:7:17: unknown key 'last_layer' in full\n  did you mean 'last_layers'?"),
        ({"steps": "5"}, "a recipe has one of 'epochs' and 'steps'"),
        ({"epochs": None}, "a recipe has one of 'epochs' and 'steps'"),
        ({"method": "{lora: {}, full: {}}"}, "a method is one of 'lora' and 'full'"),
        ({"method": "{}"}, "a method is one of 'lora' and 'full'"),
        ({"method": "{full: {biases_only: true, last_layers: 2}}"},
         "'biases_only' leaves nothing for 'last_layers' or 'freeze_embeddings' to choose"),
        ({"learning_rate": "0"}, "recipe.yaml:7:16: 'learning_rate' must be more than 0, saw 0"),
        ({"learning_rate": "-1e-4"}, "'learning_rate' must be more than 0, saw -0.0001"),
        ({"learning_rate": ".nan"}, "'learning_rate' must be a finite number, saw nan"),
        ({"learning_rate": "fast"}, "'learning_rate' must be a number, saw text 'fast'"),
        ({"warmup": "1"}, "'warmup' must be less than 1, saw 1"),
        ({"batch": "0"}, "'batch' must be at least 1, saw 0"),
        ({"seed": "4294967296"}, "'seed' must be at most 4294967295, saw 4294967296"),
        ({"schedule": "cosin"}, "'schedule' must be constant, linear or cosine, saw text 'cosin'\n  did you mean 'cosine'?"),
        ({"replay": "{file: corpus.jsonl, fraction: 1.0}"}, "'fraction' must be less than 1, saw 1"),
        ({"replay": "{file: corpus.jsonl, fraction: 0}"}, "'fraction' must be more than 0, saw 0"),
        ({"ewc": "{file: corpus.jsonl}"}, "recipe.yaml:8:1: ewc needs 'importance'"),
        ({"ewc": "{file: corpus.jsonl, importance: -1}"}, "'importance' must be more than 0, saw -1"),
        ({"distill": "{file: none.jsonl}"}, "recipe.yaml:8:11: the file 'none.jsonl' cannot be read: No such file"),
        ({"target": "no.yaml"}, "recipe.yaml:8:1: there is no suite 'no.yaml'"),
        ({"corpus": "{file: corpus.jsonl, split: test}"}, "has no lines with split 'test' to train on"),
        ({"base": "other.yaml"}, "the base of a recipe must be a model, saw a fixture file"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(problems, lines, said):
    assert said in problems(**lines)


def test_everything_wrong_is_said_at_once(problems):
    told = problems(learning_rate="0", epochs="many", metod="{}")
    assert told.count("recipe.yaml:") == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not json", "corpus.jsonl:5:1: not JSON"),
        ("[1]", "corpus.jsonl:5:1: a line must be a JSON object, saw a list"),
        ('{"prompt": "p"}', "corpus.jsonl:5:1: 'answer' must be non-empty text, saw nothing"),
        ('{"prompt": " ", "answer": "a"}', "corpus.jsonl:5:1: 'prompt' must be non-empty text"),
        (
            r'{"prompt": "p", "answer": "\ud83d"}',
            r"corpus.jsonl:5:1: 'answer' holds half a surrogate pair (\ud83d)",
        ),
        (
            '{"prompt": "p", "answer": 1.50}',
            "corpus.jsonl:5:1: 'answer' must be non-empty text, saw 1.50",
        ),
        ("[" * 100_000, "corpus.jsonl:5:1: JSON that is nested too deeply"),
    ],
)
def test_a_line_of_a_corpus_that_cannot_be_trained_on(corpus_folder, problems, line, said):
    with (corpus_folder / "corpus.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    assert said in problems()


def test_general_data_is_kept_by_the_key_that_brings_it(recipe):
    one = recipe(replay="{file: corpus.jsonl}", ewc="{file: corpus.jsonl, importance: 1, limit: 2}")
    assert {key: len(examples) for key, examples in one.general.items()} == {"replay": 4, "ewc": 2}


def test_a_corpus_whose_lines_are_all_wrong_is_not_read_to_its_end(corpus_folder, problems):
    (corpus_folder / "corpus.jsonl").write_text('{"prompt": "p"}\n' * 5000)
    told = problems()
    assert told.count("'answer' must be non-empty text") == 20
    assert "20 problems in 'corpus.jsonl'; the rest was not read" in told


def test_a_corpus_that_is_a_pipe(corpus_folder, problems):
    (corpus_folder / "corpus.jsonl").unlink()
    os.mkfifo(corpus_folder / "corpus.jsonl")
    assert "corpus.jsonl: cannot be read: it is a pipe or a device, not a file" in problems()
