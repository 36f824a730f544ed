"""Templates and their values on standard input, texts on standard output, a line of JSON each: renders in this process.

A script of its own, started by `harness.suites.jinja` in a process that does nothing else. What a template takes of time and
memory is bounded by the kernel, for Python cannot interrupt itself in the middle of one operation.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any

MOST_SAID = 1000
"""Characters of an error that are handed on."""


def main() -> None:
    """Answer each line until there is none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started this
    settings = json.loads(sys.stdin.readline())
    sys.path[:] = settings["path"]
    import jinja2  # noqa: F401  # before memory is bounded

    bound_memory(settings["memory_mb"])
    left = settings["seconds"]
    say({"ready": True})
    for line in sys.stdin:
        job = json.loads(line)
        left = min(settings["seconds"], left + settings["seconds_more"])
        timer(left)
        answer = answered(job, settings["most"])
        left = timer(0) or left
        say(answer)


def say(answer: dict[str, Any]) -> None:
    """One line to who asked."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def bound_memory(megabytes: int) -> None:
    """Bound the address space of this process, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = megabytes * 1024 * 1024
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def timer(seconds: float) -> float:
    """End this process after so many seconds of processor time from now on; what was left of the last such."""
    if not hasattr(signal, "setitimer"):  # Windows: the clock of who started this is all there is
        return 0.0
    return signal.setitimer(signal.ITIMER_PROF, seconds)[0]


def answered(job: dict[str, Any], most: int) -> dict[str, Any]:
    """What a job asks for, or why there is none; an error says only its message."""
    try:
        if job["job"] == "uses":
            return uses(job["dialect"], job["template"])
        text = compiled(job["dialect"], job["template"]).render(**values(job))
    except MemoryError:
        return {"limit": "memory"}
    except Exception as error:  # a template is a program of its author's and may raise anything
        return {"error": (str(error) or type(error).__name__)[:MOST_SAID]}
    return {"text": text} if len(text) <= most else {"limit": "length", "length": len(text)}


def values(job: dict[str, Any]) -> dict[str, Any]:
    """The values of a job; a chat's with the function that gives today's date, which is one day for all."""
    given: dict[str, Any] = job["values"]
    if job["today"]:
        today = datetime.fromisoformat(job["today"])
        given["strftime_now"] = lambda form: today.strftime(form)
    return given


def uses(dialect: str, template: str) -> dict[str, Any]:
    """The names that a template takes from outside, and the texts that stand in it, but for its comments."""
    from jinja2 import meta, nodes

    parsed = environment(dialect).parse(template)
    texts = [node.data for node in parsed.find_all(nodes.TemplateData)]
    texts += [node.value for node in parsed.find_all(nodes.Const) if isinstance(node.value, str)]
    return {"names": sorted(meta.find_undeclared_variables(parsed)), "texts": texts}


@lru_cache(maxsize=64)
def compiled(dialect: str, template: str) -> Any:
    """A template, ready to be rendered."""
    return environment(dialect).from_string(template)


@lru_cache
def environment(dialect: str) -> Any:
    """What templates of a dialect may use, as the tool that they are written for has it: transformers or lm-eval."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

    if dialect == "chat":
        chat = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[generation(), "jinja2.ext.loopcontrols"]
        )
        chat.filters["tojson"] = tojson
        chat.globals["raise_exception"] = refuse
        return chat
    task = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    task.filters["regex_replace"] = lambda text, pattern, new, count=0: re.sub(
        pattern, new, text, count=count
    )
    return task


def generation() -> type[Any]:
    """The extension for the block `generation`, which marks what an assistant wrote and changes no text."""
    from jinja2.ext import Extension
    from jinja2.nodes import CallBlock

    class Generation(Extension):
        tags = {"generation"}

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return CallBlock(self.call_method("written"), [], [], body).set_lineno(line)

        def written(self, caller: Any) -> Any:
            return caller()

    return Generation


def tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: Any = None,
    separators: Any = None,
    sort_keys: bool = False,
) -> str:
    """JSON without the escapes for HTML of Jinja's own filter."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def refuse(message: str) -> None:
    """`raise_exception` of chat templates."""
    from jinja2 import TemplateError

    raise TemplateError(message)


if __name__ == "__main__":
    main()
