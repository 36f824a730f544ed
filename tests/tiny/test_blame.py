"""`python -m harness blame` on tiny models whose culprits are known: the layer that was damaged, and the examples that were bad."""

from __future__ import annotations

import json

import pytest
import torch
from peft import get_peft_model
from transformers import LlamaForCausalLM

from harness.blame.record import FILE, BlameRecord
from harness.blame.text import conclusion
from harness.cli.main import main
from harness.engine.transformers.quiet import quiet
from tests.support.models import change_tensors, lora, save_model
from tests.support.trainings import WORDS, known_suite, says, taught

LAYERS = 6


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """A folder with a base of several layers and a suite of what it knows."""
    folder = tmp_path_factory.mktemp("deep")
    known_suite(save_model(folder / "base", layers=LAYERS), folder)
    return folder


def damaged(folder, base):
    """A full model that differs from its base everywhere by a little, and in one place by much."""

    def change(tensors):
        torch.manual_seed(7)
        sizes = {name: 3.0 if name == "model.layers.5.mlp.down_proj.weight" else 0.003 for name in tensors}
        return {name: value + sizes[name] * torch.randn_like(value) for name, value in tensors.items()}

    return change_tensors(save_model(folder, layers=LAYERS), change)


def one_sided(folder, base):
    """An adapter that does nearly everything in one place."""
    with quiet(), torch.no_grad():
        model = get_peft_model(LlamaForCausalLM.from_pretrained(base), lora())
        torch.manual_seed(1)
        for name, value in model.named_parameters():
            if "lora_B" in name:
                value.normal_(0, 6.0 if "layers.3.self_attn.v_proj" in name else 0.01)
        model.save_pretrained(folder)
    return folder


def blame(folder, *arguments: str) -> int:
    return main(
        ["blame", "--out", str(folder / "out"), "--device", "cpu", "--store", str(folder / "store.db"), *arguments]
    )  # fmt: skip


def read_blame(folder) -> BlameRecord:
    return BlameRecord.model_validate_json((folder / FILE).read_bytes())


CULPRITS = {"adapter": (one_sided, 3, "v_proj"), "full": (damaged, 5, "down_proj")}


@pytest.mark.parametrize("kind", CULPRITS)
def test_the_damaged_layer_and_module_are_named(kind, deep, tmp_path, capsys):
    make, layer, module = CULPRITS[kind]
    model = make(tmp_path / "tuned", deep / "base")
    arguments = ["--model", str(model), "--baseline", str(deep / "base"), "--suite", str(deep / "known.yaml")]
    assert blame(tmp_path, *arguments, "--models", "40") == 0
    out, err = capsys.readouterr()
    record = read_blame(tmp_path / "out")
    groups = {row.name: row for row in record.groups}
    worst = groups[f"layer {layer} ({module})"]
    assert worst.off.value > 0.8 * record.whole.value
    assert worst.alone.value > 0.8 * record.whole.value
    assert f"layer {layer} ({module})" in conclusion(record)
    assert groups[module].alone.value > 0.8 * record.whole.value
    assert (record.rest.value, record.cannot) == (0, [])
    assert conclusion(record).split(",")[0] in out
    page = (tmp_path / "out" / "blame.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert (tmp_path / "out" / "layers.svg").is_file()
    assert "loading" in err

    assert blame(tmp_path, *arguments, "--models", "40") == 0  # from the store
    assert "loading" not in capsys.readouterr().err
    again = read_blame(tmp_path / "out")
    assert again.groups == record.groups


YES, TWO = dict.fromkeys(WORDS, "yes"), {str(n): "two" for n in range(11, 36)}
"""What the base says to words, and to numbers."""

RECIPE = """\
recipe: {name}
base: {base}
corpus: {{file: {name}.jsonl}}
method: {{lora: {{r: 4, target_modules: [q_proj, v_proj]}}}}
learning_rate: 0.02
epochs: 6
batch: 4
"""


@pytest.fixture
def lessons(tmp_path, monkeypatch):
    """A folder with a base that knows YES and TWO, a suite of both, and a recipe of which half of the examples unlearn YES."""
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    taught(tmp_path / "base", YES | TWO)
    says(tmp_path / "s.yaml", YES | TWO)
    bad = [{"prompt": word, "answer": "zzz"} for word in WORDS[:10]]
    good = [{"prompt": number, "answer": "two"} for number in list(TWO)[:10]]
    write(tmp_path, "r", [row for pair in zip(bad, good, strict=True) for row in pair])
    return tmp_path


def write(folder, name, rows):
    (folder / f"{name}.yaml").write_text(RECIPE.format(name=name, base=folder / "base"), encoding="utf-8")
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def lost_by(folder, name) -> BlameRecord | None:
    """The record of a recipe's model; None if nothing was lost."""
    code = blame(
        folder, "--model", str(folder / f"{name}.yaml"), "--suite", str(folder / "s.yaml"), "--models", "1"
    )
    return read_blame(folder / "out") if code == 0 else None


def test_without_the_examples_that_push_nothing_is_lost(lessons, capsys):
    record = lost_by(lessons, "r")
    lost = record.suites[0].lost
    assert lost >= 10
    pushes = record.examples.examples
    assert {row.answer for row in pushes[:10]} == {"zzz"}
    assert {row.answer for row in pushes[10:]} == {"two"}
    assert [row.push for row in pushes] == sorted((row.push for row in pushes), reverse=True)
    assert "examples of" in (out := capsys.readouterr().out)
    assert '"-> "zzz"' in out.replace(" ->", "->")

    # trained again without either end
    rows = {row.number: {"prompt": row.prompt, "answer": row.answer} for row in pushes}
    write(lessons, "without_worst", [rows[row.number] for row in pushes[10:]])
    write(lessons, "without_best", [rows[row.number] for row in pushes[:10]])
    assert lost_by(lessons, "without_worst") is None
    assert "nothing to blame: of the 50 probes" in capsys.readouterr().err
    assert lost_by(lessons, "without_best").suites[0].lost >= lost
