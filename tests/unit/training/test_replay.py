"""Whatever is given as data is mixed by its rows, or refused with what to give instead."""

from __future__ import annotations

import collections
import re
from pathlib import Path

import numpy
import pytest

from harness.engine.requests import Generate, Generated
from harness.errors import NoEvidenceError, RecipeError
from harness.recipes.read import Recipe, read_recipe
from harness.training.rehearsal import training_data
from harness.training.replay import create_replay_dataset

datasets = pytest.importorskip("datasets")
pandas = pytest.importorskip("pandas")
pyarrow = pytest.importorskip("pyarrow")

ROWS = [{"prompt": f"say {number}", "answer": str(number)} for number in range(20)]
GENERAL = [{"prompt": f"what is {number}?", "answer": "that"} for number in range(20)]
DATASET = datasets.Dataset.from_list(ROWS)
LIST = "must be a list of examples or a datasets.Dataset, saw"


class ByNumber:
    """A data set as torch has them: it knows how many rows it has, and gives each by its number."""

    def __len__(self) -> int:
        return len(ROWS)

    def __getitem__(self, number: int) -> dict[str, str]:
        return ROWS[number]


class Stream:
    """A data set as torch has them, of rows that come one after the other."""

    def __iter__(self):
        return iter(ROWS)


class Chained(Stream):
    """One that asks its parts how many rows they have, which they do not know."""

    def __len__(self) -> int:
        raise TypeError("object of type 'Stream' has no len()")


polars = type(
    "DataFrame", (), {"__module__": "polars.dataframe.frame", "__len__": lambda _: 3, "__getitem__": None}
)
"""As polars names its own, which need not be installed here."""


@pytest.mark.parametrize("side", ["domain", "general"])
@pytest.mark.parametrize(
    "data",
    [ROWS, tuple(ROWS), collections.deque(ROWS), DATASET, ByNumber(), DATASET.with_format("numpy")],
    ids=["list", "tuple", "deque", "Dataset", "by number", "Dataset with a format"],
)
def test_rows_are_taken(side, data):
    mixed = create_replay_dataset(*((data, GENERAL) if side == "domain" else (GENERAL, data)), 0.2)
    assert len(mixed) == 25
    expected = create_replay_dataset(*((ROWS, GENERAL) if side == "domain" else (GENERAL, ROWS)), 0.2)
    assert [dict(row) for row in mixed] == expected


def test_texts_are_taken():
    mixed = create_replay_dataset(["a", "b", "c"], DATASET["prompt"], 0.5)
    assert len(mixed) == 6
    assert {"a", "b", "c"} < set(mixed)


def test_the_same_seed_gives_the_same_and_another_another():
    first = create_replay_dataset(ROWS, GENERAL, 0.4, seed=1)
    assert first == create_replay_dataset(ROWS, GENERAL, 0.4, seed=1)
    assert first != create_replay_dataset(ROWS, GENERAL, 0.4, seed=2)
    assert sorted(row["prompt"] for row in create_replay_dataset(ROWS, [], 0.0)) == sorted(
        r["prompt"] for r in ROWS
    )


def test_a_small_fraction_of_few_is_one():
    mixed = create_replay_dataset(ROWS[:9], GENERAL, 0.05)
    assert (len(mixed), sum(row in GENERAL for row in mixed)) == (10, 1)
    with pytest.raises(NoEvidenceError, match="beside 9 examples needs 1 general one, and there are 0"):
        create_replay_dataset(ROWS[:9], [], 0.05)


