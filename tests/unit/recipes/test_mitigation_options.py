"""The options of mitigations: what they take, and what is said at its place of anything else."""

from __future__ import annotations

import pytest

LORA = "{lora: {}}"


@pytest.mark.parametrize(
    ("key", "written", "said"),
    [
        ("stm", "{threshold: 1}", "recipe.yaml:8:18: 'threshold' must be more than 1, saw 1"),
        (
            "stm",
            "{ppl: 3}",
            "recipe.yaml:8:7: unknown key 'ppl' in stm\n  its name is 'threshold'; write: stm: {threshold: 3}",
        ),
        ("flow", "{temperature: 0}", "recipe.yaml:8:21: 'temperature' must be more than 0, saw 0"),
        ("eaft", "{top: 1}", "recipe.yaml:8:13: 'top' must be at least 2, saw 1"),
        ("eaft", "{power: .inf}", "recipe.yaml:8:15: 'power' must be a finite number, saw inf"),
        (
            "talr",
            "{least: 1.5}",
            "recipe.yaml:8:15: 'least' must be at most 1, saw 1.5\n  a fraction of 1: 0.1 means 10 %; write: talr: {least: 0.015}",
        ),
        (
            "masked_kl",
            "{weight: -1}",
            "recipe.yaml:8:21: 'weight' must be more than 0, saw -1\n  write: masked_kl: {weight: 1}",
        ),
        ("finch", "{smoothing: 1}", "recipe.yaml:8:20: 'smoothing' must be less than 1, saw 1"),
        (
            "sdft",
            "{divergence: both}",
            "recipe.yaml:8:20: 'divergence' must be forward or reverse, saw text 'both'",
        ),
        (
            "sdft",
            "{skip: -1}",
            "recipe.yaml:8:14: 'skip' must be at least 0, saw -1\n  write: sdft: {skip: 1}",
        ),
        ("oplora", "0", "recipe.yaml:8:9: 'oplora' must be at least 1, saw 0"),
        ("oplora", "{k: 3}", "recipe.yaml:8:9: 'oplora' must be a whole number, saw a mapping"),
    ],
)
def test_what_an_option_does_not_take(problems, key, written, said):
    assert problems(**{key: written}) == said


def test_the_words_of_other_tools(problems):
    assert problems(self_distillation="{}").startswith(
        "recipe.yaml:8:1: unknown key 'self_distillation' in a recipe\n  its name is 'sdft'; write: sdft: {}"
    )


@pytest.mark.parametrize("key", ["stm", "flow", "eaft", "talr", "masked_kl", "finch", "sdft"])
def test_every_option_has_a_default(recipe, key):
    assert getattr(recipe(**{key: "{}"}).written, key) is not None


def test_what_does_not_go_together_is_said_at_both_places(problems):
    said = problems(stm="{}", eaft="{}", sdft="{}", oplora="4")
    assert said.count("works on the corpus's answers, and under 'sdft'") == 2
    assert "recipe.yaml:8:1: 'stm' works" in said
    assert "recipe.yaml:11:1: 'oplora' needs 'method: {lora: ...}'" in said
