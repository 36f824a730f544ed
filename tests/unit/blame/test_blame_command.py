"""What `python -m harness blame` refuses before a model is loaded."""

from __future__ import annotations

import json

import pytest

from harness.blame import build
from harness.blame import run as module
from harness.blame.corpus import find_corpus
from harness.blame.questions import questions_of
from harness.cli.main import main
from harness.documents.within import PROJECT
from harness.engine.functions import FunctionEngine
from harness.engine.requests import EnginePair
from harness.errors import ModelError
from harness.evaluation.session import PairSession
from harness.evaluation.suites import read_suites
from tests.support.suites import suite_text


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "s.yaml").write_text(suite_text("s", 4), encoding="utf-8")
    code = (
        suite_text("code", 4)
        .replace("score: equals", "score: python")
        .replace("answer: right", "tests: assert True")
    )
    (tmp_path / "code.yaml").write_text(code, encoding="utf-8")
    (tmp_path / "model").mkdir()
    return tmp_path


def ended(capsys, *arguments: str) -> tuple[int, str]:
    code = main(["blame", *arguments])
    return code, capsys.readouterr().err.rstrip("\n")


def test_a_model_and_a_suite_are_needed(folder, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["blame", "--model", "model"])
    assert caught.value.code == 4
    assert "--suite" in capsys.readouterr().err


def test_a_model_that_is_not_there(folder, capsys):
    code, message = ended(capsys, "--model", "./gone", "--suite", "s.yaml")
    assert (code, message.splitlines()[0]) == (4, "./gone: no such folder")


def test_an_engine_of_another_process(folder, capsys):
    code, message = ended(capsys, "--model", "./gone", "--suite", "s.yaml", "--engine", "vllm")
    assert (code, message.splitlines()[0]) == (
        4,
        "--engine=vllm: weights in another process cannot be changed",
    )


