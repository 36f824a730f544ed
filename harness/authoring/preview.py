"""Show the probes of a suite, or of a slice of it, as a model reads them; with an engine, its answers too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from harness.documents.within import Reach
from harness.engine.abilities import Reads
from harness.engine.requests import (
    Chat,
    ChoiceLogProbs,
    Continuations,
    Engine,
    Generate,
    Generated,
    LogLikelihood,
    MultipleChoice,
    Plain,
    Request,
    RollingLogLikelihood,
)
from harness.errors import InputError, Problem, did_you_mean
from harness.gate.cases import shown_slice
from harness.reporting.explain import expected
from harness.scoring import Score, load_scorers
from harness.scoring.why import why_wrong
from harness.suites.read import read_suite
from harness.suites.suite import Probe, Suite
from harness.visible import visible
from harness.wording import count, some


def find_probes(reference: str, reach: Reach) -> tuple[Suite, Sequence[Probe]]:
    """The suite and the probes of `FILE` or `FILE::SLICE`; raises HarnessError."""
    path, _, name = reference.partition("::")
    suite = read_suite(Path(path), load_scorers(), reach)
    slices: dict[str, Sequence[Probe]] = {"": suite.probes, "all": suite.probes}
    slices |= {f"category[{category}]": probes for category, probes in suite.by_category().items()}
    slices |= {f"probe[{probe.id}]": (probe,) for probe in suite.probes}
    if name not in slices:
        kind, _, written = name.partition("[")
        known = [shown_slice(slice) for slice in slices if slice.startswith(f"{kind}[")]
        near = did_you_mean(written.removesuffix("]"), known) or f"there are: {some(known, 10)}"
        hint = near if known else "a slice is all, category[NAME] or probe[ID]"
        raise InputError([Problem(None, f"{path}: there is no slice '{name}'", hint)])
    return suite, slices[name]


def probe_lines(suite: Suite, probe: Probe) -> Iterator[str]:
    """The id, category and place of a probe, and its right answer."""
    yield "  ".join(filter(None, [f"probe[{probe.id}]", probe.category, str(probe.span or suite.path)]))
    if not suite.is_of_texts:
        yield from _field(f"right ({probe.scorer.name})" if probe.answers else "right", expected(probe))


def request_lines(asked: Request, engine: Engine | None = None) -> Iterator[str]:
    """The request as written; with an engine as its model reads it, after the chat template, with any special tokens."""
    match asked:
        case RollingLogLikelihood(text=text):
            yield from _field("text", text)
        case Continuations(pairs=pairs):
            for prompt in dict.fromkeys(prompt for prompt, _ in pairs):
                texts = tuple(text for before, text in pairs if before == prompt)
                yield from request_lines(MultipleChoice(prompt, texts))
        case Generate(prompt=prompt) | MultipleChoice(prompt=prompt) if isinstance(engine, Reads):
            choosing = isinstance(asked, MultipleChoice)
            tokens = count(len(engine.tokens(prompt, choosing)), "token")
            yield from _field(f"prompt ({tokens})", engine.reading(prompt, choosing))
        case Generate(prompt=prompt) | MultipleChoice(prompt=prompt) if engine:
            yield from _field("prompt", engine.render(prompt))
        case Generate(prompt=Plain(text=text)) | MultipleChoice(prompt=Plain(text=text)):
            yield from _field("prompt", text)
        case Generate(prompt=Chat() as chat) | MultipleChoice(prompt=Chat() as chat):
            for message in chat.messages:
                yield from _field(message.role, message.content)
            if chat.arguments:
                arguments = "\n".join(f"{name}: {value}" for name, value in chat.arguments)
                yield from _field("the template's arguments", arguments)
    match asked:
        case MultipleChoice(continuations=continuations):
            yield from _field("choices, each scored after the prompt", "\n".join(map(repr, continuations)))
        case Generate(max_new_tokens=most, stop=stop, thinking_tokens=thinking):
            ends = f", or up to {', '.join(map(repr, stop))}" if stop else ""
            after = f" after {thinking} of reasoning" if thinking else ""
            yield f"  answered in at most {count(most, 'token')}{after}{ends}"


def answer_lines(probe: Probe, judged: Score) -> Iterator[str]:
    """The model's answer, and whether it is right."""
    verdict = "right" if judged.right else "wrong"
    match judged.answer:
        case Generated(text=text, tokens=tokens, reasoning=reasoning, word_order=word_order):
            if reasoning:
                ended = "" if reasoning.closed else ", unfinished"
                yield from _field(f"reasoning ({count(reasoning.tokens, 'token')}{ended})", reasoning.text)
            yield from _field(f"answer ({count(tokens, 'token')}): {verdict}", text)
            if word_order is not None:
                yield f"  word order, by this model: {word_order:.1f} nats a word"
            if why := why_wrong(probe, judged):
                yield f"  why: {why}"
        case ChoiceLogProbs(logprobs=logprobs):
            listed = [
                f"{logprob:9.2f}  {choice}"
                for choice, logprob in zip_longest(probe.choices, logprobs, fillvalue="")
                if logprob != ""
            ]
            yield from _field("log-probabilities", "\n".join(listed))
            yield from _field(f"answer: {verdict}", judged.shown)
        case LogLikelihood(tokens=tokens):
            yield from _field(f"measured ({count(tokens, 'token')})", judged.shown)


def _field(name: str, text: str) -> Iterator[str]:
    yield f"  {visible(name)}"
    yield from (f"    {line}" for line in text.split("\n"))
