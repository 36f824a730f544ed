"""Bring the generated parts of pages up to date.

A generated part is between two comments, which Markdown does not show:

    <!-- generated: NAME -->
    ...
    <!-- end generated -->
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from harness.errors import HarnessError, InputError, Problem, Span, did_you_mean, shown_path
from harness.terminal import say, show
from harness.writing import write_wanted
from tools.docs import format_tables, lists, power_tables, record_tables, scale_tables, score_pages
from tools.docs.recipe_examples import EXAMPLES

FOLDER = Path("docs")

BEGIN = re.compile(r"^<!-- generated: (?P<name>\S+) -->$")
END = "<!-- end generated -->"

GENERATORS: dict[str, Callable[[], str]] = {
    "overall-catches": power_tables.overall_catches,
    "overall-needs": power_tables.overall_needs,
    "gates": power_tables.gates,
    "checklists": power_tables.checklists,
    "rises": power_tables.rises,
    "coverage": power_tables.coverage,
    "calibration": power_tables.calibration,
    "intervals": power_tables.intervals,
    **{f"keys-{part}": partial(format_tables.keys, part) for part in format_tables.PARTS},
    "scores": score_pages.score_list,
    "score-sections": score_pages.score_sections,
    "score-parameters": score_pages.shared_score_parameters,
    "check-examples": score_pages.check_examples,
    **{
        f"recipe-keys-{part}".removesuffix("-recipe"): partial(
            format_tables.keys, f"recipe-{part}", EXAMPLES[part]
        )
        for part in format_tables.RECIPE_PARTS
    },
    "commands": lists.commands,
    "options": lists.options,
    "shipped": lists.shipped,
    "shipped-in-short": lists.shipped_in_short,
    **{f"cookbook-{name}": partial(lists.cookbook, name) for name in lists.cookbook_files()},
    **{f"record-{part}": partial(record_tables.keys, part) for part in record_tables.PARTS},
    "scale-assumed": scale_tables.assumed,
    "scale-work": scale_tables.work,
    "scale-models": scale_tables.models,
    "scale-seconds": scale_tables.seconds,
    "scale-example": scale_tables.example,
    "scale-reading": scale_tables.measured_reading,
    "scale-clients": scale_tables.measured_clients,
}
"""Makes each generated part, as Markdown, by the name in its marker."""


def docs(write: bool, folder: Path = FOLDER) -> int:
    """Bring the pages of a folder and the README beside it up to date, or report those that are not; 0 if all are, else 1.

    Raises:
        HarnessError: there are no pages.
        InputError: a marker is unknown or has no end.
    """
    pages = sorted(folder.rglob("*.md"))
    if not pages:
        raise HarnessError(f"no pages in {shown_path(folder)}/: run this in a checkout")
    readme = folder.parent / "README.md"
    stale = 0
    for page in [*pages, *([readme] if readme.is_file() else [])]:
        text = page.read_text(encoding="utf-8")
        current = with_generated_parts(text, page, GENERATORS)
        if current == text:
            continue
        if write:
            write_wanted(page, current, "run it in a writable checkout")
            show(f"{shown_path(page)}: written")
        else:
            stale += 1
            say(f"{shown_path(page)}: out of date; run: python -m tools.docs --write")
    return 1 if stale else 0


def with_generated_parts(text: str, page: Path, generators: Mapping[str, Callable[[], str]]) -> str:
    """`text` with every generated part made again.

    Raises:
        InputError: a marker names no generator, or its part does not end.
    """
    lines: list[str] = []
    begin: Span | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        here = Span(page, number, 1)
        if found := BEGIN.match(line):
            if begin:
                raise _error(begin, f"this part does not end before the next begins, on line {number}")
            begin = here
            lines += [line, "", _generated(found["name"], here, generators), ""]
        elif line == END:
            if not begin:
                raise _error(here, "a part ends here that did not begin")
            begin = None
        if not begin:
            lines.append(line)
    if begin:
        raise _error(begin, "this part does not end", f"close it with a line '{END}'")
    return "\n".join(lines) + "\n"


def _error(span: Span, message: str, hint: str | None = None) -> InputError:
    return InputError([Problem(span, message, hint)])


def _generated(name: str, here: Span, generators: Mapping[str, Callable[[], str]]) -> str:
    if name not in generators:
        hint = did_you_mean(name, generators) or f"there are: {', '.join(sorted(generators))}"
        raise _error(here, f"nothing generates '{name}'", hint)
    return generators[name]().strip("\n")
