"""The gate in pytest, over real models: what hid a loss, or made one up, and what it comes to now.

The base's own answers are the keys, so it knows all that it is asked, and every loss is one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.support.gating import CHOICES, QUESTIONS, wrong_usage
from tests.support.models import (
    CHANGES,
    appends_end,
    begins,
    change_tensors,
    change_tokenizer,
    letter,
    lora,
    loud,
    rare,
    resaved,
    save_adapter,
    save_trained,
)
from tests.support.project import said

# Losses that were hidden


@pytest.mark.parametrize("kind", ["saved embeddings", "pissa", "olora"])
def test_an_adapter_that_changes_its_base_hides_no_loss(gate, base, tmp_path, kind):
    if kind == "saved embeddings":
        folder = save_trained(base, tmp_path / "tuned", lora(), saved_embeddings=True, rows=261, scale=3.0)
    else:
        folder = save_trained(base, tmp_path / "tuned", CHANGES[kind], scale=3.0)
    result = gate.run(folder)
    assert result.ret == 1
    row = gate.record()["gates"][0]
    assert (row["slice"], row["outcome"]) == ("all", "failed")
    assert row["drop"] > 0.1
    assert row["baseline_accuracy"] == 1.0, "the baseline is the base, which the keys are from"
    assert "so the base is loaded on its own" in gate.notes()
    assert "so the base is loaded on its own" in said(result)


def test_a_model_that_changes_between_two_workers_is_no_pass(gate, base, tmp_path):
    pytest.importorskip("xdist")
    tuned = save_adapter(tmp_path / "tuned", base, scale=0.0001)
    later = save_adapter(tmp_path / "later", base, scale=3.0) / "adapter_model.safetensors"
    asked = tmp_path / "asked"
    gate.pytester.makeconftest(f"""
        import os, pathlib, time
        worker, asked = os.environ.get("PYTEST_XDIST_WORKER"), pathlib.Path({str(asked)!r})
        def pytest_runtest_setup():
            if worker == "gw1":
                while not asked.exists():
                    time.sleep(0.01)
                if os.path.exists({str(later)!r}):
                    os.replace({str(later)!r}, {str(tuned / later.name)!r})
        def pytest_runtest_teardown():
            if worker == "gw0":
                asked.touch()
    """)
    result = gate.run(tuned, "-p", "xdist", "-n", "2")
    wrong_usage(
        result,
        "its files changed since the run began, so its answers would come from two models; wait until",
    )
    record = gate.record()
    assert record["run"]["status"] == "error"
    assert {row["outcome"] for row in record["gates"]} == {"passed"}
    assert len(record["run"]["errors"]) == 1


def test_an_adapter_that_changes_little_is_retained(gate, base, tmp_path):
    folder = save_adapter(tmp_path / "little", base, scale=0.0001)
    result = gate.run(folder)
    assert result.ret == 0, said(result)
    assert gate.verdicts() == {
        "all": ("RETAINED", "passed"), "category[a]": ("RETAINED", "passed"), "category[b]": ("RETAINED", "passed"),
    }  # fmt: skip


# The same model twice


@pytest.mark.parametrize("way", ["copied", "again", "in shards", "bfloat16", "merged with nothing"])
def test_the_base_under_another_name_is_no_tuned_model(gate, base, tmp_path, way):
    folder = tmp_path / "tuned"
    arguments = {"in shards": {"max_shard_size": "20KB"}, "bfloat16": {"dtype": torch.bfloat16}}
    if way == "copied":
        shutil.copytree(base, folder)
    else:
        resaved(base, folder, **arguments.get(way, {}))
    wrong_usage(gate.run(folder, baseline=base), "are those of the baseline", "nothing was tuned")
    assert gate.record()["gates"] == []


def test_a_link_to_the_base_is_no_tuned_model(gate, base, tmp_path):
    (tmp_path / "link").symlink_to(base)
    wrong_usage(gate.run(tmp_path / "link", baseline=base), "would be compared with itself")


def test_a_card_that_names_its_own_model_is_no_baseline(gate, base, tmp_path):
    folder = Path(shutil.copytree(base, tmp_path / "tuned"))
    (folder / "README.md").write_text("---\nbase_model: .\n---\n")
    wrong_usage(gate.run(folder), "would be compared with itself: its model card names")


def test_a_model_against_itself_on_purpose_says_so(gate, base):
    result = gate.run(base, baseline="same")
    assert result.ret == 0
    assert "the model is compared with itself, on purpose" in said(result)


# Tensors, numbers, kinds of models


def test_tensors_that_nobody_reads_stop_the_run(gate, base, tmp_path):
    folder = Path(shutil.copytree(base, tmp_path / "tuned"))
    change_tensors(folder, lambda t: {**t, "base_model.model.lm_head.lora_A.weight": torch.ones(4, 32)})
    wrong_usage(
        gate.run(folder, baseline=base), "1 tensors of its file have no place", "lm_head.lora_A.weight"
    )


@pytest.mark.parametrize("side", ["baseline", "tuned"])
def test_infinite_logits_name_the_model_the_probe_and_the_dtype(gate, base, tmp_path, side):
    good, bad = (Path(shutil.copytree(base, tmp_path / name)) for name in ("good", "bad"))
    change_tensors(good, lambda t: {**t, "lm_head.weight": t["lm_head.weight"] * 1.01})
    change_tensors(
        bad,
        lambda t: {**t, "lm_head.weight": t["lm_head.weight"].index_fill(0, torch.tensor([7]), torch.inf)},
    )
    pair = {"tuned": good, "baseline": bad} if side == "baseline" else {"tuned": bad, "baseline": good}
    wrong_usage(
        gate.run(**pair),
        f"{bad}: its logits are NaN or infinite in float32",
        "the suite 'colours' cannot be asked: the probe 'q",
    )


def test_a_reward_model_stops_the_run(gate, base, tmp_path):
    folder = Path(shutil.copytree(base, tmp_path / "tuned"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**config, "architectures": ["LlamaForSequenceClassification"]})
    )
    wrong_usage(
        gate.run(folder, baseline=base),
        "LlamaForSequenceClassification, by its config.json, is not a causal language model",
    )


@pytest.mark.parametrize("damage", ["truncated", "pointer", "shard"])
def test_files_that_are_not_whole_stop_the_run(gate, base, tmp_path, damage):
    folder = resaved(base, tmp_path / "tuned", max_shard_size="20KB" if damage == "shard" else "5GB")
    if damage == "shard":
        sorted(folder.glob("model-*.safetensors"))[1].unlink()
        wrong_usage(gate.run(folder, baseline=base), "the shard model-00002-of-", "is missing")
    elif damage == "pointer":
        (folder / "model.safetensors").write_text(
            "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"
        )
        wrong_usage(gate.run(folder, baseline=base), "is a git-lfs pointer", "git lfs pull")
    else:
        file = folder / "model.safetensors"
        file.write_bytes(file.read_bytes()[:-100])
        wrong_usage(gate.run(folder, baseline=base), "model.safetensors is damaged", "copy the whole folder")


# Configs


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "generation_config.json",
            {"eos_token_id": "x"},
            "generation_config.json: eos_token_id must be the number of a",
        ),
        ("config.json", {"vocab_size": 300}, "its weights do not fit its config.json: "),
        (
            "config.json",
            {"num_hidden_layers": 10**6},
            "claims 1000000 layers, but its weights are 21 tensors",
        ),
        ("tokenizer_config.json", {"model_max_length": "x"}, "its tokenizer cannot be loaded from"),
        (
            "config.json",
            {"a": "\ud800"},
            "config.json: cannot be read as JSON: it holds half a surrogate pair",
        ),
    ],
)
def test_a_config_that_cannot_be_used_stops_the_run(gate, base, tmp_path, file, change, message):
    folder = tuned_a_little(base, tmp_path / "tuned")
    (folder / file).write_text(json.dumps({**json.loads((folder / file).read_text()), **change}))
    wrong_usage(gate.run(folder, baseline=base), message)


def test_tokens_beyond_the_vocabulary_are_said_and_harm_nothing(gate, base, tmp_path):
    folder = tuned_a_little(base, tmp_path / "tuned")
    for file in ("config.json", "generation_config.json"):
        written = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({**written, "eos_token_id": 999_999, "pad_token_id": 999_999}))
    assert gate.run(folder, baseline=base).ret == 0
    assert (
        "its eos_token_id 999999 is outside its vocabulary of 261 tokens and ends no answer" in gate.notes()
    )
    assert (
        "its pad_token_id 999999 is outside its vocabulary of 261 tokens; another token is used"
        in gate.notes()
    )


# Adapters that act on few tokens


def test_an_adapter_that_acts_on_a_token_of_the_prompts_is_gated(gate, base, tmp_path):
    """Every prompt ends in the token that it learnt, and no other text has it."""
    content = json.loads((gate.pytester.path / "colours.yaml").read_text())
    gate.suite({**content, "task": {**content["task"], "prompt": "{question}~"}})
    gate.run(rare(base, tmp_path / "tuned", letter(base, "~")))
    assert set(gate.verdicts()) == {"all", "category[a]", "category[b]"}


def test_an_adapter_that_acts_on_no_token_of_the_prompts_stops_the_run(gate, base, tmp_path):
    wrong_usage(
        gate.run(rare(base, tmp_path / "tuned", letter(base, "~"))),
        "the adapter changes nothing that is asked: with it on and off, the logits of all 60 prompts are the same",
        "does it act on tokens that no prompt has?",
    )
    assert gate.record()["gates"] == []


# Tokenizers and prompts


def tuned_a_little(base: Path, folder: Path) -> Path:
    shutil.copytree(base, folder)
    return change_tensors(folder, lambda t: {**t, "lm_head.weight": t["lm_head.weight"] * 1.0001})


def test_a_model_without_a_tokenizer_stops_the_run_until_it_is_told_whose_to_use(gate, base, tmp_path):
    folder = tuned_a_little(base, tmp_path / "tuned")
    for file in [*folder.glob("token*"), folder / "chat_template.jinja"]:
        file.unlink()
    wrong_usage(gate.run(folder, baseline=base), "no tokenizer in", "--template=baseline")
    assert gate.run(folder, "--template", "baseline", baseline=base).ret == 0


@pytest.mark.parametrize("suite", ["colours", "texts"])
def test_a_tokenizer_that_begins_otherwise_is_said_for_every_kind_of_answer(gate, base, tmp_path, suite):
    texts = [{"id": f"t{i}", "text": f"The quick brown fox number {i}."} for i in range(30)]
    gate.suite({
        "suite": "texts", "task": {"format": "text", "answer": "likelihood"},
        "gates": [{"over": "all", "max_rise": 0.1}], "probes": texts,
    }, "texts.yaml")  # fmt: skip
    folder = tuned_a_little(base, tmp_path / "tuned")
    change_tokenizer(folder, begins)
    other = Path(shutil.copytree(base, tmp_path / "other"))
    # A base without a start token begins a text with its end token instead.
    change_tokenizer(other, lambda tokenizer: setattr(tokenizer, "bos_token", None))
    n = {"colours": 60, "texts": 30}[suite]
    gate.run(folder, "--suite", suite, baseline=other)
    assert (
        f"{suite}: the two models are shown different text in {n} of {n} prompts: at token 1 the baseline reads"
        in gate.notes()
    )
    gate.run(folder, "--suite", suite, "--template", "tuned", baseline=other)
    assert "shown different text" not in gate.notes()


def test_a_tokenizer_that_appends_its_end_changes_no_answer(gate, base, tmp_path):
    folder = tuned_a_little(base, tmp_path / "tuned")
    change_tokenizer(folder, appends_end)
    other = Path(shutil.copytree(base, tmp_path / "base"))
    change_tokenizer(other, begins)
    gate.run(folder, baseline=other)
    assert "shown different text" not in gate.notes()
    row = gate.record()["gates"][0]
    assert row["baseline_accuracy"] == row["tuned_accuracy"]


def test_a_swapped_tokenizer_of_equal_size_is_said(gate, base, tmp_path):
    folder = tuned_a_little(base, tmp_path / "tuned")
    file = folder / "tokenizer.json"
    data = json.loads(file.read_text())
    letters = [token for token in data["model"]["vocab"] if len(token) == 1]
    numbers = [data["model"]["vocab"][token] for token in letters]
    data["model"]["vocab"].update(zip(letters, numbers[1:] + numbers[:1], strict=True))
    file.write_text(json.dumps(data))
    result = gate.run(folder, baseline=base)
    assert result.ret == 1
    assert "number the same tokens differently" in gate.notes()


# A baseline that knows nothing


def test_chance_is_no_knowledge(gate, base, tmp_path):
    content = json.loads((gate.pytester.path / "colours.yaml").read_text())
    for i, probe in enumerate(content["probes"]):
        probe["answer"] = CHOICES[i % 4]
    gate.suite(content)
    result = gate.run(tuned_a_little(base, tmp_path / "tuned"), baseline=base)
    assert result.ret == 1
    assert set(gate.verdicts().values()) == {("VACUOUS", "failed")}
    assert "and guessing is right on 15.0 on average" in said(result)


def test_random_weights_know_no_text(gate, base, tmp_path):
    texts = [{"id": f"t{i}", "text": f"The quick brown fox number {i}."} for i in range(30)]
    gate.suite({
        "suite": "texts", "task": {"format": "text", "answer": "likelihood"},
        "gates": [{"over": "all", "max_rise": 0.1}], "probes": texts,
    })  # fmt: skip
    result = gate.run(tuned_a_little(base, tmp_path / "tuned"), baseline=base)
    assert result.ret == 1
    assert gate.verdicts() == {"all": ("VACUOUS", "failed")}
    assert "a model to which all tokens are equally likely" in said(result)


# Answers that were cut


def test_answers_that_only_one_side_had_cut_cannot_be_decided(gate, base, tmp_path):
    """One ends its turn after a letter, the other writes on for ever; both are right wherever they are cut."""
    gate.suite({
        "suite": "written", "task": {"format": "text", "max_new_tokens": 4}, "score": {"check": {"max_words": 99}},
        "gates": [{"over": "all", "max_drop": 0.1}, {"over": "category", "max_drop": 0.2}],
        "probes": [{"id": f"q{i}", "question": text, "category": "c"} for i, text in enumerate(QUESTIONS)],
    })  # fmt: skip
    ends, goes_on = (loud(Path(shutil.copytree(base, tmp_path / str(token))), token) for token in (1, 2))
    result = gate.run(goes_on, baseline=ends)
    assert result.ret == 1
    assert set(gate.verdicts().values()) == {("INCONCLUSIVE", "failed")}
    row, probe = gate.record()["gates"][0], gate.record()["probes"][0]
    assert (row["baseline_cut"], row["tuned_cut"], row["n"]) == (0, 60, 60)
    assert (probe["baseline"]["ended"], probe["tuned"]["ended"]) == ("turn", "limit")
    assert (
        "written: max_new_tokens (4) cut 0 answers of the baseline and 60 of the tuned model, of 60"
        in gate.notes()
    )
    assert "raise 'max_new_tokens' in the suite's task" in said(result)


# Interpreters and flags


def test_an_interpreter_without_assertions_sees_what_was_forgotten(gate, base, tmp_path):
    folder = save_trained(base, tmp_path / "tuned", lora(), scale=3.0)
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-O", "-m", "pytest", "-p", "harness.plugin", "--model", str(folder), "-q"],
        cwd=gate.pytester.path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert ran.returncode == 1, ran.stdout
    assert "FORGOTTEN" in ran.stdout


def test_runxfail_changes_no_verdict(gate, base, tmp_path):
    folder = save_trained(base, tmp_path / "tuned", lora(), scale=3.0)
    assert gate.run(folder, "--runxfail").ret == 1
    assert gate.verdicts()["all"] == ("FORGOTTEN", "failed")
