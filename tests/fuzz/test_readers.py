"""Whatever stands in a file, its reader gives a value or an error of ours, and what is shown of it cannot steer a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.api import compare_forgetting, evaluate_general_qa
from harness.cli.main import main
from harness.errors import HarnessError
from harness.models.reference import find_pair
from harness.recipes.read import read_recipe
from harness.reporting.record import read_record
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from harness.sweep.record import read_sweep
from tests.fuzz.inputs import (
    ADAPTER,
    CARD,
    EVALUATION,
    QUESTION,
    RECORD,
    as_json,
    broken,
    damaged,
    data,
    often,
    recipes,
    suites,
    written,
)  # fmt: skip
from tests.support.ladders import ladder, recipe, rung

LADDER: dict[str, Any] = json.loads(
    ladder(rung(recipe("careless"), (38, 53)), rung(recipe("lora"), (38, 5))).model_dump_json()
)
for suite in [LADDER["target"], *LADDER["suites"]]:
    del suite["probes"][3:]

INVISIBLE = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0))} - {"\n"} | set(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
"""What can move a cursor, change a colour or turn text around."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(autouse=True)
def without_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `datasets` says of a broken file is its own affair, and it takes long to say it."""
    monkeypatch.setitem(sys.modules, "datasets", None)


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(data(text))
    return path


def shown(capsys: pytest.CaptureFixture[str], *command: str) -> int:
    """Run a command and see that nothing it printed can steer a terminal; its exit code."""
    code = main(command)
    captured = capsys.readouterr()
    assert not INVISIBLE & set(captured.out + captured.err)
    return code


@often
@given(written(suites()))
def test_a_suite_that_is_right_is_read(folder: Path, text: str) -> None:
    assert read_suite(file(folder, "right.yaml", text), SCORERS).probes


@often
@given(text=written(broken(suites())) | damaged(written(suites())) | damaged(st.text(max_size=200)))
def test_a_suite_is_read_or_refused(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    path = str(file(folder, "suite.yaml", text))
    code = shown(capsys, "lint", path)
    assert code in (0, 1, 2)
    assert shown(capsys, "plan", path) in ((2,) if code == 2 else (0, 2, 4))
    assert shown(capsys, "preview", path) in ((2,) if code == 2 else (0, 2, 4))


@often
@given(text=written(broken(recipes())) | damaged(written(recipes())), rows=st.data())
def test_a_recipe_is_read_or_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, rows: st.DataObject
) -> None:
    good = st.just('{"prompt": "What?", "answer": "A lamp."}\n{"prompt": "Who?", "answer": "Ana."}\n')
    file(folder, "corpus.jsonl", rows.draw(good | damaged(good)))
    path = file(folder, "recipe.yaml", text)
    assert shown(capsys, "advise", str(path)) in (0, 2)
    read_or_refused(lambda: read_recipe(path))


@often
@given(
    name=st.sampled_from(["rows.csv", "rows.jsonl"]),
    text=damaged(st.sampled_from([
        'question,answer\n"What, then?",7\nWho?,Ana\n',
        '{"question": "What?", "answer": 7}\n{"question": "Who?", "answer": ["Ana", 1.50]}\n',
        '{"question": NaN, "answer": 1e-5}\n', '{"question": "\\ud800", "answer": null}\n',
    ])),
)  # fmt: skip
def test_rows_are_read_or_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    file(folder, name, text)
    gates = "[{over: all, max_drop: 0.1}]"
    suite = file(folder, "rows.yaml", f"suite: s\nscore: mentions\ngates: {gates}\nprobes_from: {name}\n")
    assert shown(capsys, "lint", str(suite)) in (0, 1, 2)


@often
@given(text=as_json(broken(st.just(RECORD))) | damaged(as_json(st.just(RECORD))))
def test_a_record_is_read_or_refused(folder: Path, text: str) -> None:
    path = file(folder, "record.json", text)
    read_or_refused(lambda: read_record(path))


@often
@given(text=as_json(broken(st.just(LADDER))) | damaged(as_json(st.just(LADDER))))
def test_a_ladder_is_read_or_refused(folder: Path, text: str) -> None:
    file(folder, "ladder.json", text)
    read_or_refused(lambda: read_sweep(folder))


@often
@given(before=broken(st.just(EVALUATION)), after=broken(st.just(EVALUATION)))
def test_two_evaluations_are_compared_or_refused(before: Any, after: Any) -> None:
    read_or_refused(lambda: compare_forgetting(before, after))


@often
@given(st.lists(broken(st.just(QUESTION)), max_size=3))
def test_questions_are_asked_or_refused(questions: list[Any]) -> None:
    read_or_refused(lambda: evaluate_general_qa(lambda prompt: "a lamp", questions))


@often
@given(
    config=st.just(json.dumps(ADAPTER))
    | written(broken(st.just(ADAPTER)))
    | damaged(st.just(json.dumps(ADAPTER))),
    card=st.just(CARD) | damaged(st.just(CARD)),
)
def test_an_adapter_is_found_or_refused(folder: Path, config: str, card: str) -> None:
    tuned = folder / "tuned"
    tuned.mkdir(exist_ok=True)
    file(tuned, "adapter_config.json", config)
    file(tuned, "adapter_model.safetensors", "")
    file(tuned, "README.md", card)
    read_or_refused(lambda: find_pair(str(tuned), None))


def read_or_refused(read: Callable[[], object]) -> None:
    """Any other error than one of ours is a traceback in a user's face."""
    with suppress(HarnessError):
        read()
