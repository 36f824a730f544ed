"""benchmarks/speed: both harnesses get the same work, and what is printed of it is what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.speed.__main__ import agree, parse, write
from benchmarks.speed.agreement import Agreement, Item, agreement, as_data, unique_tokens
from benchmarks.speed.growth import slope, write_suite
from benchmarks.speed.machine import processor
from benchmarks.speed.processes import ROOT, Taken, printed, run
from benchmarks.speed.report import agreement_table, growth_table, speed_table
from benchmarks.speed.rounds import Asked, item, tree_tokens
from benchmarks.speed.work import CHOICES, SHOTS, write_work
from benchmarks.tables import Table
from harness.documents.within import Reach
from harness.engine.prompts import request
from harness.engine.requests import Chat, ChatText, Generate, MultipleChoice
from harness.scoring import SCORERS
from harness.suites.read import read_suite

TAKEN = Taken(wall=20.0, cpu=30.0, peak=2e9, tokens=3000, calls=10, computing=8.0, asking=10.0, threads=2)


# The work


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("work")
    write_work(made, items=12)
    return made


def as_task(folder: Path, name: str, **given):
    """The requests of the task of lm-evaluation-harness, as the gate reads it."""
    path = folder / f"{name}_read.yaml"
    data = json.loads((folder / f"{name}_task.yaml").read_text(encoding="utf-8"))
    data["dataset_kwargs"]["data_files"]["test"] = str(folder / f"{name}.jsonl")
    (folder / f"{name}_whole.yaml").write_text(json.dumps(data), encoding="utf-8")
    source = {"lm_eval": f"{name}_whole.yaml", **given}
    path.write_text(json.dumps({"suite": name, "from": source}), encoding="utf-8")
    suite = read_suite(path, SCORERS, Reach(anywhere=True))
    return [request(suite, probe) for probe in suite.probes]


def as_suite(folder: Path, name: str):
    suite = read_suite(folder / f"{name}.yaml", SCORERS)
    return [request(suite, probe) for probe in suite.probes]


def test_both_harnesses_choose_after_the_same_text(folder, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(folder / "datasets"))
    ours, theirs = as_suite(folder, "choices"), as_task(folder, "choices")
    assert len(ours) == 12
    for own, other in zip(ours, theirs, strict=True):
        assert isinstance(own, MultipleChoice)
        texts = [(own.prompt.text, continuation) for continuation in own.continuations]
        assert texts == [(prompt.text, continuation) for prompt, continuation in other.pairs]
        assert len(texts) == CHOICES
        assert own.prompt.text.count("Question:") == SHOTS + 1


def test_both_harnesses_ask_the_same_chat(folder):
    ours, theirs = as_suite(folder, "chat"), as_task(folder, "chat", chat=True)
    for own, other in zip(ours, theirs, strict=True):
        assert isinstance(own, Generate)
        assert isinstance(own.prompt, Chat)
        assert isinstance(other.prompt, ChatText)
        assert own.prompt.messages == other.prompt.messages
        assert (own.max_new_tokens, own.stop) == (other.max_new_tokens, other.stop)


def test_the_answer_is_among_the_choices_once(folder):
    rows = [json.loads(line) for line in (folder / "choices.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(row["choices"].count(row["answer"]) == 1 for row in rows)
    assert len({row["choices"].index(row["answer"]) for row in rows}) > 1


@pytest.mark.parametrize("items", [0, 10_000])
def test_there_are_only_so_many_items(tmp_path, items):
    with pytest.raises(ValueError, match=f"there are 1 to [0-9]+ items, {items} were asked for"):
        write_work(tmp_path, items)


# Agreement


def test_items_survive_their_json():
    items = [Item((-1.0, -2.5)), Item(text="Paris")]
    assert [Item.of(data) for data in json.loads(json.dumps(as_data(items)))] == items


def test_agreement_counts_answers_and_measures_log_probabilities():
    theirs = [Item((-1.0, -2.0)), Item((-1.0, -1.0001)), Item(text="Paris")]
    ours = [Item((-1.0005, -2.0)), Item((-1.0001, -1.0)), Item(text="Paris.")]
    found = agreement(theirs, ours)
    assert (found.items, found.same, round(found.off, 6)) == (3, 1, 0.0005)
    assert not found.holds
    assert agreement(theirs, theirs).holds
    assert not replace(found, same=3, off=0.002).holds


def test_one_item_too_many_is_no_agreement():
    with pytest.raises(ValueError):
        agreement([Item(text="a"), Item(text="b")], [Item(text="a")])


def test_a_run_agrees_only_if_tokens_and_answers_do():
    asked = Asked("chat", "", same_tokens=4, agreements={("16", "baseline"): Agreement(4, 4, 0.0)})
    assert agree(asked, items=4)
    assert not agree(replace(asked, same_tokens=3), items=4)
    assert not agree(replace(asked, agreements={("16", "adapter"): Agreement(4, 3, 0.0)}), items=4)
    assert agree(Asked("suites", ""), items=4)


# Tokens


@pytest.mark.parametrize(
    ("rows", "unique"),
    [
        ([], 0),
        ([[1, 2, 3]], 3),
        ([[1, 2, 3], [1, 2, 3]], 3),
        ([[1, 2, 3], [1, 2, 4], [1, 2]], 4),
        ([[1, 2], [3, 2]], 4),
        ([[1, 2, 3, 9], [5], [1, 2, 4, 9]], 7),
    ],
)
def test_a_tree_has_each_beginning_once(rows, unique):
    assert unique_tokens(rows) == unique
    assert unique_tokens(reversed(rows)) == unique


def test_a_tree_of_choices_needs_no_last_token():
    rows = [[[1, 2, 3], [1, 2, 4]], [[1, 5, 6, 7]]]
    assert tree_tokens(rows, [{"kind": "choose", "logprobs": [-1.0, -2.0]}] * 2) == 4


def test_what_is_written_is_read_again_but_for_its_last_token():
    answers = [
        {"kind": "generate", "tokens": 5, "ended": "limit"},
        {"kind": "generate", "tokens": 5, "ended": "turn"},
    ]
    assert tree_tokens([[[1, 2]], [[1, 3]]], answers) == 3 + 4 + 5


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"kind": "generate", "answer": "Paris"}, Item(text="Paris")),
        ({"kind": "choose", "answer": "1", "logprobs": [-2.0, -1.0]}, Item((-2.0, -1.0))),
    ],
)
def test_an_answer_is_taken_from_a_record(answer, expected):
    assert item(answer) == expected


# Processes


MODEL = """
class LlamaModel:
    def forward(self, input_ids=None, inputs_embeds=None):
        return input_ids

