"""A suite, or a slice of it, in, its probes as a model is shown them out; with an engine, what it reads and answers too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.documents.within import PROJECT, Reach
from harness.engine.abilities import Reads
from harness.engine.requests import (
    Answer,
    Chat,
    ChoiceLogProbs,
    Engine,
    Generate,
    Generated,
    LogLikelihood,
    MultipleChoice,
    Plain,
    Request,
    RollingLogLikelihood,
)
from harness.errors import HarnessError, did_you_mean
from harness.reporting.explain import expected
from harness.scoring import Score, load_scorers
from harness.suites.read import read_suite
from harness.suites.suite import Probe, Suite
from harness.visible import visible
from harness.wording import count


def find_probes(reference: str, reach: Reach = PROJECT) -> tuple[Suite, Sequence[Probe]]:
    """The suite, and the probes of the slice, that `FILE` or `FILE::SLICE` means; raises HarnessError."""
    path, _, slice_name = reference.partition("::")
    suite = read_suite(Path(path), load_scorers(), reach)
    if slice_name in ("", "all"):
        return suite, suite.probes
    found = re.fullmatch(r"(probe|category)\[(.*)\]", slice_name)
    if not found:
        raise HarnessError(f"{reference}: a slice is all, category[NAME] or probe[ID], saw {slice_name!r}")
    kind, name = found.groups()
    names = [probe.id for probe in suite.probes] if kind == "probe" else list(suite.categories())
    if name not in names:
        near = did_you_mean(name, names)
        raise HarnessError(f"{path}: there is no {kind} '{name}'" + (f"\n  {near}" if near else ""))
    return suite, [
        probe for probe in suite.probes if name == (probe.id if kind == "probe" else probe.category)
    ]


def probe_lines(suite: Suite, probe: Probe) -> Iterator[str]:
    """What a probe is called, where it stands and what it takes to be right."""
    about = [
        f"probe[{probe.id}]",
        *([probe.category] if probe.category else []),
        str(probe.span or suite.path),
    ]
    yield "  ".join(about)
    if suite.task.answer != "likelihood":
        yield from _field(f"right ({probe.scorer.name})" if probe.answers else "right", expected(probe))


def prompt_lines(asked: Request) -> Iterator[str]:
    """What is asked, before any chat template."""
    match asked:
        case RollingLogLikelihood(text=text):
            yield from _field("text", text)
        case (
            Generate(prompt=Chat(messages=messages, arguments=arguments))
            | MultipleChoice(prompt=Chat(messages=messages, arguments=arguments))
        ):
            for message in messages:
                yield from _field(message.role, message.content)
            if arguments:
                yield from _field(
                    "the template's arguments", "\n".join(f"{name}: {value}" for name, value in arguments)
                )
        case Generate(prompt=Plain() as plain) | MultipleChoice(prompt=Plain() as plain):
            yield from _field("prompt", plain.text)
    yield from _ending(asked)


def reading_lines(asked: Request, engine: Engine) -> Iterator[str]:
    """What the model reads: the prompt after its chat template, with special tokens where the engine can tell them."""
    if isinstance(asked, RollingLogLikelihood):
        yield from _field("text", asked.text)
        return
    if isinstance(engine, Reads):
        choosing = isinstance(asked, MultipleChoice)
        tokens = count(len(engine.tokens(asked.prompt, choosing)), "token")
        yield from _field(f"prompt ({tokens})", engine.reading(asked.prompt, choosing))
    else:
        yield from _field("prompt", engine.render(asked.prompt))
    yield from _ending(asked)


def answer_lines(probe: Probe, answer: Answer, judged: Score) -> Iterator[str]:
    """What the model answered, and what the score makes of it."""
    verdict = "right" if judged.right else "wrong"
    match answer:
        case Generated(text=text, tokens=tokens, reasoning=reasoning):
            if reasoning:
                ended = "" if reasoning.closed else ", without an end"
                yield from _field(f"reasoning ({count(reasoning.tokens, 'token')}{ended})", reasoning.text)
            yield from _field(f"answer ({count(tokens, 'token')}): {verdict}", text)
        case ChoiceLogProbs(logprobs=logprobs):
            listed = [
                f"{logprob:9.2f}  {choice}" for choice, logprob in zip(probe.choices, logprobs, strict=True)
            ]
            yield from _field("log-probabilities", "\n".join(listed))
            yield from _field(f"answer: {verdict}", judged.shown)
        case LogLikelihood(tokens=tokens):
            yield from _field(f"measured ({count(tokens, 'token')})", judged.shown)


def _ending(asked: Request) -> Iterator[str]:
    match asked:
        case MultipleChoice(continuations=continuations):
            yield from _field("choices, each scored after the prompt", "\n".join(map(repr, continuations)))
        case Generate(max_new_tokens=most, stop=stop, thinking_tokens=thinking):
            ends = f", or to {', '.join(map(repr, stop))}" if stop else ""
            after = f" after {thinking} of reasoning" if thinking else ""
            yield f"  answered in at most {count(most, 'token')}{after}{ends}"


def _field(name: str, text: str) -> Iterator[str]:
    yield f"  {visible(name)}"
    yield from (f"    {line}" for line in text.split("\n"))
