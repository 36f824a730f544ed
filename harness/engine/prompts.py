"""The probes of a suite in, the Requests for both models out."""

from __future__ import annotations

from dataclasses import replace

from harness.engine.requests import (
    Chat,
    ChatText,
    Continuations,
    Generate,
    Message,
    MultipleChoice,
    Plain,
    Prompt,
    Request,
    RollingLogLikelihood,
)
from harness.engine.settings import Settings
from harness.lm_eval.definition import Item, Turns
from harness.suites.suite import Probe, Suite, Task
from harness.suites.template import fill


def under(suite: Suite, settings: Settings) -> Suite:
    """The suite under the settings of a run, whose template arguments and limit of reasoning override its own."""
    task = suite.task
    given = dict(settings.template_arguments) if task.format == "chat" else {}
    template = tuple(sorted({**dict(task.template), **given}.items()))
    thinking = settings.thinking_tokens if task.answer == "generate" else None
    return replace(
        suite, task=replace(task, template=template, thinking_tokens=thinking or task.thinking_tokens)
    )


def prompt(task: Task, probe: Probe) -> Prompt:
    """The prompt of a probe, few-shot examples included.

    In a chat, shots are earlier turns. In text, a shot is its prompt, a space, its answer and a blank line, as in
    lm-evaluation-harness.
    """
    question = fill(task.prompt, probe.fields)
    if task.format == "text":
        shots = "".join(f"{fill(task.prompt, shot.fields)} {shot.answer}\n\n" for shot in task.shots)
        return Plain(shots + question)
    messages = [Message("system", task.system)] if task.system is not None else []
    for shot in task.shots:
        messages += [Message("user", fill(task.prompt, shot.fields)), Message("assistant", shot.answer)]
    return Chat((*messages, Message("user", question)), task.template)


def request(suite: Suite, probe: Probe) -> Request:
    """The request for a probe, by its suite's task."""
    task = suite.task
    if probe.item is not None:
        return _of_item(task, probe.item)
    match task.answer:
        case "generate":
            return Generate(prompt(task, probe), task.max_new_tokens, task.stop, task.thinking_tokens)
        case "choose":
            space = " " if task.format == "text" else ""
            return MultipleChoice(prompt(task, probe), tuple(space + choice for choice in probe.choices))
        case "likelihood":
            assert probe.text is not None, "the reader lets no such probe pass"
            return RollingLogLikelihood(probe.text)


def _of_item(task: Task, item: Item) -> Request:
    """The request for a document of a task of lm-evaluation-harness, read as that reads it."""

    def prompt(given: str | Turns) -> Prompt:
        if isinstance(given, str):
            return Plain(given, may_cut=True)
        messages = tuple(Message(role, content) for role, content in given.messages)
        return ChatText(messages, task.template, given.begun)

    first = item.prompts[0]
    match item.kind:
        case "generate":
            return Generate(prompt(first), item.max_new_tokens, item.stop, task.thinking_tokens)
        case "choose":
            prompts = map(prompt, item.prompts)
            return Continuations(tuple(zip(prompts, item.continuations, strict=True)))
        case "likelihood":
            assert isinstance(first, str), "what is measured is text"
            return RollingLogLikelihood(first, windows=True)
