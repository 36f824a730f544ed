"""Signals for a process that a test starts."""

from __future__ import annotations

import signal


def heeds_ctrl_c() -> None:
    """For `preexec_fn`: what a shell starts in the background ignores Ctrl-C, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
