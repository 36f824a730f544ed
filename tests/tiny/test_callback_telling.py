"""Whom a watched training tells: trackers, the person who waits, and the author of a model that cannot be asked."""

from __future__ import annotations

import pytest
from transformers import AutoModelForSequenceClassification, Trainer, TrainerCallback

from harness.errors import EngineError
from harness.training.callback.callback import ForgettingCallback
from tests.support.trainings import loaded, run


def test_trackers_hear_it_without_a_line_of_the_users(base, suite, tmp_path, capsys):
    heard = []

    class Tracker(TrainerCallback):
        def on_log(self, args, state, control, logs=None, model=None, **kwargs):
            heard.append((state.global_step, dict(logs), model is not None))

    class Own(Trainer):
        def log(self, logs, start_time=None):
            super().log({**logs, "own": 1.0}, start_time)

    for quiet_about_it in (False, True):
        callback = ForgettingCallback([suite], every=6, stop_on=None, quiet=quiet_about_it)
        made = run(base, tmp_path, [Tracker(), callback], of=Own, steps=6)
        told = [(step, logs, found) for step, logs, found in heard if "forgetting/drop" in logs]
        assert [(step, logs["forgetting/forgotten"], found) for step, logs, found in told] == [
            (0, 0, True),
            (6, 1, True),
        ]
        assert not any("own" in logs for _, logs, _ in told), (
            "the Trainer's own numbers are for its own entries"
        )
        assert [entry["step"] for entry in made.state.log_history if "forgetting/drop" in entry] == [0, 6]
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("forgetting gate")]
        last = callback.history[-1]
        assert lines == [] if quiet_about_it else [
            "forgetting gate, step 0: PASSED, a drop of 0 points",
            f"forgetting gate, step 6: {last.shown}: {', '.join(last.failed[:3])}" + (f" and {len(last.failed) - 3} more" if len(last.failed) > 3 else ""),
        ]  # fmt: skip
        heard.clear()


def test_a_model_that_writes_no_text_is_refused(base, suite, tmp_path):
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1)
    with pytest.raises(
        EngineError, match=r"a LlamaForSequenceClassification writes no text: it may be a reward model"
    ):
        run(base, tmp_path, [ForgettingCallback([suite])], model=model)


def test_an_error_of_the_models_own_code_is_shown_as_it_is(base, suite, tmp_path):
    model, _ = loaded(base)
    model.forward = lambda *args, **kwargs: model.no_such_head
    with pytest.raises(AttributeError, match="no_such_head"):
        run(base, tmp_path, [ForgettingCallback([suite])], model=model)
