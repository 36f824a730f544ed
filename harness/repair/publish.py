"""A record in, its folder out: the model, its card, the record and the picture; whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.errors import HarnessError, shown_path
from harness.models.card import CARD
from harness.repair.card import card
from harness.repair.plot import pareto
from harness.repair.record import FILE, RepairRecord
from harness.reporting.figures import svg
from harness.reporting.record import write_json
from harness.spelling import option
from harness.writing import system_fault, whole_folder, write_whole, writing

PLOT = "pareto.svg"

LEFT_BY_FAILURE = {FILE, PLOT}
"""All that a repair that failed leaves in its folder, which may then be used again."""


def check_free(out: Path) -> None:
    """Refuse a folder with anything in it but what a repair that failed left; raises HarnessError."""
    if not out.exists():
        return
    if not out.is_dir() or {path.name for path in out.iterdir()} - LEFT_BY_FAILURE:
        raise HarnessError(
            f"{option('out', shown_path(out))}: exists, and nothing is overwritten\n  name another folder: {option('out', 'DIR')}"
        )


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
        check_free(out)  # it may have been made since the search began
