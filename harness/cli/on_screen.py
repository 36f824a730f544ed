"""A Record in, its summary on the terminal of a command out: a screenful, in colours where it has them."""

from __future__ import annotations

from typing import Literal

from harness.reporting.rows import Record


def show_record(record: Record, verbose: bool, color: Literal["auto", "yes", "no"]) -> None:
    """Print the summary as pytest does, which also decides by the environment whether there are colours."""
    from _pytest._io import TerminalWriter  # private; pytest's own commands have no other

    from harness.plugin.screen import view_of
    from harness.reporting.summary import summary
    from harness.reporting.view import COLOURS
    from harness.spelling import on_command_line
    from harness.terminal import show_marked

    writer = TerminalWriter()
    if color != "auto":
        writer.hasmarkup = color == "yes"
    lines = summary(record, view_of(writer, int(verbose), tail=1))
    show_marked(
        "\n".join(
            "".join(writer.markup(on_command_line(text), **COLOURS[style]) for text, style in line).rstrip()
            for line in lines
        )
    )
