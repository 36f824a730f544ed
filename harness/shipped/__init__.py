"""The suites and fixtures that ship, by name; `pytest --pyargs harness.shipped --model=REF` runs all of these suites.

A wheel has them in this folder; a checkout, and so an editable install, has them at its top.
"""

from __future__ import annotations

from pathlib import Path

NAME = "harness.shipped"
"""What `--pyargs` takes."""

_PACKAGE = Path(__file__).parent
_FOLDER = _PACKAGE if (_PACKAGE / "suites").is_dir() else _PACKAGE.parents[1]

SUITES = _FOLDER / "suites"
"""The folder of all suites."""

FIXTURES = _FOLDER / "fixtures"
"""The folder of the recipes, with the corpora that they train on."""


def suite_files() -> dict[str, Path]:
    """The file of each suite by its name, in alphabetical order; empty where someone removed them."""
    return {path.stem.replace("_", "-"): path for path in sorted(SUITES.glob("*.yaml"))}
