"""Requests about a suite in, the answers of an Engine out; every error names the suite and the probe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar

from harness.engine.registry import is_foreign
from harness.engine.requests import Answer, Engine, Progress, Request, UnansweredError, check_answers
from harness.errors import EngineError, HarnessError, what_was_raised
from harness.evaluation.tasks import DiedError
from harness.suites.suite import Suite

Asks = Callable[[Engine, Sequence[Request], Progress | None], Sequence[Answer]]

ASKS: ContextVar[Asks | None] = ContextVar("asks", default=None)
"""Asks an engine together with other processes; None where this one is alone."""


def answers_of(
    engine: Engine,
    suite: Suite,
    requests: Sequence[Request],
    ids: Sequence[str],
    progress: Progress | None = None,
) -> Sequence[Answer]:
    """One answer to each request.

    Args:
        ids: of the probe that each request is about.

    Raises:
        EngineError: the model cannot answer, or left a request out.
        DiedError: another process, which was to answer some of them, died.
    """
    failure = f"{where(suite)} cannot be asked"
    try:
        asks = ASKS.get()
        answers = asks(engine, requests, progress) if asks else engine.ask(requests, progress)
        check_answers(engine.label, answers, requests)
    except UnansweredError as error:
        about = (id for id, request in zip(ids, requests, strict=True) if request == error.request)
        named = ", ".join(f"'{id}'" for id in dict.fromkeys(about))
        raise EngineError(f"{failure}: the probe {named}\n  {error.text}") from error
    except EngineError as error:
        raise EngineError(f"{failure}\n  {error.text}") from error
    except Exception as error:
        if isinstance(error, HarnessError | DiedError) or not is_foreign(engine):
            raise
        raise EngineError(f"{failure}\n  {engine.label}: {what_was_raised(error)}") from error
    return answers


def where(suite: Suite) -> str:
    """A suite with its place, as an error begins."""
    return f"{suite.span}: the suite '{suite.name}'" if suite.span else f"the suite '{suite.name}'"
