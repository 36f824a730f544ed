"""docs/scores.md: each score and each key of a check has an example, and judges its replies as the page says."""

from __future__ import annotations

import re
import textwrap

import pytest

from harness.scoring import BUILT_IN
from harness.scoring.check import rule_keys
from harness.scoring.choice import Choice, Likelihood
from tools.docs.score_examples import CHECKS, EXAMPLES

WRITTEN = [name for name in EXAMPLES if BUILT_IN[name].judges == "generate"]


@pytest.fixture
def probe(read):
    """Reads a probe without its id."""

    def read_probe(yaml: str, task: str = ""):
        text = textwrap.indent(yaml, "    ")
        return read(f"suite: s\n{task}gates: [{{over: each}}]\nprobes:\n  - id: example\n{text}\n").probes[0]

    return read_probe


def test_every_score_has_an_example():
    assert set(EXAMPLES) == set(BUILT_IN)
    assert all(example.right and example.wrong for example in EXAMPLES.values())


@pytest.mark.parametrize("name", WRITTEN)
def test_a_score_judges_its_replies_as_the_page_says(probe, name):
    example = EXAMPLES[name]
    asked = probe(example.yaml)
    assert asked.scorer.name == name
    if asked.scorer.refusal():
        pytest.skip(asked.scorer.refusal())
    judged = {reply: asked.scorer.right(reply, asked.answers) for reply in (*example.right, *example.wrong)}
    assert judged == {reply: reply in example.right for reply in judged}


def test_the_likeliest_choice(probe):
    example = EXAMPLES["choice"]
    asked = probe(example.yaml, "task: {answer: choose}\n")
    assert isinstance(asked.scorer, Choice)
    for numbers in (*example.right, *example.wrong):
        chosen = asked.scorer.chosen(asked.choices, [float(number) for number in numbers.split(",")])
        assert (asked.choices[chosen] in asked.answers) == (numbers in example.right)


def test_a_text_that_stays_likely(probe):
    example = EXAMPLES["likelihood"]
    asked = probe(example.yaml, "task: {answer: likelihood, format: text}\n")
    assert isinstance(asked.scorer, Likelihood)
    for numbers in (*example.right, *example.wrong):
        before, after = map(float, re.findall(r"[\d.]+", numbers))
        assert asked.scorer.kept(after, before) == (numbers in example.right)


def test_every_key_of_a_check_has_an_example():
    assert [check.partition(":")[0] for check, _, _ in CHECKS] == rule_keys()


@pytest.mark.parametrize(("check", "right", "wrong"), CHECKS)
def test_a_check_judges_its_replies_as_the_page_says(probe, check, right, wrong):
    scorer = probe(f"question: q\nscore:\n  check: {{{check}}}").scorer
    assert scorer.right(right, ())
    assert not scorer.right(wrong, ())
