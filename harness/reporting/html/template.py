"""A template and its values in, one self-contained page out: no network, and nothing on it that the page does not make itself.

Whatever a template shows is escaped twice over: for HTML by Jinja, and for the eye by `harness.visible`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.visible import visible_lines

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Asset:
    """A style sheet or script of ours, to be put into a page as it is, and its source in a Content-Security-Policy."""

    text: Markup
    source: str

    @classmethod
    def of(cls, name: str) -> Asset:
        text = (TEMPLATES / name).read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        return cls(Markup(text), f"'sha256-{digest}'")  # nosec B704


def html_page(template: str, folders: Sequence[Path] = (), **values: Any) -> str:
    """The page.

    Args:
        template: its file, which extends `base.html`.
        folders: where it is, if not beside that.
    """
    environment = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.globals["asset"] = Asset.of
    return environment.get_template(template).render(**values)


def shown(text: str) -> str:
    """Text as a page shows it."""
    return "\n".join(visible_lines(text))


def _shown(value: object) -> object:
    """The same of all that is text; our own markup stays as it is."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value
