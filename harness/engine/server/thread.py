"""A coroutine that finds values in, these out as they come.

It runs in an event loop in a thread of its own, so that a caller may have one itself. Closing the values ends it: so connections
are closed, at which servers stop working on what nobody waits for.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")
Put = Callable[[tuple[K, V]], None]


def found_by(finding: Callable[[Put[K, V]], Coroutine[Any, Any, None]]) -> Generator[dict[K, V], None, None]:
    """What a coroutine puts, values by their keys; raises what it raises."""
    found: queue.SimpleQueue[tuple[K, V] | BaseException | None] = queue.SimpleQueue()
    loop = asyncio.new_event_loop()
    task = loop.create_task(finding(found.put))
    thread = threading.Thread(target=_run, args=(loop, task, found), name="requests", daemon=True)
    thread.start()
    try:
        while True:
            values, end = _collected(found)
            if values:
                yield values
            if isinstance(end, BaseException):
                raise end
            if end:
                return
    finally:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(task.cancel)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None], found: queue.SimpleQueue[Any]) -> None:
    """Run a task to its end, and put that after what it found: None, or an exception."""
    try:
        loop.run_until_complete(task)
    except asyncio.CancelledError:
        found.put(None)
    except BaseException as error:  # raised again where the results are read
        found.put(error)
    else:
        found.put(None)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _collected(found: queue.SimpleQueue[Any]) -> tuple[dict[Any, Any], BaseException | bool]:
    """What was found up to now, at least one thing; and whether that was all, or the exception that ended it."""
    values: dict[Any, Any] = {}
    item = found.get()
    with suppress(queue.Empty):
        while isinstance(item, tuple):
            values[item[0]] = item[1]
            item = found.get_nowait()
        return values, True if item is None else item
    return values, False
