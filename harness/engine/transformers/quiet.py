"""Silence the progress bars, logs and warnings of transformers and peft, and collect the warnings.

They would mix with pytest's output, and a project that turns warnings into errors means those of its own code.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils import logging as transformers_logging

OF_NO_MATTER = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning, ResourceWarning)
"""Warnings for programmers, which do not concern what is computed."""


class Heard(logging.Handler):
    """Collects warnings, each once, as single lines."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.add(record.getMessage())

    def add(self, text: str) -> None:
        line = " ".join(text.split())
        if line and line not in self.lines:
            self.lines.append(line)


@contextmanager
def quiet(heard: Heard | None = None) -> Iterator[Heard]:
    """Show nothing while the block runs, and collect its warnings; pass `heard` to have them after an exception too."""
    bars = transformers_logging.is_progress_bar_enabled()
    verbosity = transformers_logging.get_verbosity()
    heard = heard or Heard()
    loggers = [logging.getLogger(name) for name in ("transformers", "peft")]
    before = [(logger.handlers[:], logger.propagate) for logger in loggers]
    transformers_logging.set_verbosity_warning()
    transformers_logging.disable_progress_bar()
    for logger in loggers:
        logger.handlers, logger.propagate = [heard], False
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield heard
        for warning in caught:
            if not issubclass(warning.category, OF_NO_MATTER):
                heard.add(str(warning.message))
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
