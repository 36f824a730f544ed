"""Random-weight models of a few thousand parameters: for how the engine works, never for whether the job is done."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer, LlamaForCausalLM

from harness.engine.transformers.quiet import quiet
from tests.support.gating import Gate
from tests.support.kitchen import Kitchen
from tests.support.models import save_adapter, save_model
from tests.support.trainings import known_suite


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="session")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(tmp_path_factory.mktemp("models") / "adapter", base)


@pytest.fixture(scope="session")
def reference(base: Path):
    """The model and tokenizer as transformers gives them, for brute-force answers."""
    return LlamaForCausalLM.from_pretrained(base).eval(), AutoTokenizer.from_pretrained(base)


@pytest.fixture
def student(base: Path):
    """A LoRA adapter that changes nothing yet, in training mode; adapter and base have dropout."""
    torch.manual_seed(0)
    with quiet():
        return get_peft_model(
            LlamaForCausalLM.from_pretrained(base, attention_dropout=0.5),
            LoraConfig(r=2, lora_dropout=0.5, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"),
        ).train()


@pytest.fixture
def kitchen(tmp_path, base, monkeypatch):
    return Kitchen(tmp_path, base, monkeypatch)


@pytest.fixture
def gate(pytester: pytest.Pytester, base: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    return Gate(pytester, base)


@pytest.fixture(scope="session")
def suite(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a suite of which the base has all right."""
    return known_suite(base, tmp_path_factory.mktemp("suites"))