class LlamaForCausalLM:
    def forward(self, tokens):
        return LlamaModel().forward(tokens)
"""

ENGINE = """
import sys
from model import LlamaForCausalLM

class TorchEngine:
    def ask(self, tokens):
        return self.stream(tokens)

    def stream(self, tokens):
        return LlamaForCausalLM().forward(tokens)

class Tokens:
    def numel(self):
        return 12
"""


def test_a_meter_counts_what_is_read_while_a_model_is_asked(tmp_path):
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    (tmp_path / "engine.py").write_text(ENGINE, encoding="utf-8")
    (tmp_path / "asks.py").write_text(
        "from engine import *\n"
        "LlamaForCausalLM().forward(Tokens())\n"  # not asked
        "assert [TorchEngine().ask(Tokens()).numel() for _ in range(3)] == [12] * 3\n",
        encoding="utf-8",
    )
    (tmp_path / "run.py").write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from benchmarks.speed import metered\n"
        "metered.FORWARD = {'model': ('LlamaModel.forward', 'LlamaForCausalLM.forward')}\n"
        "metered.ASKING = {'engine': ('TorchEngine.ask', 'TorchEngine.stream')}\n"
        "metered.main(Path('counted.json'), 'asks', [])\n",
        encoding="utf-8",
    )
    subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path, env={"PYTHONPATH": f"{ROOT}:{tmp_path}"}, check=True
    )
    counted = json.loads((tmp_path / "counted.json").read_text(encoding="utf-8"))
    assert (counted["tokens"], counted["calls"], counted["threads"]) == (36, 3, 0)
    assert 0 < counted["computing"] < counted["asking"]


def test_a_process_is_measured_and_its_last_line_read(tmp_path):
    (tmp_path / "says.py").write_text("import sys\nprint('hello')\nprint('[1, 2]')", encoding="utf-8")
    taken = run("says", folder=tmp_path)
    assert taken.wall > 0
    assert taken.peak > 1e6
    assert (taken.tokens, taken.threads) == (0, 0)
    assert printed("says", folder=tmp_path) == [1, 2]


def test_a_process_that_fails_says_what_it_printed(tmp_path):
    (tmp_path / "fails.py").write_text("import sys\nprint('no such item')\nsys.exit(3)", encoding="utf-8")
    with pytest.raises(RuntimeError, match="(?s)ended with 3:.*no such item"):
        run("fails", folder=tmp_path)
    assert run("fails", folder=tmp_path, codes=(0, 3)).wall > 0


def test_two_processes_add_up_but_for_their_memory():
    both = TAKEN + replace(TAKEN, peak=3e9)
    assert (both.wall, both.tokens, both.peak, both.threads) == (40.0, 6000, 3e9, 2)


# Tables


def test_a_table_of_speed_compares_with_lm_eval():
    asked = Asked(
        "choices",
        "four choices",
        {
            "lm-eval, batch 16": [replace(TAKEN, wall=80.0), replace(TAKEN, wall=120.0)],
            "gate, cold": [TAKEN, replace(TAKEN, wall=30.0, peak=3e9)],
            "gate, unchanged": [Taken(2.0, 2.0, 1e8)],
        },
        unique=2000,
    )
    table = speed_table(asked, peak=1e6, a_token=1000)
    lm_eval, cold, unchanged = (dict(zip(table.heading, row, strict=True)) for row in table.rows)
    assert lm_eval["wall, s"] == "80.0 / 120.0"
    assert lm_eval["lm-eval takes"] == "1.0 times"
    assert cold == {
        "": "gate, cold",
        "wall, s": "20.0 / 30.0",
        "CPU, s": "30.0",
        "peak, MB": "3,000",
        "tokens read": "3,000",
        "of a tree's": "1.50",
        "asking, s": "10.0",
        "in the model, s": "8.0",
        "overhead": "25 %",
        "of peak": "30 %",
        "lm-eval takes": "4.0 times",
    }
    assert (unchanged["overhead"], unchanged["of peak"], unchanged["lm-eval takes"]) == (
        "-",
        "-",
        "50.0 times",
    )


def test_a_table_of_agreement_has_a_row_for_each_model():
    asked = Asked("chat", "", same_tokens=4, agreements={("16", "adapter"): Agreement(4, 3, 0.00021)})
    assert agreement_table([asked]).rows == [["chat", "adapter", "16", "4", "4", "3", "2e-04"]]


def test_a_table_of_growth_has_what_a_further_probe_costs():
    found = [
        {"probes": n, "collect": 0.5 + 0.001 * n, "ask": 0.01 * n, "judge": 0.002 * n}
        for n in (100, 1000, 10_000)
    ]
    rows = growth_table(found).rows
    assert rows[0] == ["100", "0.60", "1.00", "0.20", "1.80"]
    assert rows[3:] == [
        [name, "1.00", "10.00", "2.00", "13.00"]
        for name in ("ms a probe, fitted", "ms a probe, 100 to 1,000", "ms a probe, 1,000 to 10,000")
    ]
    assert growth_table(found[:1]).rows == rows[:1]


def test_a_line_is_found_through_points_on_it():
    rise, start = slope([100, 1000, 10_000], [0.7, 2.5, 20.5])
    assert rise == pytest.approx(0.002)
    assert start == pytest.approx(0.5)


def test_a_suite_of_any_size_reads(tmp_path):
    suite = read_suite(write_suite(tmp_path / "growth.yaml", 150), SCORERS)
    assert len({probe.fields["question"] for probe in suite.probes}) == 150
    assert {probe.category for probe in suite.probes} == {"c0", "c1"}


def test_a_processor_is_told_by_its_name_and_instructions():
    cpuinfo = "processor\t: 0\nmodel name\t: Fast CPU 9\nflags\t\t: sse avx2 avx512f amx_tile amx_bf16 x\n"
    assert processor(cpuinfo) == ("Fast CPU 9", ["avx2", "avx512f", "amx_tile", "amx_bf16"])
    assert processor("")[1] == []


def test_results_are_written_with_the_command_that_made_them(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.speed.__main__.RESULTS", tmp_path / "RESULTS.md")
    write(["--items", "5", "--write"], [Table("Machine", "", ["", ""], [["memory", "8 GB"]], (0, 1))])
    page = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert page.startswith(
        "<!-- Generated by `make bench ARGUMENTS='--items 5 --write'`. Do not edit. -->\n# Speed\n"
    )
    assert page.endswith("## Machine\n\n|        |      |\n| ------ | ---- |\n| memory | 8 GB |\n")


def test_options_are_lists():
    given = parse(["--batches", "16", "--growth", "10,20", "--work", "chat"])
    assert (given.batches, given.growth, given.work) == (["16"], [10, 20], ["chat"])
    assert parse(["--growth", ""]).growth == []
    with pytest.raises(SystemExit):
        parse(["--work", "chats"])