@pytest.mark.parametrize("side", ["domain_data", "general_data"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            datasets.DatasetDict({"train": DATASET, "test": DATASET}),
            "{0} must be one list of examples, saw datasets.DatasetDict of the splits 'train', 'test'\n"
            "  give one of them: {0}['train']",
        ),
        (
            datasets.DatasetDict({"validation": DATASET}),
            "{0} must be one list of examples, saw datasets.DatasetDict of the splits 'validation'\n"
            "  give one of them: {0}['validation']",
        ),
        (
            datasets.IterableDatasetDict({"train": DATASET.to_iterable_dataset()}),
            "{0} must be one list of examples, saw datasets.IterableDatasetDict of the splits 'train'\n"
            "  give one of them: list({0}['train'].take(1000))",
        ),
        (
            DATASET.to_iterable_dataset(),
            f"{{0}} {LIST} datasets.IterableDataset\n  give its rows: list({{0}}.take(1000))",
        ),
        (
            {"prompt": ["a"], "answer": ["b"]},
            f"{{0}} {LIST} a dictionary of 'prompt', 'answer'\n  of columns, give the rows: "
            "list(datasets.Dataset.from_dict({0})); of splits, one of them: {0}['prompt']",
        ),
        (pandas.DataFrame(ROWS), f"{{0}} {LIST} pandas.DataFrame\n  give its rows: {{0}}.to_dict('records')"),
        (pandas.Series(["a"]), f"{{0}} {LIST} pandas.Series\n  give its rows: {{0}}.tolist()"),
        (polars(), f"{{0}} {LIST} polars.DataFrame\n  give its rows: {{0}}.to_dicts()"),
        (pyarrow.table({"a": [1]}), f"{{0}} {LIST} pyarrow.Table\n  give its rows: {{0}}.to_pylist()"),
        (numpy.zeros((3, 2)), f"{{0}} {LIST} numpy.ndarray\n  give its rows: {{0}}.tolist()"),
        ((row for row in ROWS), f"{{0}} {LIST} generator\n  give its rows: list({{0}})"),
        (zip(ROWS, ROWS, strict=True), f"{{0}} {LIST} zip\n  give its rows: list({{0}})"),
        (Stream(), f"{{0}} {LIST} tests.Stream\n  give its rows: list({{0}})"),
        (Chained(), f"{{0}} {LIST} tests.Chained\n  give its rows: list({{0}})"),
        ({"b", "a"}, f"{{0}} {LIST} set\n  give its rows: sorted({{0}})"),
        (None, f"{{0}} {LIST} NoneType\n  give its rows: as a list"),
        (3, f"{{0}} {LIST} int\n  give its rows: as a list"),
        (
            "data/a.jsonl",
            "{0} is a text or a path, and examples were expected: 'data/a.jsonl'\n"
            "  read it first: datasets.load_dataset('json', data_files={0}, split='train')",
        ),
        (
            Path("a.jsonl"),
            "{0} is a text or a path, and examples were expected: PosixPath('a.jsonl')\n"
            "  read it first: datasets.load_dataset('json', data_files={0}, split='train')",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_has_no_rows_is_refused_with_what_to_give(side, data, message):
    given = {"domain_data": ROWS, "general_data": GENERAL, side: data}
    message = message.format(side).replace("tests.", f"{__name__.partition('.')[0]}.")
    with pytest.raises(NoEvidenceError, match=rf"\A{re.escape(message)}\Z"):
        create_replay_dataset(**given, replay_fraction=0.2)


@pytest.mark.parametrize("empty", [[], (), DATASET.select([])], ids=["list", "tuple", "Dataset"])
def test_nothing_to_learn_is_an_error(empty):
    with pytest.raises(NoEvidenceError, match="domain_data is empty"):
        create_replay_dataset(empty, GENERAL)
    with pytest.raises(NoEvidenceError, match="needs 2 general ones, and there are 0"):
        create_replay_dataset(ROWS, empty)


@pytest.mark.parametrize(
    ("domain", "general", "message"),
    [
        (
            ROWS,
            ["a"] * 9,
            "the examples are of two kinds: dict in domain_data, str in general_data\n  give both",
        ),
        (
            ["a"] * 9,
            ROWS,
            "the examples are of two kinds: str in domain_data, dict in general_data\n  give both",
        ),
        (
            ROWS,
            [{"text": "a"}] * 9,
            "the examples have no key in common: those of domain_data have ['answer', 'prompt'], those of general_data "
            "['text']\n  rename the columns of one",
        ),
    ],
)
def test_what_no_trainer_takes_together_is_not_mixed(domain, general, message):
    with pytest.raises(NoEvidenceError, match=rf"\A{re.escape(message)}"):
        create_replay_dataset(domain, general, 0.2)


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, float("nan"), "0.1", None])
def test_a_fraction_that_is_no_share(fraction):
    with pytest.raises(NoEvidenceError, match=r"\Areplay_fraction must lie in \[0, 1\), saw "):
        create_replay_dataset(ROWS, GENERAL, fraction)


@pytest.mark.parametrize("seed", [None, "x", [1]])
def test_a_seed_that_is_none(seed):
    with pytest.raises(NoEvidenceError, match=r"\Aseed must be a whole number, saw "):
        create_replay_dataset(ROWS, GENERAL, seed=seed)


# The baseline's own answers


class Says:
    """A model that says this, in order, whatever it is asked."""

    label, kinds = "m", frozenset({"generate"})

    def __init__(self, *said: tuple[str, str]) -> None:
        self.said = said
        self.asked: list[str] = []

    def ask(self, requests, on_progress):
        assert all(isinstance(request, Generate) and request.max_new_tokens == 7 for request in requests)
        self.asked = [request.prompt.messages[-1].content for request in requests]
        return [Generated(text, 7, ended) for text, ended in self.said]


@pytest.fixture
def self_replay(tmp_path) -> Recipe:
    """Four examples, and as many general prompts, of which one is an example too."""
    for name, prompts in (("corpus", "abcd"), ("general", "dxyz")):
        rows = "".join(f'{{"prompt": "{prompt}", "answer": "from the file"}}\n' for prompt in prompts)
        (tmp_path / f"{name}.jsonl").write_text(rows)
    path = tmp_path / "r.yaml"
    path.write_text(
        "recipe: r\nbase: embedded\ncorpus: {file: corpus.jsonl}\nmethod: {lora: {}}\nlearning_rate: 1e-4\nepochs: 1\n"
        "replay: {file: general.jsonl, fraction: 0.5, answers: baseline, max_new_tokens: 7}\n"
    )
    return read_recipe(path)


def quietly(done: int, total: int) -> None:
    pass


def test_cut_answers_have_no_end_and_blank_ones_are_left_out(self_replay):
    said: list[str] = []
    model = Says(("whole", "turn"), ("half a wo", "limit"), (" \n", "turn"), ("na\u00ef\ufffd", "limit"))
    found = training_data(self_replay, model, said.append, quietly)
    own = {example.prompt: example for example in found if example.answer != "from the file"}
    assert [(own[prompt].answer, own[prompt].cut) for prompt in model.asked if prompt in own] == [
        ("whole", False), ("half a wo", True), ("na\u00ef", True)
    ]  # fmt: skip
    assert sorted(example.prompt for example in found if example.answer == "from the file") == list("abcd")
    assert said == [
        "r: replay: max_new_tokens, 7, cut 2 of 4 answers of the baseline; no end follows them",
        "r: replay: left out 1 of 4 answers of the baseline, for being blank",
    ]


def test_answers_that_are_all_blank_are_no_replay(self_replay):
    with pytest.raises(
        RecipeError,
        match=r"r\.yaml:7:\d+: 'replay' has nothing to keep: of 4 answers of the baseline, all are blank",
    ):
        training_data(self_replay, Says(*[("", "turn")] * 4), [].append, quietly)
