"""`python -m harness tune` on tiny models that by construction learn and forget, each in place of what a recipe trains."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from harness.cli.main import main
from harness.models.reference import find_full_model
from harness.recipes.read import base_reference
from harness.repair import run
from harness.reporting.record import read_record
from harness.sweep import models as ladder_models
from harness.training import train
from harness.training.trained import DONE, sources_of
from harness.tune import recipes
from tests.support.forgetful import forgetful_adapter, forgetful_base, suites

GOOD, FORGETS, HOPELESS, IDLE = (0.2, 2.0), (0.2, 0.6), (0.7, 0.3), (5.0, 3.0)
"""The strengths at which a model learns, and forgets; a trained model has a strength of 1."""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return forgetful_base(tmp_path_factory.mktemp("forgetful") / "base")


@pytest.fixture
def trains(base, tmp_path, monkeypatch):
    """Names what each recipe trains; the names of those trained, in order."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    shutil.copytree(base, tmp_path / "base")
    suites(tmp_path)
    (tmp_path / "corpus.jsonl").write_text('{"prompt": "0t", "answer": "Z"}\n' * 8, encoding="utf-8")
    monkeypatch.setattr(recipes, "MITIGATIONS", {"eaft": {"eaft": {}}})
    kinds, tried = {}, []

    def trained(recipe, baseline, settings, log, counter):
        folder = tmp_path / "adapters" / recipe.name
        if not folder.exists():
            tried.append(recipe.name)
            learns, forgets = kinds.get(recipe.name, IDLE)
            forgetful_adapter(folder, tmp_path / "base", learns, forgets)
            (folder / DONE).write_text('{"seconds": 1.0}', encoding="utf-8")
        base = find_full_model(base_reference(recipe))
        return sources_of(recipe, base, folder, baseline, settings)

    monkeypatch.setattr(ladder_models, "trained_sources", trained)
    monkeypatch.setattr(train, "trained_sources", trained)

    def given(**by_recipe):
        kinds.update({name.replace("_", "-"): kind for name, kind in by_recipe.items()})
        return tried

    return given


def tune(*more: str) -> int:
    given = ["base", "corpus.jsonl", "--target", "target.yaml", "--suite", "general.yaml", "--out", "out"]
    return main(["tune", *given, "--device", "cpu", *more])


def record(folder):
    return json.loads((folder / "out" / "tune.json").read_text(encoding="utf-8"))


def test_the_first_that_learns_and_passes_ends_it_on_probes_that_did_not_choose(trains, tmp_path, capsys):
    tried = trains(lora=GOOD)
    assert tune() == 0
    assert tried == ["lora"]
    told = " ".join(capsys.readouterr().out.split())
    assert "lora: passes as trained" in told
    assert "On probes that had no part in the choice it gains 100.0 points" in told
    assert "1 of 4 recipes tried" in told
    assert (tmp_path / "out" / "model" / "adapter_model.safetensors").exists()
    report = read_record(tmp_path / "out" / "report" / "record.json")
    assert (report.run.status, report.run.exit_status) == ("passed", 0)
    ladder = json.loads((tmp_path / "out" / "ladder" / "ladder.json").read_text(encoding="utf-8"))
    chose = {probe["id"] for suite in ladder["suites"] for probe in suite["probes"]}
    confirmed = {row.id for row in report.probes if row.suite == "general"}
    assert (len(chose), len(confirmed)) == (40, 40)
    assert not chose & confirmed
    assert (tmp_path / "out" / "report" / "page.html").read_text(encoding="utf-8").startswith("<!doctype")
    assert main(["rescore", "out/report"]) == 0


def test_one_that_forgets_is_repaired_before_another_is_trained(trains, tmp_path, capsys):
    tried = trains(lora=FORGETS, lora_eaft=GOOD)
    assert tune() == 0
    assert tried == ["lora"]
    assert record(tmp_path)["steps"][0]["said"].startswith("passes when repaired: strength 0.")
    assert read_record(tmp_path / "out" / "report" / "record.json").run.exit_status == 0


