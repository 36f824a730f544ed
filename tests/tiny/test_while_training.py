"""What a person sees of a callback while it asks a model in training, and models that are compiled."""

from __future__ import annotations

import pytest
import torch

from harness import progress
from harness.training.callback.callback import ForgettingCallback
from tests.support.trainings import adapted, loaded, run


def test_it_shows_on_stderr_what_it_is_at(base, suite, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "FIRST", 0.0)
    run(base, tmp_path, [ForgettingCallback([suite], every=2, stop_on=None)], steps=4)
    err = capsys.readouterr().err
    for who in ("baseline", "step 0", "step 2", "step 4"):
        assert f"known, {who}: 0/" in err
    assert "\r" not in err
    run(base, tmp_path / "quiet", [ForgettingCallback([suite], every=2, stop_on=None, quiet=True)], steps=4)
    assert "answers" not in capsys.readouterr().err


@pytest.mark.parametrize("lora", [None, {}], ids=["full", "lora"])
@pytest.mark.parametrize("in_place", [False, True], ids=["wrapped", "in place"])
def test_a_compiled_model_is_asked_as_it_is_without_compiling(base, suite, tmp_path, lora, in_place):
    made = loaded(base)[0] if lora is None else adapted(loaded(base)[0], **lora)
    if in_place:
        made.compile(backend="eager")
    plain, compiled = (
        ForgettingCallback([suite], every=2, stop_on=None, keep_best=tmp_path / name) for name in "pc"
    )
    run(base, tmp_path / "a", [plain], steps=2, rate=1e-4, lora=lora)
    model = made if in_place else torch.compile(made, backend="eager")
    run(base, tmp_path / "b", [compiled], steps=2, rate=1e-4, model=model)
    assert compiled.history == plain.history
    assert compiled._beginning.weights == plain._beginning.weights, "else its adapter was not switched off"
    assert {file.name for file in (tmp_path / "c").iterdir()} == {
        file.name for file in (tmp_path / "p").iterdir()
    }
