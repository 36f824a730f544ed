"""A Record and the name of a format in, the report as text out. A format is one function from a Record to text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.reporting.record import Record

FORMATS: dict[str, str] = {
    "terminal": "harness.reporting.summary:render",
    "json": "harness.reporting.record:render",
}
"""By name, `module:function` of each format; imported when it is asked for."""


def render(record: Record, name: str) -> str:
    """The report of a record; raises KeyError for a name that is no format's."""
    module, _, function = FORMATS[name].partition(":")
    text: str = getattr(import_module(module), function)(record)
    return text