def test_the_dose_is_settled_first_and_what_cannot_be_repaired_gets_a_mitigation(trains, tmp_path, capsys):
    """A mitigation of a dose that learnt too little is not tried."""
    tried = trains(lora_stronger=HOPELESS, lora_stronger_eaft=GOOD)
    assert tune() == 0
    assert tried == ["lora", "lora-stronger", "lora-stronger-eaft"]
    found = record(tmp_path)
    assert [step["learnt"] for step in found["steps"]] == [False, True, True]
    assert found["chosen"] == "lora-stronger-eaft"
    told = capsys.readouterr().out
    assert "lora: learnt too little: 50.0 points were wanted" in told
    assert "lora-stronger: nothing passes: none keeps " in told
    assert "not finished" not in told  # those that were left out are not missing


def test_a_corpus_that_is_corrected_may_use_the_same_folder(trains, tmp_path, capsys):
    trains(lora=GOOD)
    corpus = tmp_path / "corpus.jsonl"
    good = corpus.read_text(encoding="utf-8")
    corpus.write_text('{"x": 1}\n', encoding="utf-8")
    assert tune() == 2
    assert capsys.readouterr().err.count("no columns to train on") == 1
    corpus.write_text(good, encoding="utf-8")
    assert tune() == 0


def test_none_that_passes_is_no_model(trains, tmp_path, capsys):
    tried = trains(lora=HOPELESS, lora_eaft=HOPELESS)
    (tmp_path / "out").mkdir()
    assert tune() == 1
    assert tried == ["lora", "lora-eaft"]
    told = " ".join(capsys.readouterr().out.split())
    assert "No recipe learnt enough and passes, as trained or repaired. The best so far is 'lora'" in told
    assert not (tmp_path / "out" / "model").exists()
    assert not (tmp_path / "out" / "report").exists()


def test_an_edited_corpus_leaves_no_model_and_report_of_the_run_before(trains, tmp_path):
    trains(lora=GOOD)
    assert tune() == 0
    (tmp_path / "corpus.jsonl").write_text('{"prompt": "0t", "answer": "Y"}\n' * 8, encoding="utf-8")
    shutil.rmtree(tmp_path / "adapters")
    trains(lora=HOPELESS, lora_eaft=HOPELESS)
    assert tune() == 1
    assert record(tmp_path)["outcome"] == "none"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        ".tune.json.lock", "ladder", "recipes", "repairs", "tune.json",
    ]  # fmt: skip


def test_a_run_that_is_killed_leaves_nothing_green_and_one_that_goes_on_writes_it_again(
    trains, tmp_path, monkeypatch
):
    trains(lora=GOOD)
    assert tune() == 0
    before = (tmp_path / "out" / "model" / "adapter_model.safetensors").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(ladder_models, "TorchModels", killed)
        assert tune() == 130
    assert record(tmp_path)["outcome"] == "unfinished"
    assert not {"model", "report"} & {path.name for path in (tmp_path / "out").iterdir()}
    assert tune() == 0
    assert (tmp_path / "out" / "model" / "adapter_model.safetensors").read_bytes() == before
    assert read_record(tmp_path / "out" / "report" / "record.json").run.status == "passed"


def test_input_that_cannot_be_read_any_more_leaves_nothing_green_and_the_ladder_goes_on(trains, tmp_path):
    tried = trains(lora=GOOD)
    assert tune() == 0
    general = (tmp_path / "general.yaml").read_text(encoding="utf-8")
    (tmp_path / "general.yaml").write_text("suite: general\n", encoding="utf-8")
    assert tune() == 2
    assert record(tmp_path)["outcome"] == "unfinished"
    left = {path.name for path in (tmp_path / "out").rglob("*.*")}
    assert {"tune.json", "ladder.earlier.json"} <= left
    assert not left & {"record.json", "page.html", "adapter_model.safetensors", "ladder.json", "ladder.html"}
    (tmp_path / "general.yaml").write_text(general, encoding="utf-8")
    assert tune() == 0
    assert tried == ["lora"]


