"""What a person sees of a callback while it asks a model in training."""

from __future__ import annotations

from harness import progress
from harness.training.callback.callback import ForgettingCallback
from tests.support.trainings import run


def test_it_shows_on_stderr_what_it_is_at(base, suite, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "FIRST", 0.0)
    run(base, tmp_path, [ForgettingCallback([suite], every=2, stop_on=None)], steps=4)
    err = capsys.readouterr().err
    for who in ("baseline", "step 0", "step 2", "step 4"):
        assert f"known, {who}: 0/" in err
    assert "\r" not in err
    run(base, tmp_path / "quiet", [ForgettingCallback([suite], every=2, stop_on=None, quiet=True)], steps=4)
    assert "answers" not in capsys.readouterr().err
