"""Training data in the shapes in which people have it."""

from __future__ import annotations

import csv
import io
import json

import pytest

from harness.limits import MOST_TURNS
from harness.recipes.examples import Example, Turn

ALPACA = {"instruction": "Translate.", "input": "chat", "output": "cat"}
TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "Why?"},
    {"role": "assistant", "content": "So."},
]
SHARED = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
BOTH = [
    Example("Hi", "Hello", (Turn("system", "Be brief."),)),
    Example("Why?", "So.", (Turn("system", "Be brief."), Turn("user", "Hi"), Turn("assistant", "Hello"))),
]
CHAT = "holds conversations: each of their answers is learnt, after all that comes before it"

SHAPES = [
    ({"prompt": "Hi", "answer": "Hello"}, [Example("Hi", "Hello")], None),
    ({"prompt": "Hi", "completion": "Hello"}, [Example("Hi", "Hello")], "'prompt' is the prompt, 'completion' the answer"),
    ({"question": "Hi", "answer": "Hello"}, [Example("Hi", "Hello")], "'question' is the prompt, 'answer' the answer"),
    (ALPACA, [Example("Translate.\n\nchat", "cat")], "'instruction' is the prompt with 'input' after it, 'output' the answer"),
    ({**ALPACA, "input": ""}, [Example("Translate.", "cat")], "'instruction' is the prompt with 'input' after it, 'output' the answer"),
    ({"messages": TURNS}, BOTH, f"'messages' {CHAT}"),
    ({"prompt": "Hi", "messages": TURNS}, BOTH, f"'messages' {CHAT}"),
    ({"conversations": SHARED}, [Example("Hi", "Hello")], f"'conversations' {CHAT}"),
    ({"conversations": TURNS[1:3]}, [Example("Hi", "Hello")], f"'conversations' {CHAT}"),
    ({"prompt": TURNS[:2], "completion": TURNS[2:3]}, BOTH[:1], "'prompt' is the prompt, 'completion' the answer"),
    ({"prompt": TURNS[:4], "completion": TURNS[4:]}, BOTH[1:], "'prompt' is the prompt, 'completion' the answer"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}]}, [Example("Hi", "Hello")], f"'messages' {CHAT}"),
]  # fmt: skip


def as_lines(rows, folder):
    (folder / "d.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return "d.jsonl"


def as_list(rows, folder):
    (folder / "d.json").write_text(json.dumps(rows, indent=1))
    return "d.json"


def as_parquet(rows, folder):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_pylist(rows), folder / "d.parquet")
    return "d.parquet"


def as_data_set(rows, folder):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(rows).save_to_disk(folder / "d")
    return "d"


@pytest.mark.parametrize("write_data", [as_lines, as_list, as_parquet, as_data_set])
@pytest.mark.parametrize(("row", "examples", "note"), SHAPES)
def test_every_shape_in_every_kind_of_file(recipe, corpus_folder, write_data, row, examples, note):
    name = write_data([row], corpus_folder)
    found = recipe(corpus=f"{{file: {name}}}")
    assert list(found.examples) == examples
    assert found.notes == (() if note is None else (f"{name}: {note}",))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv(recipe, corpus_folder, separator):
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([["Instruction", "output"], ["Say a|b, c; d", "e\nf"]])
    (corpus_folder / "d.csv").write_text(text.getvalue())
    found = recipe(corpus="{file: d.csv}")
    assert found.examples == (Example("Say a|b, c; d", "e\nf"),)
    assert "d.csv: took the column 'Instruction' as 'instruction'" in found.notes
    assert ("d.csv: its columns are separated by semicolons" in found.notes) == (separator == ";")


# Prompts that the baseline answers

LAST = Example("More?", "", (*BOTH[1].earlier, Turn("user", "Why?"), Turn("assistant", "So.")))
ASKED = [
    ({"prompt": "Hi"}, [Example("Hi", "")], None),
    ({"prompt": "Hi", "answer": None}, [Example("Hi", "")], None),
    ({"prompt": "Hi", "answer": "Hello"}, [Example("Hi", "")], None),
    ({"question": "Hi"}, [Example("Hi", "")], "'question' is the prompt"),
    ({"instruction": "Hi", "input": "you"}, [Example("Hi\n\nyou", "")], "'instruction' is the prompt with 'input' after it"),
    ({"prompt": TURNS[:2]}, [Example("Hi", "", BOTH[0].earlier)], None),
    ({"prompt": TURNS[:2], "answer": TURNS[2:3]}, [Example("Hi", "", BOTH[0].earlier)], None),
    ({"messages": [*TURNS, {"role": "user", "content": "More?"}]},
     [*(Example(each.prompt, "", each.earlier) for each in BOTH), LAST],
     "'messages' holds conversations: the baseline answers each turn of a user, after all that comes before it"),
]  # fmt: skip


