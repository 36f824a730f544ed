"""Requests about a suite in, the answers of an Engine out; every error names the suite and the probe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar

from harness.engine.checked import checked
from harness.engine.registry import is_foreign
from harness.engine.requests import Answer, Engine, Progress, Request, UnansweredError
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
        EngineError: the model cannot answer, left a request out, or gave something else than an answer.
        DiedError: another process, which was to answer some of them, died.
    """
    failure = f"{where(suite)} cannot be asked"
    try:
        asks = ASKS.get()
        given = asks(engine, requests, progress) if asks else engine.ask(requests, progress)
        return checked(engine.label, given, requests)
    except UnansweredError as error:
        about = (id for id, request in zip(ids, requests, strict=True) if request == error.request)
        named = ", ".join(f"'{id}'" for id in dict.fromkeys(about))
        raise EngineError(f"{failure}: the probe {named}\n  {error.text}") from error
    except EngineError as error:
        raise EngineError(f"{failure}\n  {error.text}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() and pytest.skip() too, which would decide the case
        if isinstance(error, HarnessError | DiedError) or not is_foreign(engine):
            raise
        raise EngineError(f"{failure}\n  {engine.label}: {what_was_raised(error)}") from error


def where(suite: Suite) -> str:
    """A suite with its place, as an error begins."""
    return f"{suite.span}: the suite '{suite.name}'" if suite.span else f"the suite '{suite.name}'"
