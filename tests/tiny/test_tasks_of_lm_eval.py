"""Tasks of each output type, asked by lm-evaluation-harness and by this engine: equal items, one by one."""

from __future__ import annotations

import logging

import pytest
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer

from harness.engine.prompts import request
from harness.lm_eval.build import BUILT
from harness.lm_eval.results import metrics
from harness.scoring import score
from tests.support.engines import load_reference
from tests.support.models import save_model
from tests.support.task_files import TASKS, suite_of, write_tasks

lm_eval = pytest.importorskip("lm_eval", reason="lm-eval is not installed")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    return write_tasks(tmp_path_factory.mktemp("tasks"), documents=6)


@pytest.fixture(scope="module", params=["plain", "with a start token"])
def model(request, base, tmp_path_factory):
    """A model whose tokenizer puts nothing before a text, and one whose does."""
    if request.param == "plain":
        return base
    folder = save_model(tmp_path_factory.mktemp("models") / "start")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 0)]
    )
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def theirs(model):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.root.manager, "disable", logging.CRITICAL)
        from lm_eval.models.huggingface import HFLM

        yield HFLM(pretrained=str(model), dtype="float32", device="cpu", batch_size=2)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("chat", [False, True], ids=["text", "chat"])
@pytest.mark.parametrize("name", TASKS)
def test_each_item_is_judged_as_by_lm_eval(tasks, model, theirs, monkeypatch, name, chat):
    if chat and name == "rolling":
        pytest.skip("a likelihood is of a plain text")
    monkeypatch.chdir(tasks)
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(tasks), include_defaults=False)
    samples = lm_eval.simple_evaluate(
        theirs, tasks=[name], task_manager=manager, bootstrap_iters=0, apply_chat_template=chat
    )["samples"][name]
    suite = suite_of(tasks, f"{name}.yaml, chat: {str(chat).lower()}")
    answers = load_reference(str(model)).ask([request(suite, probe) for probe in suite.probes])
    built = BUILT[str(tasks / f"{name}.yaml")][name]
    assert len(samples) == len(answers) * len({sample["filter"] for sample in samples})
    for sample in samples:
        probe, answer = suite.probes[sample["doc_id"]], answers[sample["doc_id"]]
        if name == "rolling":
            assert answer.logprob == pytest.approx(sample["resps"][0][0], abs=1e-2)
            continue
        if name == "written":
            responses = [answer.text]
            assert answer.text == sample["resps"][0][0]
        else:
            responses = list(zip(answer.logprobs, answer.greedy, strict=True))
            there = [response for ((response, _),) in sample["resps"]]
            assert answer.logprobs == pytest.approx([float(value) for value in there], abs=1e-3)
        found = metrics(built, sample["doc_id"], responses, sample["filter"])
        assert {key: found[key] for key in sample["metrics"]} == pytest.approx(
            {key: sample[key] for key in sample["metrics"]}, abs=1e-3
        )
        if sample["filter"] == samples[0]["filter"]:
            assert score(probe, answer).right is bool(sample[probe.scorer.metric])
