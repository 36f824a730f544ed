"""A suite in, its probes as a model is shown them out; with a model, its answers and whether they are right too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.documents.within import PROJECT, Reach
from harness.engine.prompts import request, under
from harness.engine.requests import (
    Answer,
    Chat,
    Choose,
    Chosen,
    Generate,
    Generated,
    Measure,
    Measured,
    Plain,
    Request,
)
from harness.engine.settings import Settings
from harness.errors import HarnessError, did_you_mean
from harness.evaluation.prompts import unused_arguments
from harness.reporting.explain import expected
from harness.scoring import Score, load_scorers, score
from harness.suites.read import read_suite
from harness.suites.suite import Probe, Suite
from harness.terminal import say, show
from harness.visible import visible
from harness.wording import count

if TYPE_CHECKING:
    from harness.engine.transformers.engine import TorchEngine

LIMIT = 3


def preview(
    reference: str,
    model: str | None = None,
    limit: int = LIMIT,
    settings: Settings = Settings(),
    allow_code: bool = False,
    reach: Reach = PROJECT,
) -> int:
    """Print what the first probes of a suite, or of a slice of it, look like to a model; 0.

    Args:
        reference: a suite file, or one of its slices as pytest names it: `s.yaml::probe[id]`.
        model: the model to ask, as of `pytest --model`; without it nothing is loaded.

    Raises:
        HarnessError: the suite cannot be read, it has no such slice, or the model cannot be asked.
    """
    suite, probes = find_probes(reference, reach)
    suite = under(suite, settings)
    shown = probes[:limit]
    show(
        f"{suite.name}: {count(len(probes), 'probe')}"
        + (f", the first {limit}" if len(probes) > limit else "")
    )
    if model is None:
        for probe in shown:
            show("\n".join(["", *probe_lines(suite, probe), *prompt_lines(request(suite, probe))]))
        return 0
    engine = load(model, settings, reach)
    unused_arguments(suite, engine)
    requests = [request(suite, probe) for probe in shown]
    answers = engine.ask(requests)
    right = 0
    for probe, asked, answer in zip(shown, requests, answers, strict=True):
        judged = score(probe, answer, allow_code=allow_code)
        right += judged.right
        parts = [
            *probe_lines(suite, probe),
            *reading_lines(asked, engine),
            *answer_lines(probe, answer, judged),
        ]
        show("\n".join(["", *parts]))
    if suite.task.answer == "likelihood":
        show(f"\n{engine.label}: a likelihood is kept or lost only against a baseline's")
    else:
        show(f"\n{engine.label}: {right} of {len(shown)} right")
    return 0


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


def load(reference: str, settings: Settings, reach: Reach = PROJECT) -> TorchEngine:
    """The model that `--model` names; a fixture is trained first, unless that was done before."""
    from harness.engine.transformers.loading import Loader, load_reference
    from harness.models.reference import is_recipe

    if not is_recipe(reference):
        return load_reference(reference, settings, say)
    from harness.recipes.read import read_recipe
    from harness.training.train import trained_sources

    recipe = read_recipe(Path(reference), reach)
    sources = trained_sources(recipe, None, settings, say, lambda label, unit="": lambda done, total: None)
    return Loader(settings, say).engine(sources.tuned)


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
        case Measure(text=text):
            yield from _field("text", text)
        case (
            Generate(prompt=Chat(messages=messages, arguments=arguments))
            | Choose(prompt=Chat(messages=messages, arguments=arguments))
        ):
            for message in messages:
                yield from _field(message.role, message.content)
            if arguments:
                yield from _field(
                    "the template's arguments", "\n".join(f"{name}: {value}" for name, value in arguments)
                )
        case Generate(prompt=Plain() as plain) | Choose(prompt=Plain() as plain):
            yield from _field("prompt", plain.text)
    yield from _ending(asked)


def reading_lines(asked: Request, engine: TorchEngine) -> Iterator[str]:
    """What the model reads: the prompt after its chat template, with special tokens."""
    if isinstance(asked, Measure):
        yield from _field("text", asked.text)
        return
    choosing = isinstance(asked, Choose)
    tokens = count(len(engine.tokens(asked.prompt, choosing)), "token")
    yield from _field(f"prompt ({tokens})", engine.reading(asked.prompt, choosing))
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
        case Chosen(logprobs=logprobs):
            listed = [
                f"{logprob:9.2f}  {choice}" for choice, logprob in zip(probe.choices, logprobs, strict=True)
            ]
            yield from _field("log-probabilities", "\n".join(listed))
            yield from _field(f"answer: {verdict}", judged.shown)
        case Measured(tokens=tokens):
            yield from _field(f"measured ({count(tokens, 'token')})", judged.shown)


def _ending(asked: Request) -> Iterator[str]:
    match asked:
        case Choose(continuations=continuations):
            yield from _field("choices, each scored after the prompt", "\n".join(map(repr, continuations)))
        case Generate(max_new_tokens=most, stop=stop, thinking_tokens=thinking):
            ends = f", or to {', '.join(map(repr, stop))}" if stop else ""
            after = f" after {thinking} of reasoning" if thinking else ""
            yield f"  answered in at most {count(most, 'token')}{after}{ends}"


def _field(name: str, text: str) -> Iterator[str]:
    yield f"  {visible(name)}"
    yield from (f"    {line}" for line in text.split("\n"))
