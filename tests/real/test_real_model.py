"""The job on the real model: nothing is lost where nothing was changed, and more is lost the more was changed."""

from __future__ import annotations

from dataclasses import replace

import torch

from harness.engine.prompts import request
from harness.gate.compare import compare
from harness.gate.compare import pair as pair_scores
from harness.gate.verdict import judge
from harness.scoring import score
from tests.support.ways import SUITES, check_ways, requests_of


def ask(engine, suite):
    """Scores of the answers, of which a third of the suite's length is enough to have named the fact."""
    answers = engine.ask([replace(request(suite, probe), max_new_tokens=20) for probe in suite.probes])
    return {probe.id: score(probe, answer) for probe, answer in zip(suite.probes, answers, strict=True)}


def test_the_baseline_drops_nothing_against_itself_whatever_the_batch(baseline, general_qa):
    budget = baseline.budget
    before = budget.tokens
    try:
        budget.tokens = 700
        small = ask(baseline, general_qa)
        budget.tokens = 6000
        large = ask(baseline, general_qa)
    finally:
        budget.tokens = before
    assert {id: one.shown for id, one in small.items()} == {id: one.shown for id, one in large.items()}
    comparison = compare(pair_scores(general_qa.probes, small, large))
    assert (comparison.lost, comparison.gained, comparison.drop) == (0, 0, 0.0)
    assert comparison.baseline_accuracy > 0.4, "the real model knows most of these"
    assert judge(comparison, 0.10) == "RETAINED"


def test_an_adapter_forgets_more_the_more_of_it_there_is(pair, general_qa):
    before = ask(pair.baseline, general_qa)
    tensors = {n: v.clone() for n, v in pair.tuned.model.named_parameters() if "lora_B" in n}
    accuracy = {}
    try:
        for factor in (1.0, 0.5, 0.0):
            with torch.no_grad():
                for name, value in pair.tuned.model.named_parameters():
                    if name in tensors:
                        value.copy_(tensors[name] * factor)
            accuracy[factor] = compare(pair_scores(general_qa.probes, before, ask(pair.tuned, general_qa)))
    finally:
        with torch.no_grad():
            for name, value in pair.tuned.model.named_parameters():
                if name in tensors:
                    value.copy_(tensors[name])
    assert accuracy[0.0].drop == 0
    assert accuracy[0.0].lost == accuracy[0.0].gained == 0
    assert accuracy[0.0].drop < accuracy[0.5].drop <= accuracy[1.0].drop
    assert judge(accuracy[1.0], 0.10) == "FORGOTTEN"


def test_training_left_every_base_tensor_as_it_was(pair):
    from transformers import AutoModelForCausalLM

    from harness.models.embedded import embedded_folder

    fresh = AutoModelForCausalLM.from_pretrained(embedded_folder(), dtype=torch.float32).state_dict()
    trained = {
        name.removeprefix("base_model.model.").replace(".base_layer", ""): value
        for name, value in pair.tuned.model.state_dict().items()
        if "lora_" not in name
    }
    assert trained.keys() == fresh.keys()
    assert all(torch.equal(trained[name], value) for name, value in fresh.items())


def test_branching_answers_as_single_rows_do(pair):
    for path in SUITES:
        check_ways(pair.tuned, requests_of(path, 60, most=8))
