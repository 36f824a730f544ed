"""A record in, its folder out: the model, its card, the record and the picture; whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.errors import shown_path
from harness.models.card import CARD
from harness.repair.card import card
from harness.repair.plot import pareto
from harness.repair.record import FILE, RepairRecord
from harness.reporting.figures import svg
from harness.reporting.record import write_json
from harness.spelling import option
from harness.writing import system_fault, whole_folder, write_whole, writing

PLOT = "pareto.svg"


def publish(
    record: RepairRecord, out: Path, baseline: str, write: Callable[[Path], None] | None = None
) -> None:
    """Write the folder; with `write`, the model in it, and its card.

    Raises:
        HarnessError: it cannot be written.
    """
    with (
        writing(
            f"{option('out', shown_path(out))}: cannot be written",
            f"name another folder: {option('out', 'DIR')}",
            system_fault,
        ),
        whole_folder(out) as folder,
    ):
        if write is not None:
            write(folder)
            write_whole(folder / CARD, card(record, baseline))
        if (figure := pareto(record)) is not None:
            write_whole(folder / PLOT, svg(figure))
        write_json(folder / FILE, record)
