"""Local models behind a store that say now what they run on, and said something else when their answers were kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.engine import registry
from harness.engine.batching import Budget
from harness.engine.pace import Pace, RunsOn
from harness.engine.requests import EnginePair, Generate, Generated, Plain
from harness.engine.settings import Settings
from harness.errors import EngineError
from harness.models.reference import find_pair
from harness.store.opening import open_pair

FIRST, SECOND = Generate(Plain("first"), 4), Generate(Plain("second"), 4)


class Placed:
    """A model that answers with its device and dtype."""

    kinds = frozenset({"generate"})
    template_names = None
    marks_reasoning = False

    def __init__(self, label, device_kind, dtype, invariant=False):
        self.label, self.device_kind, self.dtype, self.invariant = label, device_kind, dtype, invariant
        self.budget, self.pace = Budget(100), Pace()
        self.runs_on = RunsOn(label, 1, device_kind, dtype, "fake")

    def ask(self, requests, progress=None):
        return [Generated(f"{self.device_kind} {self.dtype}", 1, "turn") for _ in requests]


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Opens the pair in a new run, where its models would run; how often models were loaded."""
    for name in ("base", "tuned"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}", encoding="utf-8")
        (tmp_path / name / "model.safetensors").write_bytes(name.encode())
    loads = []

    def run(device_kind, dtype, invariant=False):
        def load(*given):
            loads.append(device_kind)
            sides = (Placed(label, device_kind, dtype, invariant) for label in ("base", "tuned"))
            return EnginePair(*sides, device_kind, dtype)

        monkeypatch.setattr(registry, "open_pair", load)
        found = find_pair(str(tmp_path / "tuned"), str(tmp_path / "base"))
        return open_pair(found, Settings(store=str(tmp_path / "answers.db")))

    return run, loads


def test_answers_of_one_device_are_not_kept_as_those_of_another(opened):
    run, loads = opened
    (answer,) = run("cuda", "bfloat16").baseline.ask([FIRST])  # and then it is killed
    second = run("cpu", "float32")
    assert second.device == "cuda"
    assert second.baseline.ask([FIRST]) == [answer]
    for _ in range(2):
        with pytest.raises(EngineError) as caught:
            second.tuned.ask([FIRST])
        assert caught.value.text == (
            "base: runs on cpu in float32 (alike in any batch) now, and ran on cuda in bfloat16 (not alike in any batch) "
            "when its answers were kept\n"
            "  they cannot be mixed with new ones: run again, and what is missing is asked where it runs now"
        )
    assert loads == ["cuda", "cpu"]

    third = run("cpu", "float32")
    assert (third.device, third.dtype) == ("cpu", "float32")
    for engine in (third.baseline, third.tuned):
        assert [answer.text for answer in engine.ask([FIRST, SECOND])] == ["cpu float32"] * 2

    fourth = run("cuda", "bfloat16")
    assert fourth.tuned.ask([FIRST])[0].text == "cpu float32"  # kept, and said to be the CPU's
    with pytest.raises(EngineError):
        fourth.tuned.ask([replace(FIRST, max_new_tokens=5)])
    fifth = run("cuda", "bfloat16")
    assert fifth.baseline.ask([FIRST]) == [answer]
    assert fifth.tuned.ask([FIRST])[0].text == "cuda bfloat16"


@pytest.mark.parametrize(
    "other", [("cpu", "bfloat16"), ("other", "float16"), ("cpu", "float16", True)], ids=str
)
def test_any_fact_that_decides_where_answers_are_kept_must_be_the_same(opened, other):
    run, _ = opened
    run("cpu", "float16").baseline.ask([FIRST])
    with pytest.raises(EngineError, match="run again"):
        run(*other).baseline.ask([SECOND])
    assert len(run(*other).baseline.ask([FIRST, SECOND])) == 2


def test_models_that_run_as_before_are_asked_on(opened):
    run, loads = opened
    run("cpu", "float32").baseline.ask([FIRST])
    assert [answer.text for answer in run("cpu", "float32").tuned.ask([FIRST, SECOND])] == ["cpu float32"] * 2
    assert loads == ["cpu", "cpu"]


def test_a_model_that_changes_before_it_is_loaded_is_not_asked(opened, tmp_path):
    run, loads = opened
    run("cpu", "float32").tuned.ask([FIRST])
    second = run("cpu", "float32")
    (tmp_path / "tuned" / "model.safetensors").write_bytes(b"the next checkpoint")
    for _ in range(2):
        with pytest.raises(
            EngineError, match="tuned: its files changed since the run began.*\n  wait until nothing writes"
        ):
            second.tuned.ask([FIRST, SECOND])
    (tmp_path / "tuned" / "model.safetensors").write_bytes(b"tuned")
    third = run("cpu", "float32")
    third.tuned.ask([FIRST])
    assert len(loads) == 2, "nothing of the changed model was kept, and what was kept before still counts"
