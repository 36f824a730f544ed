"""What a folder must hold for its answers to be those of the model that it claims to be: weights, tokenizer, turns."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import (
    BertConfig,
    BertLMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    LlamaModel,
    MixtralConfig,
    MixtralForCausalLM,
    OpenAIGPTConfig,
    OpenAIGPTLMHeadModel,
)

from harness.engine.requests import Chat, Generate, Message, MultipleChoice, Plain, RollingLogLikelihood
from harness.engine.settings import Settings
from harness.engine.transformers.config import context_length
from harness.engine.transformers.loading import load_pair, wrap
from harness.engine.transformers.quiet import quiet
from harness.errors import EngineError, ModelError
from harness.models.reference import find_pair
from tests.support.engines import load_reference
from tests.support.models import (
    TEMPLATE,
    appends_end,
    begins,
    change_tensors,
    change_tokenizer,
    loud,
    resaved,
    save_tokenizer,
)

TEXTS = ("hello", "what is this?", "abc")
CHATS = [Generate(Chat((Message("user", text),)), 8) for text in TEXTS]
PLAIN = [Generate(Plain(text), 8) for text in TEXTS]
CHOICES = [MultipleChoice(Plain(text), (" three", " four")) for text in TEXTS]
MEASURES = [RollingLogLikelihood("The quick brown fox jumps."), RollingLogLikelihood("over the lazy dog")]


@pytest.fixture
def copy(base: Path, tmp_path: Path) -> Path:
    """The base again, in a folder of its own."""
    return Path(shutil.copytree(base, tmp_path / "copy"))


def change_config(folder: Path, **changes) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder


# Tensors that nobody reads


@pytest.mark.parametrize(
    ("change", "first"),
    [
        (lambda t: {**t, "model.layers.0.self_attn.q_proj.lora_A.weight": torch.ones(2, 32)}, "lora_A"),
        (lambda t: {**t, "model.layers.7.mlp.up_proj.weight": torch.ones(64, 32)}, "model.layers.7.mlp"),
        (lambda t: {**t, "score.weight": torch.ones(1, 32)}, "score.weight"),
        (lambda t: {**t, "v_head.summary.weight": torch.ones(1, 32)}, "v_head.summary.weight"),
    ],
    ids=["LoRA keys", "a layer beyond", "a reward head", "a value head"],
)
def test_a_tensor_that_the_model_does_not_read_is_named(copy, change, first):
    change_tensors(copy, change)
    with pytest.raises(ModelError, match=f"1 tensors of its file have no place in the model .*{first}"):
        load_reference(str(copy))


def test_a_config_with_fewer_layers_than_the_file_is_refused(copy):
    change_config(copy, num_hidden_layers=1)
    with pytest.raises(ModelError, match=r"have no place in the model .* 'model\.layers\.1\."):
        load_reference(str(copy))


def test_a_prefix_of_a_wrapper_is_refused(copy):
    change_tensors(copy, lambda tensors: {f"module.{name}": value for name, value in tensors.items()})
    with pytest.raises(ModelError, match=r"incomplete|have no place in the model"):
        load_reference(str(copy))


def test_tensors_that_the_class_lists_as_ignorable_are_no_error(copy):
    change_tensors(copy, lambda t: {**t, "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)})
    assert load_reference(str(copy)).ask(CHATS)


# Numbers that are none


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("requests", [CHATS, CHOICES, MEASURES], ids=["generate", "choose", "likelihood"])
def test_logits_that_are_not_finite_are_no_evidence(copy, value, requests):
    def damage(tensors):
        tensors["lm_head.weight"][9] = value
        return tensors

    engine = load_reference(str(change_tensors(copy, damage)))
    with pytest.raises(EngineError, match="its logits are NaN or infinite in float32") as caught:
        engine.ask(requests)
    assert caught.value.request in requests


def test_an_overflow_of_float16_names_the_dtype(copy):
    def large(tensors):
        return {name: value * (3e4 if name == "lm_head.weight" else 1) for name, value in tensors.items()}

    engine = load_reference(str(change_tensors(copy, large)), Settings(dtype="float16"))
    with pytest.raises(EngineError, match="infinite in float16.*\n.*try dtype='float32'"):
        engine.ask(CHATS)
    assert load_reference(str(copy)).ask(CHATS)


# The same model twice


@pytest.mark.parametrize(
    "arguments",
    [{}, {"max_shard_size": "20KB"}, {"dtype": torch.bfloat16}, {"dtype": torch.float16}],
    ids=["again", "in shards", "bfloat16", "float16"],
)
def test_the_base_saved_again_is_not_a_tuned_model(base, tmp_path, arguments):
    pair = find_pair(str(resaved(base, tmp_path / "tuned", **arguments)), str(base))
    with pytest.raises(EngineError, match="are those of the baseline.* nothing was tuned"):
        load_pair(pair)
    assert load_pair(pair, Settings(allow_conversion=True)).tuned.ask(CHATS)


def test_tokens_that_were_added_and_never_trained_tune_nothing(base, tmp_path):
    with quiet():
        model = LlamaForCausalLM.from_pretrained(base)
        model.resize_token_embeddings(272)
        model.save_pretrained(tmp_path / "tuned")
    save_tokenizer(tmp_path / "tuned")
    with pytest.raises(EngineError, match="nothing was tuned"):
        load_pair(find_pair(str(tmp_path / "tuned"), str(base)))
    change_tensors(tmp_path / "tuned", lambda t: {**t, "lm_head.weight": t["lm_head.weight"] * 1.01})
    assert load_pair(find_pair(str(tmp_path / "tuned"), str(base))).tuned.ask(CHATS)


def test_a_merged_adapter_is_a_tuned_model(base, adapter, tmp_path):
    with quiet():
        model = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base), str(adapter))
        model.merge_and_unload().save_pretrained(tmp_path / "merged")
    save_tokenizer(tmp_path / "merged")
    pair = load_pair(find_pair(str(tmp_path / "merged"), str(base)))
    assert pair.tuned.ask(CHATS) == load_reference(str(adapter)).ask(CHATS)


def test_one_adapter_copied_is_not_two(base, adapter, tmp_path):
    shutil.copytree(adapter, tmp_path / "copy")
    with pytest.raises(EngineError, match="nothing was tuned"):
        load_pair(find_pair(str(adapter), str(tmp_path / "copy")))
    file = tmp_path / "copy" / "adapter_config.json"  # scaled, as by another alpha, it is another
    file.write_text(json.dumps({**json.loads(file.read_text()), "lora_alpha": 2}))
    pair = load_pair(find_pair(str(adapter), str(tmp_path / "copy")))
    assert pair.baseline.ask(CHATS) != pair.tuned.ask(CHATS)


def test_a_model_is_held_against_itself_by_its_own_word(base):
    pair = load_pair(find_pair(str(base), "same"))
    assert pair.baseline is pair.tuned
    assert "compared with itself" in pair.notes[0]


# No causal language model


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", [LlamaForSequenceClassification, LlamaModel])
def test_another_kind_of_model_is_refused(tmp_path, kind, tied):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=261, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        tie_word_embeddings=tied, pad_token_id=0, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    kind(config).save_pretrained(tmp_path / "m")
    save_tokenizer(tmp_path / "m")
    with pytest.raises(
        ModelError, match=f"{kind.__name__}, by its config.json, is not a causal language model"
    ):
        load_reference(str(tmp_path / "m"))


def test_an_encoder_is_refused(tmp_path):
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=261, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        initializer_range=0.4,
    )  # fmt: skip
    BertLMHeadModel(config).save_pretrained(tmp_path / "m")
    save_tokenizer(tmp_path / "m")
    with pytest.raises(ModelError, match="its logits at a token depend on later tokens"):
        load_reference(str(tmp_path / "m"))
    config.is_decoder = True
    BertLMHeadModel(config).save_pretrained(tmp_path / "m")
    assert load_reference(str(tmp_path / "m")).ask(MEASURES)


# What ends a turn

CHATML = (
    "{% for m in messages %}<user>{{ m['content'] }}<system>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
"""Its turns end with <system>, which is no end of text."""


def test_the_letter_is_where_the_model_thinks_it_is(reference):
    assert reference[1]("x", add_special_tokens=False).input_ids == [92]


@pytest.mark.parametrize(
    ("token", "template", "text", "ended"),
    [
        (4, CHATML, "x", "turn"),  # <system>: what the template puts after a turn
        (1, CHATML, "x", "turn"),  # <end>: the tokenizer's own
        (2, CHATML, "xxxx", "limit"),  # <user>: neither
        (4, TEMPLATE, "xxxx", "limit"),
    ],
)
def test_what_the_template_puts_after_a_turn_ends_an_answer(copy, token, template, text, ended):
    save_tokenizer(loud(copy, token), template)
    answer = load_reference(str(copy)).ask([Generate(Chat((Message("user", "q"),)), 8)])[0]
    assert (answer.text, answer.ended) == (text, ended)


def test_text_that_a_template_puts_after_a_turn_ends_an_answer_too(copy):
    save_tokenizer(
        loud(copy, 92 + 1),
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}yx\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}",
    )
    answer = load_reference(str(copy)).ask([Generate(Chat((Message("user", "q"),)), 8)])[0]
    assert (answer.text, answer.ended) == ("x", "turn")


@pytest.mark.parametrize("stop", ["<user>", "<system>"])
def test_a_stop_that_is_a_special_token_is_matched_by_its_number(copy, stop):
    folder = loud(copy, {"<user>": 2, "<system>": 4}[stop])
    engine = load_reference(str(folder))
    (cut,) = engine.ask([Generate(Plain("q"), 8, (stop,))])
    assert (cut.text, cut.ended) == ("x", "stop")
    (whole,) = engine.ask([Generate(Plain("q"), 8)])
    assert (whole.text, whole.ended) == ("xxxx", "limit")


# Templates


def test_a_template_that_drops_what_is_asked_is_no_evidence(copy):
    save_tokenizer(copy, "{% for m in messages %}<{{ m['role'] }}><end>{% endfor %}<assistant>")
    with pytest.raises(
        EngineError, match="two different prompts, 'hello' and 'what is this\\?', both become"
    ):
        load_reference(str(copy)).ask(CHATS)


def test_a_single_question_that_the_template_drops_is_no_evidence(copy):
    save_tokenizer(copy, "{% for m in messages %}<{{ m['role'] }}>An example.<end>{% endfor %}<assistant>")
    with pytest.raises(EngineError, match="drops every question: 'hello' becomes"):
        load_reference(str(copy)).ask(CHATS[:1])


def test_a_template_that_drops_it_now_and_then_is_found_too(copy):
    save_tokenizer(copy, "{% for m in messages %}{{ m['content'][:2] }}{% endfor %}<assistant>")
    asked = [Generate(Chat((Message("user", text),)), 8) for text in ("abc", "xyz", "ab!")]
    with pytest.raises(
        EngineError, match="drops what is asked: two different prompts, 'abc' and 'ab!', both"
    ):
        load_reference(str(copy)).ask(asked)


def test_todays_date_in_a_template_is_the_same_on_any_day(copy):
    save_tokenizer(copy, "{{ strftime_now('%d %b %Y') }} {{ messages[-1]['content'] }}<assistant>")
    pair = load_pair(find_pair(str(copy), "same"))
    assert pair.tuned.render(CHATS[0].prompt) == "01 Jan 2026 hello<assistant>"
    assert any("inserts today's date; it is shown 1 January 2026" in note for note in pair.notes)


# Tokenizers


def test_a_model_without_a_tokenizer_is_refused_unless_it_speaks_through_the_other(base, copy):
    for file in copy.glob("token*"):
        file.unlink()
    (copy / "chat_template.jinja").unlink()
    change_tensors(copy, lambda t: {**t, "lm_head.weight": t["lm_head.weight"] * 1.5 + 0.1})
    pair = find_pair(str(copy), str(base))
    with pytest.raises(ModelError, match=r"no tokenizer in .*\n.*template='baseline'"):
        load_pair(pair)
    loaded = load_pair(pair, Settings(template="baseline"))
    assert loaded.tuned.ask(CHATS)
    (copy / "tokenizer_config.json").write_text("{}")  # holds no vocabulary
    with pytest.raises(ModelError, match="no tokenizer in"):
        load_pair(pair)


def test_a_tokenizer_that_cannot_read_the_prompts_is_refused(copy):
    def emptied(text: str) -> str:
        data = json.loads(text)
        data["model"]["vocab"] = {t: i for t, i in data["model"]["vocab"].items() if i < 40}
        return json.dumps(data)

    file = copy / "tokenizer.json"
    file.write_text(emptied(file.read_text()))
    with pytest.raises((EngineError, ModelError), match="loses text|is empty"):
        load_reference(str(copy)).ask(PLAIN)


@pytest.mark.parametrize("requests", [PLAIN, CHATS, CHOICES, MEASURES])
def test_an_end_of_text_that_a_tokenizer_appends_is_in_no_prompt(copy, tmp_path, requests):
    shutil.copytree(copy, tmp_path / "begins")
    change_tokenizer(tmp_path / "begins", begins)
    change_tokenizer(copy, appends_end)
    ends, plain = load_reference(str(copy)), load_reference(str(tmp_path / "begins"))
    assert [ends.request_tokens(one) for one in requests] == [plain.request_tokens(one) for one in requests]
    assert ends.ask(requests) == plain.ask(requests)


def test_truncation_and_padding_of_a_tokenizers_file_do_nothing(base, copy):
    file = copy / "tokenizer.json"
    data = json.loads(file.read_text())
    data["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    data["padding"] = {
        "strategy": {"Fixed": 64}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 1,
        "pad_type_id": 0, "pad_token": "<end>",
    }  # fmt: skip
    file.write_text(json.dumps(data))
    asked = [*CHATS, *PLAIN, *CHOICES, *MEASURES]
    assert load_reference(str(copy)).ask(asked) == load_reference(str(base)).ask(asked)


def test_a_token_that_the_model_has_no_embedding_for_is_an_error(copy):
    change_tokenizer(copy, lambda tokenizer: tokenizer.add_tokens(["hello"]))
    with pytest.raises(
        EngineError, match=r"makes the token 261 \('hello'\), but the model has embeddings for 261"
    ):
        load_reference(str(copy)).ask(CHATS)


def test_one_template_brings_its_tokenizer_along(base, copy):
    change_tokenizer(copy, begins)
    change_tensors(copy, lambda t: {**t, "lm_head.weight": t["lm_head.weight"] * 1.5 + 0.1})
    pair = find_pair(str(copy), str(base))
    own = load_pair(pair)
    assert own.baseline.request_tokens(MEASURES[0]) == own.tuned.request_tokens(
        MEASURES[0]
    )  # both begin with <s>
    assert own.baseline.request_tokens(PLAIN[0]) != own.tuned.request_tokens(PLAIN[0])
    for side, first in (("baseline", False), ("tuned", True)):
        loaded = load_pair(pair, Settings(template=side))
        tokens = [engine.request_tokens(PLAIN[0]) for engine in (loaded.baseline, loaded.tuned)]
        assert tokens[0] == tokens[1]
        assert (tokens[0][0][0] == 0) is first


def test_two_tokenizers_that_number_differently_cannot_share_one(base, copy):
    file = copy / "tokenizer.json"
    data = json.loads(file.read_text())
    vocabulary = data["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    file.write_text(json.dumps(data))
    change_tensors(copy, lambda t: {**t, "lm_head.weight": t["lm_head.weight"] * 1.5 + 0.1})
    pair = find_pair(str(copy), str(base))
    load_pair(pair)
    with pytest.raises(ModelError, match="template='baseline': .* number their tokens differently"):
        load_pair(pair, Settings(template="baseline"))


# Lengths


@pytest.mark.parametrize(
    ("rope", "length"),
    [
        (None, 256),
        ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 256}, 1024),
        ({"rope_type": "linear", "factor": 2.0}, 512),
        ({"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 16, "low_freq_factor": 1.0,
          "high_freq_factor": 4.0}, 256),
    ],
)  # fmt: skip
def test_a_scaled_context_counts_with_its_factor(copy, rope, length):
    if rope:
        change_config(copy, rope_parameters={"rope_theta": 10000.0, **rope})
    engine = load_reference(str(copy))
    assert engine.context == context_length(engine.model.config) == length
    engine.ask([Generate(Plain("a" * (length - 8)), 8)])
    with pytest.raises(EngineError, match=f"take {length + 1} tokens, and the model reads {length}"):
        engine.ask([Generate(Plain("a" * (length - 7)), 8)])


def test_why_an_answer_ends_is_known(reference, copy):
    engine = wrap(*reference)
    assert {answer.ended for answer in engine.ask(CHATS)} <= {"turn", "limit"}
    assert engine.ask(MEASURES)[0].vocabulary == 261


def test_a_model_without_a_cache_answers_as_it_computes(tmp_path):
    """The first GPT keeps nothing of what it has read."""
    torch.manual_seed(0)
    config = OpenAIGPTConfig(
        vocab_size=261, n_embd=32, n_layer=2, n_head=4, n_positions=128, initializer_range=0.4
    )
    OpenAIGPTLMHeadModel(config).save_pretrained(tmp_path / "m")
    save_tokenizer(tmp_path / "m")
    engine = load_reference(str(tmp_path / "m"))
    assert engine.kind != "branching"
    for request, answer in zip(PLAIN, engine.ask(PLAIN), strict=True):
        tokens = engine.tokens(request.prompt)
        for _ in range(answer.tokens):
            tokens = [*tokens, int(engine.model(input_ids=torch.tensor([tokens])).logits[0, -1].argmax())]
        assert answer.text == engine.tokenizer.decode(tokens[-answer.tokens :], skip_special_tokens=True)


def test_a_config_by_which_nothing_can_be_computed_is_an_error_without_a_traceback(tmp_path):
    torch.manual_seed(0)
    config = MixtralConfig(
        vocab_size=261, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=2, num_experts_per_tok=4, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    MixtralForCausalLM(config).save_pretrained(tmp_path / "m")
    save_tokenizer(tmp_path / "m")
    with pytest.raises(ModelError, match=r"loads, but cannot compute: .*\n  does its config.json belong"):
        load_reference(str(tmp_path / "m"))
