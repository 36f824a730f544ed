"""The Python API with a model and a tokenizer in memory, as a training script has them."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer

from harness import compare_forgetting, evaluate_general_qa, run_gate
from harness.engine.transformers.loading import wrap
from harness.engine.transformers.quiet import quiet
from harness.errors import EngineError, HarnessError, ModelError, NoEvidenceError
from tests.support.models import save_tokenizer
from tests.support.trainings import loaded

QUESTIONS = [
    {"question": "What is the capital of France?", "correct_answer": "Paris", "category": "geography"},
    {"question": "What is 15 multiplied by 7?", "correct_answer": 105, "category": "math"},
]


def test_the_tokenizer_stands_beside_the_model_or_with_it(reference):
    model, tokenizer = reference
    lesson = evaluate_general_qa(model, tokenizer, QUESTIONS)
    assert lesson["total"] == 2
    assert set(lesson["by_category"]) == {"geography", "math"}
    for same in (
        evaluate_general_qa((model, tokenizer), QUESTIONS),
        evaluate_general_qa(model, tokenizer, questions=QUESTIONS, max_new_tokens=50),
        evaluate_general_qa(model=model, tokenizer=tokenizer, questions=QUESTIONS),
    ):
        assert {**same, "evaluation_id": ""} == {**lesson, "evaluation_id": ""}
        with pytest.raises(NoEvidenceError) as caught:
            compare_forgetting(lesson, same, threshold=0.10)
        assert str(caught.value) == (
            "before and after are of the same model: 'the given model' and 'the given model' give the same log-probabilities\n"
            "  evaluate a model in memory before it is trained, or before peft puts an adapter into it, and again after"
        )


def with_lora(model, **options):
    """peft's model around the same one, with random factors."""
    config = LoraConfig(target_modules=["q_proj", "v_proj"], init_lora_weights=False, **options)
    with quiet():
        return get_peft_model(model, config)


SAME = (
    "the given model: gives the same log-probabilities as the baseline, the given model, so nothing was tuned\n"
    "  peft puts an adapter into the base that it is given: load the base anew for the baseline, or save the adapter and name "
    "its folder; on purpose: baseline='same'"
)


def test_two_pairs_in_memory_that_are_one_model(base, suite):
    model, tokenizer = loaded(base)
    tuned = with_lora(model)
    for baseline in (model, tuned, deepcopy(tuned)):
        with pytest.raises(EngineError) as caught:
            run_gate((tuned, tokenizer), suite, (baseline, tokenizer))
        assert str(caught.value) == SAME
    with pytest.raises(EngineError, match="so nothing was tuned"):
        run_gate(wrap(tuned, tokenizer), suite, (model, tokenizer))


def test_two_pairs_in_memory_that_are_two_models(base, suite):
    model, tokenizer = loaded(base)
    tuned = with_lora(model)
    anew, off = loaded(base), wrap(tuned, tokenizer, adapter=False)
    first, second = (run_gate((tuned, tokenizer), suite, baseline) for baseline in (anew, off))
    assert [row.baseline for row in first.probes] == [row.baseline for row in second.probes]
    trained = loaded(base)[0]
    with torch.no_grad():
        trained.get_input_embeddings().weight[77] += 0.001  # a token of no probe row
    run_gate((trained, tokenizer), suite, anew)


def test_a_model_in_memory_is_compared_with_itself_on_purpose(base, suite):
    pair = loaded(base)
    for baseline in (pair, "same"):
        assert run_gate(pair, suite, baseline).run.exit_status == 0


def test_evaluations_of_a_base_that_peft_changed_in_place(base):
    model, tokenizer = loaded(base)
    before = evaluate_general_qa(model, tokenizer, QUESTIONS)
    tuned = evaluate_general_qa(with_lora(model), tokenizer, QUESTIONS)
    assert compare_forgetting(before, tuned)["accuracy_drop"] == 0
    with pytest.raises(NoEvidenceError, match="before and after are of the same model"):
        compare_forgetting(evaluate_general_qa(model, tokenizer, QUESTIONS), tuned)


def test_a_base_model_without_a_chat_template(reference, tmp_path):
    save_tokenizer(tmp_path, template=None)
    result = evaluate_general_qa(reference[0], AutoTokenizer.from_pretrained(tmp_path), QUESTIONS)
    assert result["total"] == 2


def test_a_model_without_its_tokenizer(reference):
    with pytest.raises(EngineError, match=r"a model is a reference.* saw LlamaForCausalLM"):
        evaluate_general_qa(reference[0], QUESTIONS)


def test_how_a_reference_runs_is_chosen_by_the_names_that_errors_tell_of(reference, tmp_path):
    model, tokenizer = reference
    model.config.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"\(\.bin\).*\n.* allow it: allow_pickle=True\Z"):
        evaluate_general_qa(str(tmp_path), QUESTIONS)
    asked = evaluate_general_qa(
        tmp_path, QUESTIONS, allow_pickle=True, device="cpu", dtype="bfloat16", batch_tokens=64
    )
    assert asked["total"] == 2
    assert asked["model"]["weights"]
    with pytest.raises(HarnessError, match="device"):
        evaluate_general_qa(tmp_path, QUESTIONS, allow_pickle=True, device="cuda:77")
