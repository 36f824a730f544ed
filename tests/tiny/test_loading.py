"""What loading refuses, and what two models share."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.engine.functions import FunctionEngine
from harness.engine.place import known_places
from harness.engine.registry import OPENERS, open_pair
from harness.engine.requests import Chat, Generate, Message
from harness.engine.settings import Settings
from harness.engine.transformers import mapped, weights
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.loading import load_pair
from harness.errors import EngineError, ModelError
from harness.models.reference import find_pair
from harness.spelling import on_command_line
from tests.support.engines import load_reference
from tests.support.models import save_adapter, save_model, save_tokenizer

ASK = [Generate(Chat((Message("user", text),)), 8) for text in ("hello", "what is this?", "abc")]


def test_an_adapter_and_its_baseline_share_one_copy_of_the_base(base, adapter):
    pair = load_pair(find_pair(str(adapter), None))
    assert pair.baseline.model is pair.tuned.model
    alone = load_reference(str(base)).ask(ASK)
    assert pair.baseline.ask(ASK) == alone
    tuned = pair.tuned.ask(ASK)
    assert tuned != alone
    assert pair.baseline.ask(ASK) == alone, "asking the tuned model must leave the baseline as it was"
    assert pair.tuned.ask(ASK) == tuned


def test_two_adapters_of_one_base_share_it(base, adapter, tmp_path):
    other = save_adapter(tmp_path / "other", base, scale=0.6)
    pair = load_pair(find_pair(str(adapter), str(other)))
    assert pair.baseline.model is pair.tuned.model
    assert pair.tuned.ask(ASK) == load_pair(find_pair(str(adapter), None)).tuned.ask(ASK)
    assert pair.baseline.ask(ASK) == load_pair(find_pair(str(other), None)).tuned.ask(ASK)


def test_a_model_against_itself_is_loaded_once(base):
    pair = load_pair(find_pair(str(base), "same"))
    assert pair.baseline is pair.tuned


@pytest.mark.parametrize("files", ["base", "adapter"])
def test_a_loaded_model_stays_the_same_whatever_is_written_over_its_files(base, adapter, tmp_path, files):
    copies = {
        "base": shutil.copytree(base, tmp_path / "base"),
        "adapter": shutil.copytree(adapter, tmp_path / "adapter"),
    }
    pair = load_pair(find_pair(str(copies["adapter"]), str(copies["base"])))
    before = pair.baseline.ask(ASK), pair.tuned.ask(ASK)
    file = next(copies[files].glob("*.safetensors"))
    with file.open("r+b") as opened:  # as `cp` does; a file that replaces it would leave the old one mapped
        opened.seek(-file.stat().st_size // 2, 2)
        opened.write(b"?" * (file.stat().st_size // 2))
    assert (pair.baseline.ask(ASK), pair.tuned.ask(ASK)) == before


@pytest.mark.parametrize(("dtype", "copied"), [("float32", True), ("auto", True), ("bfloat16", False)])
def test_only_weights_that_lie_in_their_files_are_copied(base, monkeypatch, dtype, copied):
    """Where loading converts them, they are in memory of their own already."""
    places = []
    copy_out = mapped.copy_out

    def watched(model):
        before = [value.data_ptr() for value in model.parameters()]
        copy_out(model)
        places.extend(zip(before, (value.data_ptr() for value in model.parameters()), strict=True))

    monkeypatch.setattr(weights, "copy_out", watched)
    load_pair(find_pair(str(base), "same"), Settings(device="cpu", dtype=dtype))
    assert {before != after for before, after in places} == {copied}


def test_weights_are_copied_where_the_system_does_not_tell_what_is_mapped(base, monkeypatch, tmp_path):
    asked = load_reference(str(base)).ask(ASK)
    monkeypatch.setattr(mapped, "MAPS", tmp_path / "none")
    copy = shutil.copytree(base, tmp_path / "base")
    engine = load_reference(str(copy))
    (copy / "model.safetensors").write_bytes(b"?" * (copy / "model.safetensors").stat().st_size)
    assert engine.ask(ASK) == asked


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_copied_weights_are_not_in_memory_twice(tmp_path):
    values = {str(number): torch.randn(1024, 1024) for number in range(16)}  # 4 MiB each
    save_file(values, tmp_path / "model.safetensors")
    model = torch.nn.ParameterDict(load_file(tmp_path / "model.safetensors"))

    def resident() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("RssFile"))

    held = [value.data for value in model.values()]  # else the file is unmapped at the end
    before = resident()
    mapped.copy_out(model)
    assert resident() - before < 16 * 1024, "kB of files in memory"
    del held
    assert all(torch.equal(model[key], value) for key, value in values.items())


@pytest.mark.parametrize("name", ["model-2.safetensors", "adapter_model.safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_file_that_was_cut_off_is_named(base, adapter, tmp_path, name, share):
    folder = shutil.copytree(adapter, tmp_path / "cut")
    if name == "model-2.safetensors":
        folder = shutil.copytree(base, tmp_path / "sharded")
        whole = load_file(folder / "model.safetensors")
        places = {key: f"model-{1 + number % 2}.safetensors" for number, key in enumerate(whole)}
        for shard in set(places.values()):
            save_file({key: whole[key] for key in whole if places[key] == shard}, folder / shard)
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    saved = (folder / name).read_bytes()
    (folder / name).write_bytes(saved[: int(len(saved) * share)])
    found = rf"{name} is damaged: .*\n  copy the whole folder again, or save the model again\Z"
    with pytest.raises(ModelError, match=found):
        load_pair(find_pair(str(folder), str(base)))


def test_an_adapter_that_changes_nothing_is_an_error(base, tmp_path):
    save_adapter(tmp_path / "zero", base, scale=0.0)
    with pytest.raises(EngineError, match="the adapter changes nothing"):
        load_pair(find_pair(str(tmp_path / "zero"), None))


def test_a_copy_of_the_baseline_is_an_error(base, tmp_path):
    shutil.copytree(base, tmp_path / "copy")
    with pytest.raises(EngineError, match="its weights are those of the baseline.*nothing was tuned"):
        load_pair(find_pair(str(tmp_path / "copy"), str(base)))


def test_an_adapter_for_another_base_is_an_error(adapter, tmp_path):
    wider = save_model(tmp_path / "wider", hidden=64)
    config = json.loads((adapter / "adapter_config.json").read_text())
    moved = shutil.copytree(adapter, tmp_path / "moved")
    (moved / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": str(wider)}))
    with pytest.raises(ModelError, match="does not fit the base .*: was it trained on another"):
        load_pair(find_pair(str(moved), None))


def test_an_adapter_whose_base_moved_is_put_on_the_baseline_and_that_is_said(base, adapter, tmp_path):
    config = json.loads((adapter / "adapter_config.json").read_text())
    moved = shutil.copytree(adapter, tmp_path / "moved")
    (moved / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "./gone"}))
    pair = load_pair(find_pair(str(moved), str(base)))
    assert "it was applied to --baseline" in on_command_line(pair.notes[0])


@pytest.mark.parametrize("change", ["missing", "stray"])
def test_an_adapter_that_did_not_arrive_whole_is_an_error(base, adapter, tmp_path, change):
    broken = shutil.copytree(adapter, tmp_path / "broken")
    tensors = load_file(broken / "adapter_model.safetensors")
    first = sorted(tensors)[0]
    if change == "missing":
        del tensors[first]
    else:
        tensors[first.replace("layers.0", "layers.7")] = tensors[first].clone()
    save_file(tensors, broken / "adapter_model.safetensors")
    with pytest.raises(ModelError, match="incomplete: 1 tensors are missing|1 of .* tensors have no place"):
        load_pair(find_pair(str(broken), None))


def test_a_model_with_missing_tensors_is_not_filled_with_noise(base, tmp_path):
    broken = shutil.copytree(base, tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="incomplete: 1 tensors are missing"):
        load_reference(str(broken))


def test_a_truncated_file_is_an_error(base, tmp_path):
    broken = shutil.copytree(base, tmp_path / "broken")
    file = broken / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"broken: model\.safetensors is damaged: "):
        load_reference(str(broken))


def test_a_chat_suite_needs_a_template(tmp_path):
    plain = save_model(tmp_path / "plain", template=None)
    with pytest.raises(EngineError, match="no chat template"):
        load_reference(str(plain)).ask(ASK)


@pytest.mark.parametrize("side", ["baseline", "tuned"])
def test_the_template_of_one_side_can_be_chosen_for_both(base, tmp_path, side):
    tuned = save_model(tmp_path / "tuned", seed=5)
    save_tokenizer(tuned, "{% for m in messages %}[{{ m['content'] }}]{% endfor %}")
    pair = load_pair(find_pair(str(tuned), str(base)), Settings(template=side))
    shown = {engine.render(ASK[0].prompt) for engine in (pair.baseline, pair.tuned)}
    assert shown == {"<user>hello<end><assistant>" if side == "baseline" else "[hello]"}


def test_an_engine_of_another_kind_is_held_against_a_model(base, adapter, monkeypatch):
    monkeypatch.setitem(OPENERS, "fake", lambda endpoint, settings: FunctionEngine(str.upper, endpoint.name))
    pair = open_pair(find_pair(str(adapter), "fake:upper", schemes=OPENERS), Settings(device="cpu"))
    assert (pair.baseline.label, pair.device, known_places(pair).dtype) == ("fake:upper", "cpu", "float32")
    assert pair.tuned.ask(ASK) == load_reference(str(adapter), Settings(device="cpu")).ask(ASK)
    turned = open_pair(find_pair("fake:upper", str(adapter), schemes=OPENERS), Settings(device="cpu"))
    assert (turned.tuned.label, turned.device) == ("fake:upper", "cpu")
    with pytest.raises(ModelError, match="template='tuned': .* have no engine in common"):
        open_pair(find_pair("fake:upper", str(base), schemes=OPENERS), Settings(template="tuned"))


def test_an_unknown_device_is_said(base):
    with pytest.raises(ModelError, match="device='warp9'"):
        load_reference(str(base), Settings(device="warp9"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_said(base):
    with pytest.raises(ModelError, match="device='cuda'"):
        load_reference(str(base), Settings(device="cuda"))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_dtype_can_be_chosen(base, dtype):
    engine = load_reference(str(base), Settings(dtype=dtype))
    assert str(engine.model.dtype) == f"torch.{dtype}"
    assert len(engine.ask(ASK)) == 3


def test_a_pair_in_unlike_floats_is_noted(base, tmp_path, monkeypatch):
    found = find_pair(str(save_model(tmp_path / "tuned", seed=5)), str(base))
    assert not any("was computed in" in note for note in open_pair(found, Settings()).notes)
    floats = property(lambda engine: "bfloat16" if engine.label == str(base) else "float32")
    monkeypatch.setattr(TorchEngine, "dtype", floats)  # on a GPU, each is computed as it is saved
    assert [
        on_command_line(note) for note in open_pair(found, Settings()).notes if "was computed in" in note
    ] == [
        "the baseline was computed in bfloat16 and the tuned model in float32, which alone flips some answers: ask both in the "
        "same floats: --dtype=float32"
    ]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cuda_is_used_without_being_asked_for_and_answers_as_the_cpu_does(base):
    on_gpu = load_reference(str(base), Settings(dtype="float32"))
    assert on_gpu.model.device.type == "cuda"
    assert on_gpu.ask(ASK) == load_reference(str(base), Settings(device="cpu")).ask(ASK)
