"""The Python API with a model and a tokenizer in memory, as a training script has them."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoTokenizer

from harness import compare_forgetting, evaluate_general_qa
from harness.errors import EngineError, HarnessError, ModelError
from tests.support.models import save_tokenizer

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
        assert compare_forgetting(lesson, same, threshold=0.10)["accuracy_drop"] == 0


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
