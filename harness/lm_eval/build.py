"""A definition in, the documents of its tasks out, each with what it asks, as lm-evaluation-harness builds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import InputError, Problem, did_you_mean, first_line, what_was_raised
from harness.lm_eval.code import Code, code_of, members, read_task
from harness.lm_eval.definition import INSTALL, Definition, Item, Kind, Turns
from harness.lm_eval.within import Place, within
from harness.spelling import option

MOST_TOKENS = 256
"""The longest answer of a task that names no limit, as of lm-evaluation-harness's models."""

MOST_SHOWN = 2000
"""Characters of a question and of a right answer that reports keep."""

MOST_LISTED = 10
"""Places of Python that one error lists."""

LIMITS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
"""The names of a task's limit, the first that it gives counts."""

KINDS: Mapping[str, Kind] = {
    "generate_until": "generate",
    "loglikelihood": "choose",
    "loglikelihood_rolling": "likelihood",
}


@dataclass(frozen=True)
class Built:
    """A task, and the instances of each document, by its number."""

    task: Any
    name: str
    documents: Mapping[int, Sequence[Any]]
    own: bool
    """Whether a file of the user's defines it."""

    @property
    def samples(self) -> bool:
        """Whether the task means to draw its answers by chance, where a gate takes the likeliest."""
        given = self.task.config.generation_kwargs or {}
        return bool(given.get("do_sample")) or float(given.get("temperature") or 0) > 0

    def items(self) -> Iterator[Item]:
        """What each document asks; raises ValueError for what no gate can judge."""
        for doc, instances in self.documents.items():
            yield _item(self, doc, instances)


BUILT: dict[str, dict[str, Built]] = {}
"""The tasks of this process by the source of their definition and by their names, for scores."""


def build(definition: Definition, place: Place) -> Sequence[Built]:
    """The tasks of a definition, in the package's order.

    Raises:
        InputError: the package is missing, the task is unknown, runs Python without permission, or cannot be built.
    """
    if find_spec("lm_eval") is None:
        raise InputError.at(place.span, "tasks of lm-evaluation-harness need the package 'lm-eval'", INSTALL)
    with _one_error(definition, place), within(place, definition.path is not None):
        manager = _manager(definition.path)
        if not definition.path and definition.name not in manager.task_index:
            raise InputError.at(place.span, *_unknown(definition.name, manager.task_index))
        if not place.reach.code:
            _refuse(list(code_of(definition, manager.task_index, place)))
        tasks = manager.load([_spec(definition)])["tasks"]
        built = [_built(name, task, definition) for name, task in tasks.items()]
    if not built:
        raise InputError.at(place.span, f"'{definition.name}' has no tasks")
    BUILT[definition.source] = {task.name: task for task in built}
    return built


@contextmanager
def _one_error(definition: Definition, place: Place) -> Iterator[None]:
    """Turn whatever the package or the code of a task raises into one input error."""
    try:
        yield
    except InputError as error:
        placed = [
            Problem(problem.span or place.span, problem.message, problem.hint) for problem in error.problems
        ]
        raise InputError(placed) from error
    except (Exception, SystemExit) as error:  # a task runs any code, and may end the process
        missing = isinstance(error, ImportError) and first_line(error)
        what = f"lm-evaluation-harness cannot build '{definition.name}'"
        raise InputError.at(place.span, what, missing or what_was_raised(error)) from error


def _manager(path: Path | None) -> Any:
    """The package's index of tasks; of a task file that is a group, with the tasks in its folder."""
    from lm_eval.tasks import TaskManager

    if path is None:
        return _index()
    named = members(read_task(path)[0])
    beside = TaskManager(include_path=str(path.parent) if named else None, include_defaults=False)
    return beside if _are_there(named, beside.task_index) else TaskManager(include_path=str(path.parent))


def _are_there(named: Sequence[Any], index: Mapping[str, Any]) -> bool:
    """Whether all members of a group, and of the groups among them, are in an index."""
    for member in named:
        name = (member.get("group") or member.get("task")) if isinstance(member, Mapping) else member
        entry = index.get(name) if isinstance(name, str) else None
        if entry is None or not _are_there(members(entry.cfg or {}), index):
            return False
    return True


def _spec(definition: Definition) -> str:
    """What the package finds the task by: a file by its path, one of a group by the name that it gives the group."""
    if definition.path is None:
        return definition.name
    config = read_task(definition.path)[0]
    return str(config.get("group")) if members(config) else str(definition.path)


