"""What a watched training keeps on disk, and what a kill leaves of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.training.callback.checkpoints import BEST, BestCheckpoint


class FullModel:
    """Saves one file, as a model or a tokenizer would."""

    def __init__(self, text: str) -> None:
        self.text = text

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "weights").write_text(self.text)


TOKENIZER = type("Tokenizer", (), {"save_pretrained": lambda self, folder: None})()


def offered(folder: Path, *offers: tuple[int, float | None]) -> BestCheckpoint:
    best = BestCheckpoint(folder)
    best.begin("this", 0)
    for step, loss in offers:
        best.offer(step, 0.0, loss, FullModel(str(step)), TOKENIZER)
    return best


@pytest.mark.parametrize(
    ("offers", "kept"),
    [
        ([(1, None), (2, None), (3, None)], 3),
        ([(1, 0.5), (2, 0.4), (3, 0.45)], 2),
        ([(1, 0.5), (2, 0.5)], 1),
        ([(1, None), (2, 0.9), (3, None)], 2),  # the loss of step 3 is not known
        ([(1, None), (1, 0.9), (2, 0.95)], 1),  # kept, then evaluated
        ([(1, None), (1, 0.9), (2, None), (2, 0.8)], 2),  # waits to be evaluated
        ([(5, None), (3, None)], 5),  # the Trainer's own best, loaded again
        ([(5, None), (3, 0.1)], 3),
    ],
)
def test_which_is_the_best(tmp_path, offers, kept):
    best = offered(tmp_path / "best", *offers)
    assert best.step == kept
    assert (tmp_path / "best" / "weights").read_text() == str(kept)
    note = json.loads((tmp_path / "best" / BEST).read_text())
    assert (note["step"], note["eval_loss"]) == (kept, best.loss)
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


def test_what_is_kept_is_not_written_again_when_its_loss_is_known(tmp_path):
    best = offered(tmp_path / "best", (1, None))
    best.offer(1, 0.0, 0.5, FullModel("again"), TOKENIZER)
    assert (best.loss, (tmp_path / "best" / "weights").read_text()) == (0.5, "1")


def test_a_resumed_training_goes_on_from_its_best_and_a_new_one_does_not(tmp_path):
    offered(tmp_path / "best", (4, 0.5))
    again = BestCheckpoint(tmp_path / "best")
    again.begin("this", 4)
    again.offer(8, 0.0, 0.7, FullModel("8"), TOKENIZER)
    assert (again.step, (tmp_path / "best" / "weights").read_text()) == (4, "4")
    assert offered(tmp_path / "best", (2, 0.9)).step == 2
    assert (tmp_path / "best" / "weights").read_text() == "2"


def test_a_folder_of_something_else_is_not_lost(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    BestCheckpoint(mine)
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(
        HarnessError, match="it holds something other than a best checkpoint, which would be lost"
    ):
        BestCheckpoint(mine)
    with pytest.raises(HarnessError, match="name a folder that is empty or not there yet"):
        BestCheckpoint(mine / "thesis.txt")


class Killed(BaseException):
    pass


def die(*args: object) -> None:
    raise Killed


def test_a_kill_while_a_checkpoint_is_written_leaves_the_older_one(tmp_path, monkeypatch):
    best = offered(tmp_path / "best", (1, None))
    monkeypatch.setattr(FullModel, "save_pretrained", die)
    with pytest.raises(Killed):
        best.offer(2, 0.0, None, FullModel("2"), TOKENIZER)
    assert (tmp_path / "best" / "weights").read_text() == "1"


@pytest.mark.parametrize("dies_at", ["best", ".best-older", ".best-unfinished"])
def test_a_kill_between_the_renames_leaves_one_whole(tmp_path, monkeypatch, dies_at):
    """As if nothing more could run: neither the undoing nor the tidying."""
    best = offered(tmp_path / "best", (1, None))
    rename = Path.rename
    dead = []

    def kill(path: Path, target: Path) -> Path:
        if dead or path.name == dies_at:
            dead.append(path)
            raise Killed
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", kill)
    try:
        best.offer(2, 0.0, None, FullModel("2"), TOKENIZER)
    except Killed:
        pass
    monkeypatch.undo()
    again = BestCheckpoint(tmp_path / "best")
    again.begin("this", 4)
    assert again.step == int((tmp_path / "best" / "weights").read_text()) == (2 if not dead else 1)


def test_an_interruption_between_the_renames_is_undone(tmp_path, monkeypatch):
    best = offered(tmp_path / "best", (1, None))
    rename = Path.rename
    monkeypatch.setattr(
        Path, "rename", lambda path, to: die() if path.name.endswith("unfinished") else rename(path, to)
    )
    with pytest.raises(Killed):
        best.offer(2, 0.0, None, FullModel("2"), TOKENIZER)
    assert (tmp_path / "best" / "weights").read_text() == "1"