def test_a_suite_that_cannot_be_read(folder, capsys):
    for name in ("base", "tuned"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text("{}", encoding="utf-8")
        (folder / name / "model.safetensors").write_bytes(b"")
    both = ("--model", "./tuned", "--baseline", "./base")
    code, message = ended(capsys, *both, "--suite", "gone.yaml")
    assert (code, "gone.yaml" in message) == (2, True)
    code, message = ended(capsys, *both, "--suite", "s.yaml", "--corpus", "gone.jsonl")
    assert (code, "gone.jsonl" in message) == (4, True)
    code, message = ended(capsys, *both, "--suite", "s.yaml", "--corpus", "gone.yaml")
    assert (code, "gone.yaml" in message) == (2, True)
    assert not (folder / "reports").exists()


def test_too_few_probes_to_judge_a_part_by(folder, capsys):
    code, message = ended(capsys, "--model", "./gone", "--suite", "s.yaml", "--again", "1")
    assert (code, message) == (
        4,
        "--again=1: a changed model must be asked a probe that was lost and one that was kept, which it may break\n"
        "  ask 2 or more",
    )


@pytest.mark.parametrize("most", [2, 3, 4, 60])
def test_of_both_kinds_of_probes_some_are_asked_again(folder, most):
    session = PairSession()
    (suite,) = read_suites([folder / "s.yaml"], PROJECT)
    session.need_probes(suite, suite.probes)
    baseline = FunctionEngine(lambda prompt: "right")
    session.ask("baseline", baseline)
    said = iter(["right", "right", "wrong", "wrong"])
    tuned = FunctionEngine(lambda prompt: next(said))
    session.ask("tuned", tuned, baseline=baseline)
    asked = questions_of(session.suites, most)
    assert (asked.strata.lost, asked.strata.kept) == (2, 2)
    assert asked.lost
    assert asked.kept


def test_a_sample_and_what_it_leaves_out_are_noted(folder, capsys, monkeypatch):
    """On the terminal if nothing was lost, else in the record."""
    (folder / "t.yaml").write_text(suite_text("t", 1), encoding="utf-8")
    for name in ("base", "tuned"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text("{}", encoding="utf-8")
        (folder / name / "model.safetensors").write_bytes(b"")
    both = ("--model", "./tuned", "--baseline", "./base", "--suite", "s.yaml", "--suite", "t.yaml")
    notes = [
        "a sample of 2 of 5 general probes (--sample 2)",
        "t: none of its probes is in the sample, so it detects nothing",
    ]
    monkeypatch.setattr(module, "open_pair", alike)
    code, message = ended(capsys, *both, "--sample", "2")
    assert code == 5
    assert [line for line in message.splitlines() if line.startswith("note: ")] == [
        f"note: {note}" for note in notes
    ]

    def forgot(*given):
        return EnginePair(*(FunctionEngine(lambda prompt, said=said: said) for said in ("right", "wrong")))

    given = []

    def searched(options, found):
        given.append(found)
        raise ModelError("enough")

    monkeypatch.setattr(module, "open_pair", forgot)
    monkeypatch.setattr(build, "record_of", searched)
    assert ended(capsys, *both, "--sample", "2")[0] == 4
    assert [note for note in given[0].notes if "sample" in note] == notes


def test_a_corpus_is_a_data_file_or_a_recipe(folder):
    rows = "".join(json.dumps({"prompt": f"p{n}", "answer": "a"}) + "\n" for n in range(9))
    (folder / "c.jsonl").write_text(rows, encoding="utf-8")
    (folder / "r.yaml").write_text(
        "recipe: r\nbase: b\ncorpus: {file: c.jsonl, limit: 5}\nmethod: {full: {}}\nlearning_rate: 1e-3\nepochs: 1\n"
        "format: text\n",
        encoding="utf-8",
    )
    data = find_corpus(folder / "c.jsonl", None, PROJECT, 200)
    assert (data.of, len(data.examples), data.form) == (9, 9, None)
    recipe = find_corpus(folder / "r.yaml", None, PROJECT, 200)
    assert (recipe.of, recipe.form) == (5, "text")
    assert find_corpus(None, None, PROJECT, 200) is None


def test_of_a_large_corpus_a_seeded_sample_is_taken(folder):
    rows = "".join(json.dumps({"prompt": f"p{n}", "answer": "a"}) + "\n" for n in range(1, 51))
    (folder / "c.jsonl").write_text(rows, encoding="utf-8")
    first, second = (find_corpus(folder / "c.jsonl", None, PROJECT, 8) for _ in range(2))
    assert first == second
    assert (first.of, len(first.examples)) == (50, 8)
    assert all(example.prompt == f"p{number}" for number, example in first.examples)


def alike(*given):
    """Engines of both models, which answer alike."""
    engine = FunctionEngine(lambda prompt: "right")
    return EnginePair(engine, engine)


def broken(*given):
    raise ModelError("tuned: cannot be loaded")


@pytest.mark.parametrize(
    ("opened", "suite", "code"), [(alike, "s.yaml", 5), (broken, "s.yaml", 4), (alike, "gone.yaml", 2)]
)
def test_what_an_earlier_search_left_does_not_stay(folder, capsys, monkeypatch, opened, suite, code):
    monkeypatch.setattr(module, "open_pair", opened)
    for name in ("base", "tuned"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text("{}", encoding="utf-8")
        (folder / name / "model.safetensors").write_bytes(b"")
    (folder / "out").mkdir()
    for name in ("blame.json", "blame.html", "layers.svg", "mine.txt"):
        (folder / "out" / name).write_text("of an earlier search", encoding="utf-8")
    both = ("--model", "./tuned", "--baseline", "./base", "--suite", suite, "--out", "out")
    assert ended(capsys, *both)[0] == code
    assert [path.name for path in (folder / "out").iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_written(folder, capsys):
    (folder / "file").write_text("", encoding="utf-8")
    for name in ("base", "tuned"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text("{}", encoding="utf-8")
        (folder / name / "model.safetensors").write_bytes(b"")
    both = ("--model", "./tuned", "--baseline", "./base", "--suite", "s.yaml")
    code, message = ended(capsys, *both, "--out", "file/out")
    assert (code, message.splitlines()[1]) == (4, "  name another folder: --out=DIR")