def test_a_gain_that_is_not_confirmed_leaves_no_green_report(trains, tmp_path, monkeypatch, capsys):
    """Its gates pass; what came up in asking is a note of the repair and of the report."""
    trains(lora=GOOD)

    def confirm(examiner, *given, **options):
        examiner.notes.append("general: many answers were cut")
        return replace(really(examiner, *given, **options), reason="its gain is not confirmed")

    really = run.confirm
    monkeypatch.setattr(run, "confirm", confirm)
    assert tune() == 1
    assert not (tmp_path / "out" / "model").exists()
    report = read_record(tmp_path / "out" / "report" / "record.json").run
    assert (report.status, report.exit_status) == ("error", 1)
    assert report.errors == ["its gain is not confirmed"]
    assert {"its gain is not confirmed", "general: many answers were cut"} <= set(report.notes)
    tried = json.loads((tmp_path / "out/repairs/lora/repair.json").read_text(encoding="utf-8"))
    assert "general: many answers were cut" in tried["notes"]
    assert main(["rescore", "out/report"]) == 1


def killed(*given):
    raise KeyboardInterrupt


def test_a_second_run_in_the_folder_of_one_under_way_is_refused(trains, tmp_path, monkeypatch, capsys):
    trains(lora=GOOD)
    codes = []

    def second(*given):
        if not codes:
            codes.append(2)  # of a second that is not refused, and comes here too
            codes.append(tune())
        raise KeyboardInterrupt

    monkeypatch.setattr(ladder_models, "TorchModels", second)
    assert tune() == 130
    assert codes[1] == 4
    assert "--out=out: another run is writing its record there\n" in capsys.readouterr().err


def test_a_budget_that_is_used_up_is_said_and_more_of_it_goes_on(trains, tmp_path, capsys):
    tried = trains(lora_stronger=GOOD)
    assert tune("--budget", "1e-9") == 1
    assert tried == ["lora"]
    assert "The budget was used up before a recipe learnt enough" in capsys.readouterr().out
    assert record(tmp_path)["outcome"] == "budget used"
    assert tune("--budget", "60") == 0
    assert tried == ["lora", "lora-stronger"]
    assert "lora, seed 0: measured before" in capsys.readouterr().err


def test_the_same_command_again_trains_and_asks_nothing(trains, tmp_path, capsys):
    tried = trains(lora=GOOD)
    assert tune("--store", "answers.db") == 0
    before = (tmp_path / "out" / "model" / "adapter_model.safetensors").read_bytes()
    capsys.readouterr()
    assert tune("--store", "answers.db") == 0
    assert tried == ["lora"]
    assert "loading" not in capsys.readouterr().err
    assert (tmp_path / "out" / "model" / "adapter_model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (("--seed", "1"), 4, "--out=out: holds a run of another seed\n"),
        (("--out", "."), 4, "exists, and nothing is overwritten\n"),
        (("--out", "new", "--general", "nowhere.jsonl"), 4, "nowhere.jsonl: no such file\n"),
        (("--out", "new", "--suite", "target.yaml"), 4, "is the target\n"),
        (("--out", "new", "--general", "target.yaml"), 2, "target.yaml"),
        (("--engine", "vllm"), 4, "--engine=vllm: weights in another process cannot be changed\n"),
    ],
)
def test_input_that_cannot_be_used_is_refused_before_anything_is_trained(
    trains, tmp_path, capsys, more, code, message
):
    tried = trains(lora=GOOD)
    (tmp_path / "out").mkdir()
    arguments = {"base": "base", "corpus": "corpus.jsonl", "general": None, "target": "target.yaml",
        "suites": ["general.yaml"], "sample": None, "seed": 0, "useful": 0.5, "margin": 0.03}  # fmt: skip
    begun = {"started": "", "command": [], "arguments": arguments}
    (tmp_path / "out" / "tune.json").write_text(json.dumps(begun), encoding="utf-8")
    assert tune(*more) == code
    assert message in capsys.readouterr().err
    assert tried == []
