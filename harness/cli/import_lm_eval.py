"""A task file of lm-evaluation-harness in, a suite file that gives the same per-item answers out."""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness.authoring.lm_eval.convert import convert
from harness.authoring.lm_eval.task import read_task
from harness.documents.within import PROJECT, Reach
from harness.errors import HarnessError, InputError, shown_path
from harness.scoring import load_scorers
from harness.suites.read import read_suite
from harness.terminal import say, show
from harness.writing import write_wanted


def import_lm_eval(
    path: Path,
    out: Path | None = None,
    limit: int | None = None,
    category: str | None = None,
    metric: str | None = None,
    num_fewshot: int | None = None,
    force: bool = False,
    reach: Reach = PROJECT,
) -> int:
    """Write the suite, by default to suites/NAME.yaml, and say what is in it.

    Raises:
        InputError: the task cannot be imported; with every reason.
        HarnessError: the file to write is there already, or an installed score cannot be loaded.
    """
    imported = convert(read_task(path, metric, num_fewshot, reach), limit, category)
    out = out or Path("suites") / f"{imported.name}.yaml"
    if out.exists() and not force:
        raise HarnessError(
            f"{shown_path(out)} is there already\n  name another file with --out, or add --force"
        )
    _check(imported.text)
    write_wanted(out, imported.text, "name another place: --out FILE")
    for note in imported.notes:
        say(f"note: {note}")
    categories = len({item.category for item in imported.items if item.category is not None})
    inside = f" in {categories} categories" if categories else ""
    show(f"{shown_path(out)}: {imported.name}, {len(imported.items)} probes{inside}")
    return 0


def _check(text: str) -> None:
    """What is written must read; where it does not, the fault is ours."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "imported.yaml"
        path.write_text(text, encoding="utf-8", newline="\n")
        try:
            read_suite(path, load_scorers())
        except InputError as error:
            raise AssertionError(f"the imported suite cannot be read:\n{error}") from error