@cache
def _index() -> Any:
    """The package's own tasks; to read its 14,000 files takes some seconds."""
    from lm_eval.tasks import TaskManager

    return TaskManager()


def _built(name: str, task: Any, definition: Definition) -> Built:
    """A task with its requests, prepared as at the start of a run of the package."""
    if getattr(task, "MULTIMODAL", False):
        raise ValueError(f"the task '{name}' shows images or sounds")
    own = task.get_config("num_fewshot")
    if definition.fewshot is not None and own != 0:  # a task that says 0 keeps it
        task.set_config(key="num_fewshot", value=definition.fewshot)
    elif own is None:
        task.set_config(key="num_fewshot", value=0)
    task.set_fewshot_seed(seed=1234)
    task.build_all_requests(
        limit=definition.limit,
        system_instruction=definition.system,
        apply_chat_template=definition.chat,
        fewshot_as_multiturn=definition.chat and definition.multiturn,
        chat_template=_turns if definition.chat else None,
    )
    documents: dict[int, list[Any]] = {}
    for instance in task.instances:
        documents.setdefault(instance.doc_id, []).append(instance)
    for instances in documents.values():
        instances.sort(key=lambda instance: instance.idx)
    return Built(task, name, documents, definition.path is not None)


def _turns(messages: Sequence[Mapping[str, str]], add_generation_prompt: bool = True) -> Turns:
    """Stands where the package asks for the text of a chat: each model renders it by its own template."""
    turns = [(message["role"], message["content"]) for message in messages]
    begun = "" if add_generation_prompt else turns.pop()[1]
    return Turns(tuple(turns), begun)


def _refuse(found: Sequence[Code]) -> None:
    if found:
        remedy = f"read it first, then allow it: {option('allow_task_code')}"
        raise InputError([Problem(code.span, code.what, remedy) for code in found[:MOST_LISTED]])


def _unknown(name: str, known: Mapping[str, Any]) -> tuple[str, str]:
    near = did_you_mean(name, [other for other in known if other[:2] == name[:2]])
    listing = "list them: lm-eval ls tasks; a file of your own ends in .yaml"
    return f"lm-evaluation-harness has no task '{name}'", near or listing


# Documents


def _item(task: Built, doc: int, instances: Sequence[Any]) -> Item:
    """What a document asks; raises ValueError for what no gate can judge."""
    types = {instance.request_type for instance in instances}
    if len(types) > 1 or (types != {"loglikelihood"} and len(instances) > 1):
        raise ValueError(
            f"the task '{task.name}' asks several things of a document: {', '.join(sorted(types))}"
        )
    kind = KINDS[types.pop()]
    arguments = [instance.args for instance in instances]
    common: dict[str, Any] = {
        "task": task.name,
        "doc": doc,
        "kind": kind,
        "question": _question(task.task, instances[0]),
        "targets": _targets(task.task, instances),
    }
    if kind != "choose":
        (given,) = arguments
        return Item(**common, prompts=(given[0],), **(_generation(given[1]) if kind == "generate" else {}))
    prompts, continuations = zip(*arguments, strict=True)
    return Item(**common, prompts=prompts, continuations=continuations)


def _generation(given: Mapping[str, Any]) -> dict[str, Any]:
    until = given.get("until") or ()
    stop = [until] if isinstance(until, str) else until
    most = next((int(given[name]) for name in LIMITS if given.get(name) is not None), MOST_TOKENS)
    return {"stop": tuple(text for text in stop if isinstance(text, str) and text), "max_new_tokens": most}


def _question(task: Any, instance: Any) -> str:
    """A document's own question, without few-shot examples; the prompt's end where there is none."""
    prompt = instance.args[0]
    text = prompt if isinstance(prompt, str) else prompt.messages[-1][1]
    with suppress(Exception):  # a task's own code, and for people only
        asked = task.doc_to_text(instance.doc)
        text = asked if isinstance(asked, str) and asked else text
    return str(text)[-MOST_SHOWN:]


def _targets(task: Any, instances: Sequence[Any]) -> tuple[str, ...]:
    """The right answers of a document as text, as far as they can be told."""
    doc = instances[0].doc
    with suppress(Exception):  # a task's own code, and for people only
        target = task.doc_to_target(doc)
        listed = target if isinstance(target, list) else [target]
        if task.config.doc_to_choice is not None and not task.multiple_input:
            choices = task.doc_to_choice(doc)
            listed = [choices[each] if isinstance(each, int) else each for each in listed]
        return tuple(str(each)[:MOST_SHOWN] for each in listed)
    return ()
