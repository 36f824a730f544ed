"""The summary on a terminal: its bars, its width, and that it fits on a screen."""

from __future__ import annotations

from typing import Any

import pytest

from harness.reporting.bars import CELLS, DRAWN, TYPED, bar, heading
from harness.reporting.rows import GateRow, Record
from harness.reporting.screen import Block, fit
from harness.reporting.summary import summary
from harness.reporting.view import View, heights, line, plain
from harness.tables import columns
from tests.unit.reporting.test_summary import GATE, RUN


def drawn(drop: float, low: float, high: float, margin: float = 0.1, signs: Any = DRAWN) -> str:
    row = GateRow.model_validate({**GATE, "drop": drop, "interval": (low, high), "max_drop": margin})
    return bar(row, signs).rstrip()


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((0.0, -0.04, 0.04), " ├─●─┤  │"),
        ((0.1, 0.02, 0.2), "   ·├───●─┤"),
        ((0.9, 0.7, 0.95), "   ·    │     ●"),
        ((0.2, 0.11, 0.3), "   ·    │├●┤"),
        ((0.05, 0.0, 0.0999), "   ├──●┤│"),
        ((-0.5, -0.6, -0.4), "◂  ·    │"),
        ((1.0, 1.0, 1.0, 0.01), "   ·    │        ▸"),
        ((0.1, 0.02, 0.2, 0.1, TYPED), "   :[---o-]"),
    ],
)
def test_a_bar(numbers, shown):
    made = drawn(*numbers)
    assert len(made) <= CELLS
    assert made.replace(" ", "") != ""
    assert made == shown


@pytest.mark.parametrize("high", [0.0999, 0.05, 0.0])
def test_no_rounding_moves_an_interval_over_the_margin(high):
    assert "┼" not in drawn(high / 2, -0.01, high)
    assert drawn(high / 2, -0.01, high).endswith("│")


def test_the_heading_has_the_places():
    assert heading(True)[8 - 3 :].startswith("margin")
    assert heading(False).isascii()


def test_a_gate_without_a_margin_has_no_bar():
    assert bar(GateRow.model_validate({**GATE, "max_drop": None}), DRAWN) == ""


def large(suites: int = 60, notes: int = 30) -> Record:
    gates = [{**GATE, "suite": f"suite-{n}", "drop": n / 100} for n in range(suites)]
    run = {
        **RUN,
        "status": "forgotten",
        "notes": [f"note {n}" for n in range(notes)],
        "observed": ["7 of 9"] * 3,
    }
    return Record.model_validate({"run": run, "gates": gates, "probes": []})


STEPS = ["what now", "  ask:", "    pytest", "  see:", "    preview"]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("height", [24, 40, 100])
def test_it_fits_on_the_screen(width, height):
    shown = summary(large(), View(width, height), ["record: x"], STEPS)
    assert heights(shown, width) <= height
    text = plain(shown)
    assert text.splitlines()[0] == "Forgotten: 60 gates failed"
    assert "suite-59" in text
    assert "-v shows all" in text
    assert text.endswith("record: x")


def test_all_of_it_with_v_and_less_with_q():
    every = plain(summary(large(), View(80, 24, verbosity=1), ["record: x"], STEPS))
    assert all(f"suite-{n} " in every for n in range(60))
    assert "note: note 29" in every
    assert "-v shows all" not in every
    quiet = plain(summary(large(), View(80, 24, verbosity=-1), ["record: x"], STEPS)).splitlines()
    assert len(quiet) < 16
    assert "what now" not in quiet
    assert plain(summary(large(), View(80, 24, verbosity=-2), ["record: x"])).splitlines() == [
        "Forgotten: 60 gates failed", "record: x",
    ]  # fmt: skip


def test_notes_that_every_run_has_are_the_first_to_be_folded():
    notes = [f"s{n}: max_new_tokens (9) cut 1 answers" for n in range(9)] + ["the adapter is odd"]
    record = large(60, 0)
    record = record.model_copy(update={"run": record.run.model_copy(update={"notes": notes})})
    text = plain(summary(record, View(80, 40)))
    assert "note: the adapter is odd" in text
    assert "max_new_tokens" not in text
    assert "and 9 more notes: -v shows all, and record.json has them" in text


@pytest.mark.parametrize("width", [80, 120])
def test_no_row_is_wider_than_the_terminal(width):
    gates = [{**GATE, "suite": "a-suite-with-a-very-long-name" * 3}, {**GATE, "suite": "漢字" * 30}]
    record = Record.model_validate({"run": RUN, "gates": gates, "probes": []})
    lines = plain(summary(record, View(width))).splitlines()
    rows = [text for text in lines if "FORGOTTEN" in text]
    assert len(rows) == 2
    assert max(map(columns, rows)) <= width


def test_a_terminal_of_ascii_gets_ascii():
    assert plain(summary(large(notes=0), View(unicode=False))).isascii()


@pytest.mark.parametrize("height", range(8))
def test_what_belongs_together_is_shown_or_left_out_together(height):
    block = Block([line(str(n)) for n in range(6)], [line("what now")], wanted=4, step=2)
    assert len(fit([block], 80, height)) in (0, 3, 5, 7)


def test_a_block_says_what_it_leaves_out():
    block = Block([line(str(n)) for n in range(9)], wanted=9, more=lambda first: f"{9 - first} more")
    assert plain(fit([block], 80, 4)).splitlines() == ["0", "1", "2", "6 more"]
    assert len(fit([block], 80, None)) == 9
