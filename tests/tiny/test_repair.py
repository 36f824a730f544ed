"""`python -m harness repair` on a tiny model that by construction learns at a strength of 0.2, and forgets at 0.6."""

from __future__ import annotations

import json
import shutil

import pytest
from safetensors.torch import load_file

from harness.api.gate import run_gate
from harness.cli.main import main
from harness.models.card import card_bases
from harness.repair import run as module
from harness.repair.search import Search
from harness.training.edits.of_adapter import AdapterAtStrengths
from harness.training.edits.repairable import Repairable
from tests.support.forgetful import forgetful_adapter, forgetful_base, merged, suites
from tests.support.models import lora, save_trained


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forgetful")
    forgetful_adapter(folder / "adapter", forgetful_base(folder / "base"))
    merged(folder / "full", folder / "base", folder / "adapter")
    suites(folder)
    return folder


@pytest.fixture
def folder(models, tmp_path, monkeypatch):
    """An adapter and a full model that can be repaired, and a target and a general suite."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    shutil.copytree(models, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def brief(folder, monkeypatch):
    """The same, and a search of strengths alone."""
    monkeypatch.setattr(Search, "run", Search.strengths)
    return folder


def repair(model: str = "adapter", *more: str, out: str = "out") -> int:
    given = ["--target", "target.yaml", "--suite", "general.yaml", "--out", out, "--device", "cpu"]
    return main(["repair", "--model", model, *given, *more])


def record(folder, out: str = "out"):
    return json.loads((folder / out / "repair.json").read_text())


def hidden(folder) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_an_adapter_is_repaired_written_and_passes_the_gate(models, folder, capsys):
    before = {path.name: path.read_bytes() for path in (folder / "adapter").iterdir()}
    assert run_gate("adapter", "general.yaml", device="cpu").run.exit_status == 1
    assert repair() == 0
    out = capsys.readouterr().out
    assert "general.yaml" not in out
    found = record(folder)
    assert (found["outcome"], found["confirmed"]["exit_status"]) == ("repaired", 0)
    strength = next(
        iter(next(row for row in found["candidates"] if row["name"] == found["chosen"])["strengths"].values())
    )
    assert 0.2 < strength < 0.6
    assert f"strength {strength:g}, confirmation" in out
    assert "On probes that had no part in the choice it gains 100.0" in " ".join(out.split())
    weights = [load_file(folder / name / "adapter_model.safetensors") for name in ("adapter", "out")]
    assert all(
        (weights[1][key] == value * (strength if "lora_B" in key else 1)).all()
        for key, value in weights[0].items()
    )
    assert run_gate("out", "general.yaml", device="cpu").run.exit_status == 0
    assert run_gate("out", "target.yaml", device="cpu").gates[0].gained == 40
    assert card_bases(folder / "out") == (str(models / "base"),)
    card = (folder / "out" / "README.md").read_text()
    assert "| repaired, confirmation | 100.0 |" in card
    assert "<svg" in (folder / "out" / "pareto.svg").read_text()
    assert {path.name: path.read_bytes() for path in (folder / "adapter").iterdir()} == before
    assert hidden(folder) == []


def test_a_full_model_is_repaired_towards_its_base(folder):
    assert repair("full") == 0
    found = record(folder)
    assert {row["form"] for row in found["candidates"]} == {"full"}
    assert {row["pruning"] for row in found["candidates"]} == {None, "magnitude", "forgetting-aware"}
    assert run_gate("out", "general.yaml", device="cpu").run.exit_status == 0  # its card names the baseline


def test_every_candidate_is_in_the_record_and_nothing_is_asked_twice(folder, capsys):
    assert repair("adapter", "--no-merge") == 0
    found = record(folder)
    assert {row["pruning"] for row in found["candidates"]} == {None}
    assert {"passes", "fails", "gain gone"} <= {row["standing"] for row in found["candidates"]}
    assert found["candidates"][0]["effect"]["drop"] == 1.0
    capsys.readouterr()
    assert repair("adapter", "--no-merge", "--store", "answers.db", out="again") == 0
    assert "loading" in capsys.readouterr().err
    assert repair("adapter", "--no-merge", "--store", "answers.db", out="third") == 0
    searching, chosen, _ = capsys.readouterr().err.partition("chosen: ")
    assert chosen
    assert "loading" not in searching  # only the written model is loaded
    assert record(folder, "third")["candidates"][0]["effect"] == found["candidates"][0]["effect"]


def test_it_is_said_plainly_that_nothing_passes(brief, capsys):
    forgetful_adapter(brief / "adapter", brief / "base", learns=0.7, forgets=0.3)
    assert repair("adapter") == 1
    out = capsys.readouterr().out
    assert "No repair was found" in out
    assert "none keeps 50.0 % of the gain and passes" in " ".join(out.split())
    assert sorted(path.name for path in (brief / "out").iterdir()) == ["pareto.svg", "repair.json"]
    assert record(brief)["outcome"] == "nothing passes"
    forgetful_adapter(brief / "adapter", brief / "base")
    assert repair("adapter", "--no-merge") == 0  # the folder of a failure may be used again


def test_a_folder_that_was_made_meanwhile_is_left_as_it_is(brief, monkeypatch, capsys):
    def confirm(*given, **options):
        (brief / "out").mkdir()
        (brief / "out" / "mine.txt").write_text("mine")
        return really(*given, **options)

    really = module.confirm
    monkeypatch.setattr(module, "confirm", confirm)
    assert repair("adapter") == 4
    assert "--out=out: exists, and nothing is overwritten\n" in capsys.readouterr().err
    assert [path.name for path in (brief / "out").iterdir()] == ["mine.txt"]
    assert hidden(brief) == []


def test_a_model_that_learnt_nothing_decides_nothing(brief, capsys):
    forgetful_adapter(brief / "adapter", brief / "base", learns=5.0)
    assert repair("adapter") == 5
    assert "the tuned model is not shown to have learnt the target" in " ".join(
        capsys.readouterr().out.split()
    )
    assert len(record(brief)["candidates"]) == 1


def test_a_model_that_passes_is_written_as_it_is(brief, capsys):
    forgetful_adapter(brief / "adapter", brief / "base", forgets=2.0)
    assert repair("adapter") == 0
    assert "Nothing to repair: the tuned model passes as it is" in capsys.readouterr().out
    assert record(brief)["outcome"] == "unchanged"
    weights = [(brief / name / "adapter_model.safetensors").read_bytes() for name in ("adapter", "out")]
    assert weights[0] == weights[1]


def test_a_choice_that_other_probes_do_not_confirm_is_not_written(brief, monkeypatch, capsys):
    """The adapter forgets from 0.3 on, of which the probes that choose show nothing."""
    forgetful_adapter(brief / "adapter", brief / "base", forgets=0.15)
    really = module.Trials

    class Blind(really):
        def _measured(self, candidate):
            standing, found = super()._measured(candidate)
            return ("passes" if standing == "loses too much" else standing), found

    monkeypatch.setattr(module, "Trials", Blind)
    assert repair("adapter", "--no-merge") == 1
    assert record(brief)["outcome"] == "not confirmed"
    assert "do not confirm it: 100.0 points lost" in " ".join(capsys.readouterr().out.split())
    assert not (brief / "out" / "adapter_config.json").exists()


def test_a_note_that_comes_up_for_a_later_candidate_is_in_the_record(brief, monkeypatch, capsys):
    really, note = module.Trials, "general: only the third candidate gives cause for this"

    class Noting(really):
        def _measured(self, candidate):
            if len(self.seconds) == 2:
                self.examiner.session().note(note)
            return super()._measured(candidate)

    monkeypatch.setattr(module, "Trials", Noting)
    assert repair("adapter", "--no-merge") == 0
    assert record(brief)["notes"].count(note) == 1
    assert note in capsys.readouterr().out


def test_a_folder_is_never_overwritten(folder, capsys):
    (folder / "out").mkdir()
    (folder / "out" / "mine.txt").write_text("mine")
    assert repair() == 4
    assert (
        capsys.readouterr().err
        == "--out=out: exists, and nothing is overwritten\n  name another folder: --out=DIR\n"
    )
    assert (folder / "out" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("model", ["adapter", "full"])
def test_a_crash_in_the_middle_leaves_no_half_folder(model, brief, monkeypatch):
    restored = []
    monkeypatch.setattr(
        Repairable, "restore", lambda edited, own=Repairable.restore: (own(edited), restored.append(edited))
    )
    monkeypatch.setattr(module, "check_same_answers", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
    assert repair(model, "--no-merge") == 130
    assert not (brief / "out").exists()
    assert hidden(brief) == []
    assert [edited._under for edited in restored] == [edited.unchanged for edited in restored] != []


def test_a_written_model_that_answers_otherwise_is_not_kept(brief, monkeypatch, capsys):
    write = AdapterAtStrengths.write
    monkeypatch.setattr(
        AdapterAtStrengths, "write", lambda edited, edit, out: write(edited, edited.unchanged, out)
    )
    assert repair("adapter", "--no-merge") == 4
    err = capsys.readouterr().err
    assert "the written model does not give the answers that were confirmed: 40 of 60 differ" in err
    assert not (brief / "out").exists()


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        ("nowhere", (), "nowhere: no such folder"),
        ("base", (), "no baseline to compare with"),
        ("adapter", ("--baseline", "same"), "is its own baseline"),
        ("adapter", ("--target", "nowhere.yaml"), "nowhere.yaml"),
        ("adapter", ("--engine", "vllm"), "--engine=vllm: weights in another process cannot be changed"),
        ("vllm:adapter", (), "adapter: vllm would run it, and weights in another process cannot be changed"),
    ],
)
def test_input_that_cannot_be_used_is_refused_before_anything_is_asked(model, more, message, folder, capsys):
    assert repair(model, *more) in (2, 4)
    err = capsys.readouterr().err
    assert message in err
    assert "answers in" not in err
    assert not (folder / "out").exists()


def test_the_budget_ends_the_search_and_what_was_found_is_confirmed(folder, capsys):
    assert repair("adapter", "--budget", "1e-9") == 0
    assert "The budget was used up before every candidate was tried." in capsys.readouterr().out
    assert record(folder)["complete"] is False
    assert len(record(folder)["candidates"]) == 2


def test_an_adapter_that_would_have_to_be_merged_is_refused_if_it_may_not_be(folder, capsys):
    save_trained(folder / "base", folder / "dora", lora(use_dora=True, target_modules=["down_proj"]))
    assert repair("dora", "--no-merge") == 4
    assert "may not be merged into its base\n  leave out --no-merge" in capsys.readouterr().err
