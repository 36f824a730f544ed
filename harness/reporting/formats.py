"""A Record and the name of a format in, the report as text out; a format is one function from a Record to text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.reporting.rows import Record

FORMATS: dict[str, str] = {
    "terminal": "harness.reporting.summary:render",
    "markdown": "harness.reporting.markdown:render",
    "json": "harness.reporting.record:render",
    "html": "harness.reporting.html.page:render",
    "svg": "harness.reporting.html.picture:render",
}
"""The `module:function` of each format by name, imported on first use."""


def render(record: Record, name: str) -> str:
    """The report of a record; raises KeyError for an unknown format."""
    module, _, function = FORMATS[name].partition(":")
    text: str = getattr(import_module(module), function)(record)
    return text
