"""What stands for a recipe in cache keys: models that were trained before are found again, and keep being found."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from harness.recipes.format import KEYS
from harness.recipes.mitigations import MITIGATIONS
from harness.recipes.read import read_recipe

RECIPE = """\
recipe: {name}
base: embedded
corpus: {{file: corpus.jsonl}}
method: {{full: {{}}}}
learning_rate: 1e-5
epochs: 2
warmup: 0.1
"""
MITIGATED = """\
replay: {file: corpus.jsonl, fraction: 0.5}
ewc: {file: corpus.jsonl, importance: 5}
l2_sp: 0.1
distill: {file: corpus.jsonl}
"""


@pytest.fixture
def content(tmp_path: Path):
    """SHA-256 of the content of RECIPE and some more lines."""
    rows = "".join(f'{{"prompt": "p{n}", "answer": "a{n}", "split": "train"}}\n' for n in range(4))
    (tmp_path / "corpus.jsonl").write_text(rows, encoding="utf-8")

    def content(more: str = "", name: str = "r") -> str:
        path = tmp_path / "recipe.yaml"
        path.write_text(RECIPE.format(name=name) + more, encoding="utf-8")
        return hashlib.sha256(json.dumps(read_recipe(path).content, sort_keys=True).encode()).hexdigest()

    return content


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", "e63d9db767b2af542a6d864741a6aaed4ee83ff939ab029de92afd86df09a765"),
        (MITIGATED, "4a434f45986d33c60c6f3db86c0b1a7080c2dda5dc6b958a4af5439b30c7b843"),
    ],
    ids=["plain", "mitigated"],
)
def test_the_content_is_what_it_was_when_models_were_first_kept(content, more, expected):
    assert content(more) == expected


@pytest.mark.parametrize(
    ("line", "before"),
    [
        ("replay: {file: corpus.jsonl, fraction: 0.5, answers: baseline}", "e64366d733bb56cf899b4c98b0e0357fc83aa6850763f78759a22a336c6628a8"),
        ("ewc: {file: corpus.jsonl, importance: 5, answers: baseline}", "2f301687e9edee0747d1a38dac8172a4b4208ee1977893c8440beac5472acfd3"),
        ("distill: {file: corpus.jsonl, answers: baseline}", "e72ee5f93eb3ee4dc4a1724d93cf552e1ec58f375d41ab5520a758b989d30aa5"),
    ],
    ids=["replay", "ewc", "distill"],
)  # fmt: skip
def test_models_that_learnt_an_end_after_cut_answers_of_the_baseline_are_not_found_again(
    content, line, before
):
    assert content(line + "\n") != before


def test_names_and_words_are_no_part_of_it(content):
    assert content("about: Other words.\n", "other") == content()


NEWER = "masked_kl: {}\nstm: {}\nflow: {}\neaft: {}\ntalr: {}\nfinch: {}\nsdft: {}\n"


@pytest.mark.parametrize("line", (MITIGATED + NEWER).splitlines())
def test_every_mitigation_is_part_of_it(content, line):
    assert content(line + "\n") != content()


def test_every_mitigation_has_a_name_a_source_and_keys_of_its_own():
    assert len({mitigation.name for mitigation in MITIGATIONS}) == len(MITIGATIONS)
    assert all("20" in mitigation.published for mitigation in MITIGATIONS), "the year of a source"
    assert list(KEYS) == [
        "replay", "ewc", "l2_sp", "distill", "masked_kl", "stm", "flow", "eaft", "talr", "finch", "oplora", "sdft",
    ]  # fmt: skip
