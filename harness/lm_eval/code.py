"""A task in, the Python that it would run out, with its places: what a user must allow.

The code of the package itself, with its tasks, is as trusted as any installed package. Anything else is not: functions and
classes beside a task file, metrics that are fetched from a hub, and tasks that run code which a model wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.errors import InputError, Span, first_line, reason, shown_path
from harness.lm_eval.definition import Definition
from harness.lm_eval.within import Place

FUNCTION = "!function"


@dataclass(frozen=True)
class Code:
    """A reason for which a task needs permission, and its place."""

    span: Span | None
    what: str


def code_of(definition: Definition, index: Mapping[str, Any], place: Place) -> Iterator[Code]:
    """The Python outside of the package that the tasks of a definition run.

    Args:
        index: the entries of all tasks, groups and tags that are known by name.

    Raises:
        InputError: a task file cannot be read, or includes one that is out of reach.
    """
    files, done = set[Path](), set[str]()
    waiting: list[Any] = [definition.name]
    if definition.path:
        yield from _of_file(definition.path, place, files)
        waiting = members(read_task(definition.path)[0])
    while waiting:
        name = waiting.pop()
        if isinstance(name, Mapping):  # a member of a group with keys of its own
            yield from _of_config(name, place.span)
            waiting += [name.get("group") or name.get("task"), *members(name)]
        elif isinstance(name, str) and name not in done and (entry := index.get(name)):
            done.add(name)
            if entry.yaml_path:
                yield from _of_file(entry.yaml_path, place, files)
            yield from _of_config(entry.cfg or {}, place.span)
            waiting += [*entry.tags, *members(entry.cfg or {})]


def members(config: Mapping[str, Any]) -> list[Any]:
    """The tasks of a group; none of a task."""
    named = config.get("task")
    return list(named) if isinstance(named, list) else []


def _of_file(path: Path, place: Place, seen: set[Path], span: Span | None = None) -> Iterator[Code]:
    """The Python of a task file outside of the package, and of the files that it includes."""
    path, home = path.resolve(), _home()
    if path in seen or path.is_relative_to(home):
        return
    seen.add(path)
    config, functions = read_task(path, span)
    for where, function in functions:
        yield Code(where, f"'{FUNCTION} {function}' runs Python that comes with the task")
    top = Span(path, 1, 1)
    yield from _of_config(config, top, {function for _, function in functions})
    included = config.get("include") or []
    for name in [included] if isinstance(included, str) else included:
        if not (path.parent / str(name)).resolve().is_relative_to(home):
            place.reach.path(str(name), path, top)
        yield from _of_file(path.parent / str(name), place, seen, top)


def _home() -> Path:
    """The folder of the package's own tasks."""
    import lm_eval.tasks

    return Path(lm_eval.tasks.__file__).parent.resolve()


def _of_config(
    config: Mapping[str, Any], span: Span | None, functions: Set[str] = frozenset()
) -> Iterator[Code]:
    """What the configuration of a task runs without a function of its own: metrics that are fetched, a model's code.

    Args:
        functions: metrics that are functions, which have places of their own.
    """
    import lm_eval.api.metrics  # noqa: F401 - registers the package's own
    from lm_eval.api.registry import metric_registry

    if config.get("unsafe_code"):
        yield Code(span, f"the task '{config.get('task')}' runs code that a model wrote, and is not confined")
    if config.get("process_results"):
        return  # its metrics are names of its own
    for metric in config.get("metric_list") or ():
        name = metric.get("metric") if isinstance(metric, dict) else None
        if not isinstance(name, str) or name in functions or Path(name).is_relative_to(_home()):
            continue
        if metric.get("hf_evaluate") or name not in metric_registry:
            yield Code(span, f"the metric '{name}' is Python that is fetched from a hub")


def read_task(path: Path, span: Span | None = None) -> tuple[Mapping[str, Any], list[tuple[Span, str]]]:
    """A task file as it is written, and its functions with their places; raises InputError.

    Args:
        span: where it is named.
    """
    found: list[tuple[Span, str]] = []

    class Loader(yaml.SafeLoader):
        """Notes functions, and imports none."""

    def function(loader: yaml.SafeLoader, node: yaml.Node) -> str:
        mark, named = node.start_mark, str(getattr(node, "value", ""))
        found.append((Span(path, mark.line + 1, mark.column + 1), named))
        return named

    Loader.add_constructor(FUNCTION, function)
    try:
        config = yaml.load(path.read_bytes(), Loader=Loader)  # nosec B506: a SafeLoader
    except OSError as error:
        raise InputError.at(span, f"{shown_path(path)}: cannot be read: {reason(error)}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        message = f"cannot be read as YAML: {first_line(error)}"
        raise InputError.at(Span(path, 1, 1), message) from error
    if not isinstance(config, dict):
        raise InputError.at(
            Span(path, 1, 1), "a task of lm-evaluation-harness is a mapping of keys to values"
        )
    return config, found
