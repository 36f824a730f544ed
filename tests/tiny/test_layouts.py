"""The folders that trainers leave behind: what a reference to them finds, or what it says instead.

Trainer and peft write theirs here; of TRL, Unsloth, axolotl, LLaMA-Factory and mergekit, the files and the cards are those
that their savers write.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertModel,
    LlamaForCausalLM,
    Trainer,
    TrainingArguments,
)

from harness.engine.requests import Chat, Generate, Message, Plain
from harness.engine.transformers.loading import load_pair
from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError
from harness.models.allowed import Allowed
from harness.models.files import COPY
from harness.models.reference import Adapter, FullModel, find_pair
from harness.spelling import on_command_line
from tests.support.models import moved, save_tokenizer

ASK = [Generate(Chat((Message("user", text),)), 4) for text in ("hello", "what is this?")]

TRL = """---
library_name: transformers
model_name: trl
tags:
- generated_from_trainer
- sft
- trl
licence: license
---

# Model Card for trl

This model is a fine-tuned version of [None](https://huggingface.co/None).
"""
"""Of a base in a folder, TRL names none."""

LLAMA_FACTORY = """---
library_name: transformers
license: other
base_model: base
tags:
- llama-factory
- full
- generated_from_trainer
model-index:
- name: tuned
  results: []
---

# tuned
"""

UNSLOTH = """---
base_model: base
tags:
- text-generation-inference
- transformers
- unsloth
- llama
- trl
license: apache-2.0
language:
- en
---

# Uploaded finetuned model
"""

AXOLOTL = """---
library_name: peft
tags:
- axolotl
- base_model:adapter:base
- lora
- transformers
datasets:
- mhenrichsen/alpaca_2k_test
base_model: base
pipeline_tag: text-generation
model-index:
- name: axolotl
  results: []
---

<details><summary>See axolotl config</summary>

axolotl version: `0.19.0`
```yaml
base_model: another
adapter: lora
```

</details><br>
"""

MERGED = """---
base_model: {bases}
library_name: transformers
tags:
- mergekit
- merge

---
# merged

This is a merge of pre-trained language models created using [mergekit](https://github.com/cg123/mergekit).
"""


class Rows(torch.utils.data.Dataset):
    """A few rows of tokens to train on."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, number: int) -> dict[str, list[int]]:
        row = [2, 70 + number, 71, 1, 3, 80, 1]
        return {"input_ids": row, "attention_mask": [1] * len(row), "labels": row}


def collated(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    return {key: torch.tensor([row[key] for row in rows]) for key in rows[0]}


def model() -> Any:
    with quiet():
        return LlamaForCausalLM.from_pretrained("base")


def lora(**changes: Any) -> Any:
    config = {"r": 4, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", **changes}
    with quiet():
        return get_peft_model(model(), LoraConfig(**config))


def run(trained: Any, folder: str) -> None:
    """Train with the Trainer of transformers, which saves twice on its way and at its end."""
    arguments = TrainingArguments(
        output_dir=folder, max_steps=4, save_steps=2, learning_rate=1e-2, per_device_train_batch_size=2,
        report_to=[], use_cpu=True, disable_tqdm=True, logging_strategy="no",
    )  # fmt: skip
    trainer = Trainer(
        trained,
        arguments,
        train_dataset=Rows(),
        processing_class=AutoTokenizer.from_pretrained("base"),
        data_collator=collated,
    )
    with quiet():
        trainer.train()
        trainer.save_model()
        trainer.save_state()


def copied(source: str, folder: str, *without: str, **texts: str) -> Path:
    """A copy of a folder without some of its files, and with texts, whose names have `__` for a dot."""
    made = Path(shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*without)))
    for name, text in texts.items():
        (made / name.replace("__", ".")).write_text(text)
    return made


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\x80")


def changed(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def trainer() -> None:
    run(model(), "full")
    run(lora(), "lora")
    (copied("full", "checkpoints") / "x").mkdir()
    for file in [path for path in Path("checkpoints").iterdir() if path.is_file()]:
        file.unlink()
    copied("full", "unsaved", "model.safetensors", "checkpoint-*")
    copied("lora", "unsaved_lora", "adapter_model.safetensors", "checkpoint-*")
    copied("lora", "lost_lora", "adapter_model.safetensors")
    touch(copied("full", "fsdp", "model.safetensors", "checkpoint-*"), "pytorch_model_fsdp_0/__0_0.distcp")
    touch(copied("full", "fsdp_whole", "model.safetensors", "checkpoint-*"), "pytorch_model_fsdp.bin")
    touch(
        copied("full", "deepspeed", "model.safetensors", "checkpoint-*", latest="global_step4"),
        "global_step4/mp_rank_00_model_states.pt",
        "zero_to_fp32.py",
    )
    pickled = copied("lora", "pickled", "checkpoint-*")
    torch.save(load_file(pickled / "adapter_model.safetensors"), pickled / "adapter_model.bin")
    (pickled / "adapter_model.safetensors").unlink()


def of_peft() -> None:
    with quiet():
        two = moved(lora())
        two.add_adapter("second", LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
        two.set_adapter("second")
        moved(two).save_pretrained("two_adapters")
        config = LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM")
        moved(get_peft_model(model(), config, adapter_name="mine")).save_pretrained("named")
        merged = PeftModel.from_pretrained(model(), "lora").merge_and_unload()
        merged.save_pretrained("merged")
        save_tokenizer(Path("merged"))
        merged.save_pretrained("sharded", max_shard_size="20KB")
        save_tokenizer(Path("sharded"))


def trl() -> None:
    copied("full", "trl", README__md=TRL)
    copied("lora", "trl_lora")
    shutil.copytree("two_adapters/second", copied("lora", "trl_dpo", "checkpoint-*") / "ref")
    # clone_chat_template: new tokens, the head saved with them.
    with quiet():
        grown = model()
        grown.resize_token_embeddings(264)
        config = LoraConfig(
            r=4, target_modules=["q_proj"], task_type="CAUSAL_LM", modules_to_save=["lm_head"],
            trainable_token_indices={"embed_tokens": [261, 262, 263]},
        )  # fmt: skip
        moved(get_peft_model(grown, config)).save_pretrained("trl_template")
        tokenizer = AutoTokenizer.from_pretrained("base")
        tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>", "<|pad|>"]})
        tokenizer.chat_template = "{% for m in messages %}<|im_start|>{{ m['role'] }} {{ m['content'] }}<|im_end|>{% endfor %}<|im_start|>assistant "
        tokenizer.save_pretrained("trl_template")
    # A policy with a value head.
    policy = copied("full", "trl_ppo", "checkpoint-*")
    tensors = {**load_file(policy / "model.safetensors"), "v_head.summary.weight": torch.ones(1, 32)}
    save_file(tensors, policy / "model.safetensors", metadata={"format": "pt"})


def unsloth() -> None:
    adapted = copied("lora", "unsloth", "checkpoint-*", README__md=UNSLOTH)
    changed(adapted / "adapter_config.json", base_model_name_or_path="unsloth/smollm2-135m-instruct-bnb-4bit")
    copied("merged", "unsloth_merged", README__md=UNSLOTH)
    both = copied("merged", "unsloth_both", README__md=UNSLOTH)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(f"lora/{name}", both)
    copied("unsloth_both", "unsloth_config", "adapter_model.safetensors")
    touch(Path("unsloth_gguf"), "smollm2-135m-instruct.Q4_K_M.gguf", "Modelfile")
    touch(copied("merged", "unsloth_gguf_too", "model.safetensors"), "smollm2-135m-instruct.Q4_K_M.gguf")


def axolotl() -> None:
    adapted = copied("lora", "axolotl", README__md=AXOLOTL, debug__log="", tokens_state__json='{"total": 1}')
    shutil.copytree("merged", adapted / "merged")


def llama_factory() -> None:
    results = {"all_results__json": "{}", "train_results__json": "{}", "trainer_log__jsonl": "{}\n"}
    card = LLAMA_FACTORY.replace("- full", "- base_model:adapter:base\n- lora").replace(
        "transformers", "peft"
    )
    touch(copied("lora", "factory_lora", README__md=card, **results), "training_loss.png")
    touch(copied("full", "factory", README__md=LLAMA_FACTORY, **results), "training_loss.png")
    copied(
        "merged", "factory_export", Modelfile="# ollama modelfile auto-generated by llamafactory\n\nFROM .\n"
    )


def mergekit() -> None:
    config = "base_model: base\nmerge_method: ties\nmodels:\n- model: org/one\n- model: org/two\n"
    copied(
        "merged",
        "mergekit",
        README__md=MERGED.format(bases="\n- org/one\n- org/two"),
        mergekit_config__yml=config,
    )
    copied("merged", "mergekit_local", README__md=MERGED.format(bases="[]"), mergekit_config__yml=config)
    copied("merged", "mergekit_one", README__md=MERGED.format(bases="\n- base"), mergekit_config__yml=config)
    card = MERGED.format(bases="\n- base\n- org/one").replace("transformers\n", "peft\n")
    copied("lora", "mergekit_lora", "checkpoint-*", README__md=card)


def others() -> None:
    touch(Path(), "model.gguf", "model.zip")
    shutil.copytree("merged", "models--org--tuned/snapshots/0123456789abcdef")
    changed(copied("merged", "awq") / "config.json", quantization_config={"quant_method": "awq", "bits": 4})
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=261, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4
    )
    BertModel(config).save_pretrained("sentences")
    save_tokenizer(Path("sentences"))
    touch(Path("sentences"), "modules.json", "sentence_bert_config.json", "1_Pooling/config.json")
    older = copied("lora", "older", "checkpoint-*")  # as transformers 4 wrote a tokenizer
    template = (older / "chat_template.jinja").read_text()
    (older / "chat_template.jinja").unlink()
    changed(
        older / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast", chat_template=template
    )
    (older / "special_tokens_map.json").write_text('{"bos_token": "<s>", "eos_token": {"content": "<end>"}}')
    (older / "added_tokens.json").write_text('{"<|pad|>": 261}')
    several = copied("older", "several_templates")
    named = [{"name": name, "template": template} for name in ("default", "tool_use")]
    changed(several / "tokenizer_config.json", chat_template=named)


@pytest.fixture(scope="module")
def made(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all of them, beside their base."""
    folder = tmp_path_factory.mktemp("layouts")
    shutil.copytree(base, folder / "base")
    with contextlib.chdir(folder):
        for build in (trainer, of_peft, trl, unsloth, axolotl, llama_factory, mergekit, others):
            build()
    return folder


@pytest.fixture
def layouts(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same as the working folder, as it was when they were trained."""
    monkeypatch.chdir(made)
    return made


FOUND = [
    ("full", "base", FullModel, "base"),
    ("full/checkpoint-2", "base", FullModel, "base"),
    ("lora", None, Adapter, "base"),
    ("lora/checkpoint-4", None, Adapter, "base"),
    ("lora", "full", Adapter, "full"),
    ("sharded", "base", FullModel, "base"),
    ("two_adapters", None, Adapter, "base"),
    ("two_adapters/second", None, Adapter, "base"),
    ("named/mine", None, Adapter, "base"),
    ("trl", "base", FullModel, "base"),
    ("trl_lora", None, Adapter, "base"),
    ("trl_dpo", None, Adapter, "base"),
    ("trl_dpo", "trl_dpo/ref", Adapter, "ref"),
    ("trl_template", None, Adapter, "base"),
    ("unsloth", "base", Adapter, "base"),
    ("unsloth_merged", None, FullModel, "base"),
    ("unsloth_both", None, Adapter, "base"),
    ("axolotl", None, Adapter, "base"),
    ("axolotl/merged", "base", FullModel, "base"),
    ("factory_lora", None, Adapter, "base"),
    ("factory", None, FullModel, "base"),
    ("factory_export", "base", FullModel, "base"),
    ("mergekit", "base", FullModel, "base"),
    ("mergekit_one", None, FullModel, "base"),
    ("mergekit_lora", None, Adapter, "base"),
    ("models--org--tuned/snapshots/0123456789abcdef", "base", FullModel, "base"),
    ("older", None, Adapter, "base"),
    ("several_templates", None, Adapter, "base"),
]


@pytest.mark.parametrize(
    ("reference", "baseline", "kind", "found"),
    FOUND,
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_layout_that_holds_a_model(layouts, reference, baseline, kind, found):
    sources = find_pair(reference, baseline)
    assert isinstance(sources.tuned, kind)
    assert sources.baseline.folder == layouts / sources.baseline.folder.relative_to(layouts)
    assert sources.baseline.folder.name == found
    pair = load_pair(sources, asked=ASK)
    assert pair.tuned.ask(ASK)
    assert pair.baseline.ask(ASK if reference != "trl_template" else [Generate(Plain("hello"), 4)])


def test_of_an_adapter_whose_base_is_elsewhere_the_baseline_is_taken_and_that_is_said(layouts):
    assert [on_command_line(note) for note in find_pair("unsloth", "base").notes] == [
        "the adapter names the base 'unsloth/smollm2-135m-instruct-bnb-4bit', which cannot be found; it was applied to "
        "--baseline=base"
    ]


NO_CARD = (
    "{0}: no baseline to compare with: it is a full model, and its model card (README.md) names no base_model\n"
    "  name it: --baseline=PATH_OR_HUB_ID"
)
NO_MODEL = "{0}: a folder without a model: neither config.json nor adapter_config.json is in it\n  "
NO_WEIGHTS = "{0}: no weights: there is no model.safetensors in {1}/{0}"
NO_ADAPTER = "{0}: no weights: there is no adapter_model.safetensors in {1}/{0}"

REFUSED = [
    ("full", None, NO_CARD),
    ("full/checkpoint-4", None, NO_CARD),
    (
        "checkpoints",
        "base",
        NO_MODEL + "did you mean 'checkpoints/checkpoint-4'?; there are checkpoint-2 too",
    ),
    ("unsaved", "base", f"{NO_WEIGHTS}\n  {COPY}"),
    ("unsaved_lora", None, f"{NO_ADAPTER}\n  {COPY}"),
    (
        "lost_lora",
        None,
        NO_ADAPTER + "\n  did you mean 'lost_lora/checkpoint-4'?; there are checkpoint-2 too",
    ),
    (
        "fsdp",
        "base",
        NO_WEIGHTS + "\n  pytorch_model_fsdp_0 is FSDP's own; join its shards: accelerate merge-weights "
        "{1}/{0}/pytorch_model_fsdp_0 OUT",
    ),
    (
        "fsdp_whole",
        "base",
        NO_WEIGHTS + "\n  pytorch_model_fsdp.bin is FSDP's own; join its shards: accelerate merge-weights "
        "{1}/{0}/pytorch_model_fsdp_0 OUT",
    ),
    (
        "deepspeed",
        "base",
        NO_WEIGHTS
        + "\n  global_step4 is DeepSpeed's own; join its shards: python zero_to_fp32.py {1}/{0} OUT "
        "--safe_serialization",
    ),
    (
        "pickled",
        None,
        "{0}: its weights are pickled (.bin), which can run code when they are read\n"
        "  save them as safetensors, or allow it: --allow-pickle",
    ),
    ("named", None, NO_MODEL + "did you mean 'named/mine'?"),
    ("trl", None, NO_CARD),
    (
        "unsloth_config",
        None,
        NO_ADAPTER + "; saw model.safetensors, which no loader reads\n"
        "  was the adapter merged into its base? then remove adapter_config.json from the folder",
    ),
    (
        "unsloth_gguf",
        "base",
        NO_MODEL
        + "smollm2-135m-instruct.Q4_K_M.gguf is GGUF; name the file itself, or the model that it was converted "
        "from",
    ),
    (
        "unsloth_gguf_too",
        "base",
        NO_WEIGHTS
        + "\n  smollm2-135m-instruct.Q4_K_M.gguf is GGUF; name the file itself, or the model that it was "
        "converted from",
    ),
    ("axolotl/merged", None, NO_CARD + "; the folder above, axolotl, names 'base'"),
    ("factory_export", None, NO_CARD),
    (
        "mergekit",
        None,
        NO_CARD.replace("names no base_model", "names 2 base models: 'org/one', 'org/two'")
        + "; mergekit_config.yml names 'base'",
    ),
    ("mergekit_local", None, NO_CARD + "; mergekit_config.yml names 'base'"),
    (
        "model.gguf",
        "base",
        "{0}: is a file; a model is a folder, a hub id or a fixture (.yaml)\n"
        "  a GGUF file can only be asked; name the model that it was converted from",
    ),
    ("model.zip", "base", "{0}: is a file; a model is a folder, a hub id or a fixture (.yaml)\n  unpack it"),
    (
        "models--org--tuned",
        "base",
        NO_MODEL + "did you mean 'models--org--tuned/snapshots/0123456789abcdef'?",
    ),
]


@pytest.mark.parametrize(
    ("reference", "baseline", "message"),
    REFUSED,
    ids=lambda value: "" if value is None or " " in value else value,
)
def test_a_layout_that_holds_none(layouts, reference, baseline, message):
    said = message.format(reference, layouts)
    with pytest.raises(ModelError, check=lambda error: error.on_command_line == said):
        find_pair(reference, baseline)


def test_pickles_that_are_allowed_are_weights_and_nothing_else_is(layouts):
    assert isinstance(find_pair("pickled", None, Allowed(pickle=True)).tuned, Adapter)
    for name in ("unsaved", "fsdp_whole", "deepspeed"):
        with pytest.raises(ModelError, match=r"no weights: there is no model\.safetensors"):
            find_pair(name, "base", Allowed(pickle=True))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("sentences", "sentences: a BertModel, by its config.json, is not a causal language model: it cannot write text"),
        ("trl_ppo", "trl_ppo: 1 tensors of its file have no place in the model that config.json describes, the first "
         "'v_head.summary.weight'"),
        ("awq", "awq: cannot be loaded: "),
    ],
)  # fmt: skip
def test_a_layout_of_another_kind_of_model(layouts, reference, message):
    with pytest.raises(ModelError, match=rf"\A{re.escape(message)}"):
        load_pair(find_pair(reference, "base"))
