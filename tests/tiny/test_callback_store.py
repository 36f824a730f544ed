"""The baseline of a training is asked once for all trainings that begin with it, and anew whenever its answers could differ."""

from __future__ import annotations

import pytest
import torch

from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.loading import wrap
from harness.engine.transformers.memory import memory_content
from harness.store.database import Database
from harness.training.callback.callback import ForgettingCallback
from tests.support.trainings import adapted, loaded, rights, run


@pytest.fixture
def asked(monkeypatch):
    """The labels of the models that were asked, in order."""
    labels, stream = [], TorchEngine.stream
    monkeypatch.setattr(
        TorchEngine, "stream", lambda engine, *how: (labels.append(engine.label), stream(engine, *how))[1]
    )
    return labels


@pytest.fixture
def training(base, suite, tmp_path, asked):
    """A training with a store: what its baseline got right, and how often that was asked."""
    made = iter(range(9))

    def train(store=None, **how):
        before = asked.count("the baseline")
        callback = ForgettingCallback(
            [suite],
            every=2,
            stop_on=None,
            store=store or str(tmp_path / "a.db"),
            baseline=how.pop("baseline", None),
        )
        run(base, tmp_path / f"out{next(made)}", [callback], steps=2, **how)
        return (
            rights(callback),
            asked.count("the baseline") - before,
            [step.drop for step in callback.history],
        )

    return train


LORA = {"init_lora_weights": True}


@pytest.mark.parametrize("how", [{}, {"lora": LORA}, {"bf16": True}], ids=["full", "lora", "bfloat16"])
def test_the_second_training_asks_only_the_model_in_training(training, asked, how):
    first = training(**how)
    assert first[1] > 0
    asked.clear()
    assert training(**how) == (first[0], 0, first[2])
    assert set(asked) == {"the model in training"}


def test_another_adapter_on_the_same_base_has_the_same_baseline(training):
    training(lora=LORA)
    assert training(lora={**LORA, "lora_alpha": 3, "lora_dropout": 0.1})[1] == 0


def changed(base):
    model = loaded(base)[0]
    with torch.no_grad():
        model.lm_head.weight[0, 0] += 1e-3
    return model


def configured(base):
    model = loaded(base)[0]
    model.config.rms_norm_eps = 1e-2
    return model


def hooked(base):
    model = loaded(base)[0]
    model.model.norm.register_forward_hook(lambda module, given, output: output)
    return model


@pytest.mark.parametrize("make", [changed, configured, hooked])
def test_what_could_answer_otherwise_is_asked(training, base, make):
    training()
    assert training(model=make(base))[1] > 0


@pytest.mark.parametrize("how", [{"bf16": True}, {"store": "off"}], ids=["in another dtype", "no store"])
def test_another_way_of_training_is_asked(training, how):
    training()
    assert training(**how)[1] > 0


def test_code_of_other_packages_is_never_known(training, base):
    def foreign():
        return hooked(base)

    assert training(model=foreign())[1] > 0
    assert training(model=foreign())[1] > 0


def test_a_given_baseline_with_an_identity_is_asked_once(training, base):
    engine, prompts = wrap(*loaded(base), "given"), []

    class Given:
        label, kinds, identity = "given", engine.kinds, "the base of the tests"
        render = engine.render

        def ask(self, requests, progress=None):
            prompts.extend(requests)
            return engine.ask(requests)

    first = training(baseline=Given())
    once = len(prompts)
    assert once > 0
    assert training(baseline=Given()) == first
    assert len(prompts) == once


def test_it_says_what_the_store_holds(training, tmp_path):
    training()
    [model] = Database(tmp_path / "a.db").models()
    assert (model.name, model.answers) == ("base, before a training", 25)


def test_a_store_that_cannot_be_used_ends_no_training(training, tmp_path, caplog):
    (tmp_path / "a.db").write_text("no database" * 100)
    assert training()[1] > 0
    assert "answers are not stored: " in caplog.text


# What tells a model in memory


def test_a_function_that_somebody_put_in_the_place_of_transformers_own_is_not_known(base, monkeypatch):
    engine = wrap(*loaded(base))
    assert memory_content(engine, "w") is not None
    monkeypatch.setattr(
        "transformers.models.llama.modeling_llama.apply_rotary_pos_emb", lambda *all_: all_[:2]
    )
    assert memory_content(engine, "w") is None


def test_the_same_model_loaded_twice_is_the_same(base):
    first, second = (memory_content(wrap(*loaded(base)), "w") for _ in range(2))
    assert first == second is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda tokenizer: setattr(tokenizer, "chat_template", "{{ messages[0].content }}"),
        lambda tokenizer: tokenizer.add_tokens(["<new>"]),
    ],
)
def test_another_tokenizer_is_another_model(base, change):
    model, tokenizer = loaded(base)
    before = memory_content(wrap(model, tokenizer), "w")
    tokenizer("abcd", truncation=True, max_length=2)
    assert memory_content(wrap(model, tokenizer), "w") == before
    change(tokenizer)
    assert memory_content(wrap(model, tokenizer), "w") != before


def test_an_adapter_s_settings_tell_it_apart_where_it_acts(base):
    contents = []
    for alpha in (4, 8):
        model = adapted(loaded(base)[0], lora_alpha=alpha)
        engine = wrap(model, loaded(base)[1])
        contents.append([memory_content(engine, "w", adapter=acts) for acts in (True, False)])
    (on, off), (other, same) = contents
    assert on != other
    assert off == same
