"""Compare what both engines are shown for the probes of a suite, and describe the difference.

Two engines with a tokenizer are compared by their tokens: a token that only one of them puts before a prompt is in neither text.
"""

from __future__ import annotations

from collections.abc import Sequence
from os.path import commonprefix

from harness.engine.abilities import Reasons, Remembers, ShowsPrompts, Templated, Tokenizes
from harness.engine.answers import request_key
from harness.engine.prompts import request
from harness.engine.requests import (
    Continuations,
    Engine,
    Generate,
    MultipleChoice,
    Prompt,
    Request,
    RollingLogLikelihood,
)
from harness.errors import EngineError, did_you_mean
from harness.spelling import option
from harness.suites.suite import Probe, Suite

AROUND = 6
"""How many pieces from the first difference on are quoted."""


def marks_reasoning(engine: Engine) -> bool:
    """Whether an engine says that its model marks reasoning."""
    return isinstance(engine, Reasons) and engine.marks_reasoning


def unused_arguments(suite: Suite, *engines: Engine) -> list[str]:
    """Notes on arguments, of suite or run, that only some of the chat templates use.

    Raises:
        EngineError: no template uses one, so the name or the model is wrong.
    """
    known = [
        (engine.label, engine.template_names)
        for engine in dict.fromkeys(engines)
        if isinstance(engine, Templated) and engine.template_names is not None
    ]
    notes = []
    for name, _ in suite.task.template if known else ():
        without = [label for label, names in known if name not in names]
        if len(without) == len(known):
            near = did_you_mean(name, sorted(set().union(*(names for _, names in known))))
            raise EngineError(
                f"{suite.span or suite.name}: the chat template of {' and of '.join(without)} does not use the argument "
                f"'{name}', which the suite's task or {option('template_arg')} gives"
                + (f"\n  {near}" if near else "")
            )
        if without:
            notes.append(
                f"{suite.name}: only one of the two chat templates uses the argument '{name}': that of {without[0]} does not"
            )
    return notes


def prompt_difference(suite: Suite, probes: Sequence[Probe], baseline: Engine, tuned: Engine) -> str | None:
    """A sentence on how many prompts differ between the two models, and where the first one does; None if all are equal."""
    requests = [request(suite, probe) for probe in probes]
    if not (isinstance(baseline, Remembers) and isinstance(tuned, Remembers)):
        return _difference(suite, requests, baseline, tuned)
    texts = [baseline.text_identity, tuned.text_identity]
    if texts[0] == texts[1]:
        return None
    key = ["prompt difference", suite.name, texts, [request_key(asked) for asked in requests]]
    found = tuned.remember(key, lambda: _difference(suite, requests, baseline, tuned) or "")
    return found or None


def _difference(suite: Suite, requests: Sequence[Request], baseline: Engine, tuned: Engine) -> str | None:
    by_token = isinstance(baseline, Tokenizes) and isinstance(tuned, Tokenizes)
    told = [(_pieces(baseline, asked, by_token), _pieces(tuned, asked, by_token)) for asked in requests]
    known = [(before, after) for before, after in told if before is not None and after is not None]
    unlike = [(before, after) for before, after in known if before != after]
    if not unlike:
        return _numbered_unlike(suite, requests, baseline, tuned)
    before, after = unlike[0]
    place = len(commonprefix([before, after]))
    where = f"at token {place + 1} " if by_token else ""
    return (
        f"{suite.name}: the two models are shown different text in {len(unlike)} of {len(known)} prompts: {where}the baseline "
        f"reads {_around(before, place)} and the tuned model {_around(after, place)}; {option('template', 'baseline')} "
        "(or tuned) shows both the same"
    )


def _numbered_unlike(
    suite: Suite, requests: Sequence[Request], baseline: Engine, tuned: Engine
) -> str | None:
    """A sentence on equal tokens with different ids, as after a tokenizer was swapped for another of the same size."""
    if not (isinstance(baseline, Tokenizes) and isinstance(tuned, Tokenizes)):
        return None
    unlike = sum(baseline.request_tokens(asked) != tuned.request_tokens(asked) for asked in requests)
    if not unlike:
        return None
    return (
        f"{suite.name}: the tokenizers of the two models number the same tokens differently, in {unlike} of {len(requests)} "
        "prompts: is each model's its own?"
    )


def shown(engine: Engine, prompt: Prompt) -> str | None:
    """The text that an engine's model reads for a prompt; None if the engine does not know it."""
    if isinstance(engine, ShowsPrompts) and not engine.shows(prompt):
        return None
    return engine.render(prompt)


def _pieces(engine: Engine, asked: Request, by_token: bool) -> list[str] | None:
    """What a model reads for a request: its tokens, or its texts; None if the engine does not know."""
    if by_token and isinstance(engine, Tokenizes):
        return engine.request_pieces(asked)
    match asked:
        case RollingLogLikelihood(text=text):
            return [text]
        case Continuations(pairs=pairs):
            parts = [(shown(engine, prompt), text) for prompt, text in pairs]
        case Generate(prompt=prompt) | MultipleChoice(prompt=prompt):
            parts = [(shown(engine, prompt), "")]
    read = [before + text for before, text in parts if before is not None]
    return read if len(read) == len(parts) else None


def _around(pieces: Sequence[str], place: int) -> str:
    if place >= len(pieces):
        return "nothing"
    return repr("".join(pieces[place : place + AROUND]))[:80]
