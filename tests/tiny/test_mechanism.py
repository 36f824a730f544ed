"""Why a tuned model forgets, in the smallest models that do. Read it from top to bottom."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from harness.cli.demo_mechanism import panels
from harness.cli.main import main
from harness.errors import HarnessError
from harness.training.mechanism import (
    AGGRESSIVE,
    LOW,
    STEPS,
    WANTED_BY_A,
    WANTED_BY_B,
    Curve,
    resting_place,
    single_weight,
    two_capabilities,
)

SEEDS = (42, 1, 2)


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed-{seed}")
def ways(request) -> dict[str, Curve]:
    """Four ways of tuning a network on B that has learnt A, all from the same weights."""
    return {curve.name: curve for curve in two_capabilities(request.param)}


# Two capabilities, one shared layer


def test_all_ways_start_where_a_is_known_and_b_is_not(ways):
    assert len({(way.loss_a[0], way.loss_b[0]) for way in ways.values()}) == 1
    assert ways["aggressive"].loss_a[0] < 0.01
    assert ways["aggressive"].loss_b[0] > 1


def test_aggressive_tuning_on_b_makes_a_many_times_worse(ways):
    assert ways["aggressive"].loss_b[-1] < 0.02
    assert ways["aggressive"].times_worse > 25


@pytest.mark.parametrize("way", ["aggressive", "low rate", "EWC"])
def test_head_a_stays_as_it_was_so_what_is_lost_is_lost_in_the_shared_layer(ways, way):
    assert ways[way].head_moved == 0


def test_replay_goes_on_training_head_a(ways):
    assert ways["replay"].head_moved > 0


@pytest.mark.parametrize("way", ["low rate", "replay", "EWC"])
def test_each_mitigation_keeps_most_of_a(ways, way):
    assert ways[way].times_worse < ways["aggressive"].times_worse / 3


@pytest.mark.parametrize("way", ["replay", "EWC"])
def test_replay_and_ewc_learn_b_as_well(ways, way):
    assert ways[way].loss_b[-1] < 0.05


def test_a_low_rate_keeps_a_and_pays_with_b(ways):
    low, aggressive = ways["low rate"], ways["aggressive"]
    assert low.loss_b[-1] > 10 * aggressive.loss_b[-1], "what a low rate keeps, it keeps by learning less"
    assert low.loss_b[-1] < low.loss_b[0] / 4


@pytest.mark.parametrize("way", ["replay", "EWC"])
def test_replay_and_ewc_keep_more_of_a_than_aggressive_tuning_stopped_where_b_is_learnt_as_well(ways, way):
    kept, aggressive = ways[way], ways["aggressive"]
    stopped = next(step for step, loss in enumerate(aggressive.loss_b) if loss <= kept.loss_b[-1])
    assert kept.loss_a[-1] < aggressive.loss_a[stopped] / 2


def test_a_low_rate_is_the_aggressive_one_stopped_early(ways):
    """It mitigates nothing of itself: at the same learning of B, as much of A is gone."""
    low, aggressive = ways["low rate"], ways["aggressive"]
    early = round(STEPS * LOW / AGGRESSIVE)
    assert aggressive.loss_b[early] == pytest.approx(low.loss_b[-1], rel=0.1)
    assert aggressive.loss_a[early] == pytest.approx(low.loss_a[-1], rel=0.3)


def test_the_same_seed_gives_the_same_curves():
    assert two_capabilities(7) == two_capabilities(7)


# One weight, two wishes


def test_a_single_weight_goes_where_b_wants_it_and_a_pays():
    pull = single_weight()
    assert pull.weights[0] == WANTED_BY_A == 1.0
    assert pull.weights[-1] == pytest.approx(WANTED_BY_B, abs=1e-3)
    assert pull.loss_a == pytest.approx(9.0, abs=0.01)


@pytest.mark.parametrize("importance", [0.5, 2.0, 10.0, 30.0])
def test_ewc_holds_it_where_the_pulls_balance(importance):
    pull = single_weight(importance)
    assert pull.weights[-1] == pytest.approx(resting_place(importance), abs=1e-4)
    # the derivative of (w + 2)^2 + importance / 2 (w - 1)^2 vanishes there
    w = resting_place(importance)
    assert 2 * (w + 2) + importance * (w - 1) == pytest.approx(0, abs=1e-12)


def test_the_more_a_weight_matters_the_less_it_moves():
    losses = [single_weight(importance).loss_a for importance in (0.0, 0.5, 2.0, 10.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 30


# The command


def test_the_command_tells_the_story_and_draws_it(tmp_path: Path, capsys):
    out = tmp_path / "plots" / "mechanism.svg"
    assert main(["demo", "mechanism", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    for name in ("aggressive", "low rate", "replay", "EWC"):
        assert f"\n{name}" in told
    assert "it goes from 1 to -2.00, and the loss on A from 0 to 9.00" in told
    assert "rests at 0.50 (in theory 0.50)" in told
    drawn = "".join(ElementTree.parse(out).getroot().itertext())
    assert "aggressive: A" in drawn
    assert "loss on A, learnt before" in drawn
    first = out.read_bytes()
    assert main(["demo", "mechanism", "--out", str(out)]) == 0
    assert out.read_bytes() == first, "the same run draws the same bytes"


def test_the_table_and_the_panels_show_what_was_measured(tmp_path: Path, capsys):
    assert main(["demo", "mechanism", "--out", str(tmp_path / "m.svg")]) == 0
    told, measured = capsys.readouterr().out, two_capabilities()
    for way, panel in zip(measured, panels(measured), strict=True):
        row = next(line for line in told.splitlines() if line.startswith(f"{way.name} "))
        shown = (
            f"{way.loss_a[0]:.4f}",
            f"{way.loss_a[-1]:.4f}",
            f"{way.times_worse:.1f}",
            f"{way.loss_b[-1]:.4f}",
        )
        assert tuple(row.removeprefix(way.name).split()) == shown
        assert (panel.lost, panel.learnt) == (way.loss_a, way.loss_b)


def test_the_plot_can_be_a_picture(tmp_path: Path):
    out = tmp_path / "m.png"
    assert main(["demo", "mechanism", "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_plot_of_another_kind_is_refused(tmp_path: Path, capsys):
    assert main(["demo", "mechanism", "--out", str(tmp_path / "plot.jpg")]) == 4
    assert "the plot is SVG or PNG" in capsys.readouterr().err


def test_a_plot_that_cannot_be_written(tmp_path: Path, capsys):
    (tmp_path / "taken.svg").mkdir()
    assert main(["demo", "mechanism", "--out", str(tmp_path / "taken.svg")]) == 4
    assert (
        "taken.svg: cannot be written: Is a directory\n  name another file with --out\n"
        in capsys.readouterr().err
    )


def test_the_gate_takes_no_out(capsys):
    assert main(["demo", "gate", "--out", "m.svg"]) == 4
    assert capsys.readouterr().err == "--out is the plot of `demo mechanism`; `demo gate` draws none\n"


def test_a_single_weight_that_would_swing_ever_wider_is_refused():
    with pytest.raises(HarnessError, match="never comes to rest"):
        single_weight(importance=40.0)
