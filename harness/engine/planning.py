"""The probes of a suite in, the Requests to ask of both models out."""

from __future__ import annotations

from harness.engine.requests import Chat, Choose, Generate, Measure, Message, Plain, Prompt, Request
from harness.suites.suite import Probe, Suite, Task
from harness.suites.template import fill


def prompt(task: Task, probe: Probe) -> Prompt:
    """What a probe shows a model, few-shot examples included.

    As chat, shots are earlier turns. As text, a shot is the prompt filled from it, a space, its answer
    and a blank line, as in lm-evaluation-harness.
    """
    question = fill(task.prompt, probe.fields)
    if task.format == "text":
        shots = "".join(f"{fill(task.prompt, shot.fields)} {shot.answer}\n\n" for shot in task.shots)
        return Plain(shots + question)
    messages = [Message("system", task.system)] if task.system is not None else []
    for shot in task.shots:
        messages += [Message("user", fill(task.prompt, shot.fields)), Message("assistant", shot.answer)]
    return Chat((*messages, Message("user", question)))


def request(suite: Suite, probe: Probe) -> Request:
    """The request that asks `probe` as its suite's task says."""
    task = suite.task
    match task.answer:
        case "generate":
            return Generate(prompt(task, probe), task.max_new_tokens, task.stop)
        case "choose":
            space = " " if task.format == "text" else ""
            return Choose(prompt(task, probe), tuple(space + choice for choice in probe.choices))
        case "likelihood":
            assert probe.text is not None, "the reader lets no such probe pass"
            return Measure(probe.text)