@pytest.mark.parametrize("key", ["replay: {", "distill: {", "ewc: {importance: 5, "])
@pytest.mark.parametrize(("row", "examples", "note"), ASKED)
def test_what_the_baseline_answers_needs_prompts_alone(recipe, corpus_folder, key, row, examples, note):
    as_lines([row], corpus_folder)
    name, _, value = key.partition(": ")
    found = recipe(**{name: f"{value}file: d.jsonl, answers: baseline}}"})
    assert list(found.general[name]) == examples
    assert found.notes == (() if note is None else (f"d.jsonl: {note}",))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": ""}, "'prompt' must be non-empty text, saw empty text"),
        ({"messages": TURNS[2:3]}, "the conversation has no turn of a user to answer"),
        ({"answer": "Hello"}, "no columns to train on; there are: answer"),
    ],
)
def test_what_the_baseline_cannot_answer(problems, corpus_folder, row, message):
    as_lines([row], corpus_folder)
    assert f"d.jsonl:1:1: {message}" in problems(replay="{file: d.jsonl, answers: baseline}")


def test_the_files_own_answers_are_needed(problems, corpus_folder):
    as_lines([{"prompt": "Hi"}], corpus_folder)
    assert "'answer' must be non-empty text, saw nothing" in problems(replay="{file: d.jsonl}")


# Splits

ROWS = [{"prompt": f"p{split}", "completion": "c", "split": split} for split in ("train", "test")]


@pytest.mark.parametrize("write_data", [as_lines, as_list, as_parquet, as_data_set])
def test_a_column_may_name_the_split(recipe, corpus_folder, write_data):
    name = write_data(ROWS, corpus_folder)
    assert [example.prompt for example in recipe(corpus=f"{{file: {name}, split: test}}").examples] == [
        "ptest"
    ]
    every = recipe(corpus=f"{{file: {name}}}")
    assert len(every.examples) == 2
    assert f"{name}: took the rows of every split: train, test" in every.notes


def test_a_saved_data_set_has_splits(recipe, problems, corpus_folder):
    datasets = pytest.importorskip("datasets")
    parts = {row["split"]: datasets.Dataset.from_list([row]).remove_columns("split") for row in ROWS}
    datasets.DatasetDict(parts).save_to_disk(corpus_folder / "d")
    assert [example.prompt for example in recipe(corpus="{file: d, split: test}").examples] == ["ptest"]
    found = recipe(corpus="{file: d}")
    assert [example.prompt for example in found.examples] == ["ptrain"]
    assert "d: took the split 'train' of train, test" in found.notes
    assert "recipe.yaml:7:10: 'd' has no split 'dev'\n  'split' is one of: train, test" in problems(
        corpus="{file: d, split: dev}"
    )


def test_a_folder_of_data_files_is_a_data_set(recipe, corpus_folder, monkeypatch):
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(corpus_folder / "cache"))
    (corpus_folder / "d").mkdir()
    as_lines(ROWS[:1], corpus_folder / "d")
    assert [example.prompt for example in recipe(corpus="{file: d}").examples] == ["ptrain"]


# What cannot be trained on


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "a"}, "no columns to train on; there are: text\n  expected prompt and answer, prompt and completion, "
         "instruction and output, messages, or conversations"),
        ({"messages": "Hi"}, "'messages' must be a list of turns, saw text 'Hi'"),
        ({"messages": []}, "'messages' must be a list of turns, saw an empty list"),
        ({"messages": ["Hi"]}, "'messages[0]' must be a mapping with 'role' and 'content', saw text 'Hi'"),
        ({"messages": [{"role": "tool", "content": "x"}]},
         "'messages[0].role' must be one of system, user, human, assistant, gpt, saw text 'tool'"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "'messages[0].role' must be one of"),
        ({"messages": [{"role": "user", "content": None}]}, "'messages[0].content' must be non-empty text, saw nothing"),
        ({"messages": TURNS[:2]}, "the conversation has no answer of the assistant to a user"),
        ({"messages": TURNS[1:3] * MOST_TURNS}, f"'messages' has 200 turns, more than {MOST_TURNS}"),
        ({"instruction": "a", "input": 7, "output": "b"}, "'input' must be non-empty text, saw 7"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_on(problems, corpus_folder, row, message):
    as_lines([row], corpus_folder)
    assert f"d.jsonl:1:1: {message}" in problems(corpus="{file: d.jsonl}")


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ("{file: d.txt}", "recipe.yaml:7:10: 'd.txt' is not a data file: its name must end in"),
        ("{file: corpus.jsonl, split: dev}", "has no lines with split 'dev' to train on\n  there are: train"),
        (
            "{file: d.jsonl, split: train}",
            "'d.jsonl' has no column 'split'\n  leave 'split' out of the recipe",
        ),
    ],
)
def test_what_the_recipe_names_wrongly(problems, corpus_folder, corpus, message):
    (corpus_folder / "d.txt").write_text("x")
    as_lines([ALPACA], corpus_folder)
    assert message in problems(corpus=corpus)


def test_text_has_no_turns(problems, corpus_folder):
    as_lines([{"messages": TURNS}], corpus_folder)
    told = problems(corpus="{file: d.jsonl}", format="text")
    assert (
        "'d.jsonl' has conversations of more than a question and its answer\n  train on them under 'format: chat'"
        in told
    )


def test_the_key_of_a_trained_model_has_all_turns(recipe, corpus_folder):
    assert recipe().content["examples"][0] == ["p0", "a0"]
    as_lines([{"messages": TURNS}], corpus_folder)
    assert recipe(corpus="{file: d.jsonl}").content["examples"][0] == [
        "Hi",
        "Hello",
        [["system", "Be brief."]],
    ]
