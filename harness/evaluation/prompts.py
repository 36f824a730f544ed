"""The probes of a suite and both engines in; how what they are shown differs, in words, or None out.

Tokens are compared where engines have any, not text: a token that one tokenizer puts before a text and the other does not is
in no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from harness.engine.abilities import Reasons, Templated, Tokenizes
from harness.engine.prompts import request
from harness.engine.requests import Engine, Request, RollingLogLikelihood
from harness.errors import EngineError, did_you_mean
from harness.spelling import option
from harness.suites.suite import Probe, Suite

AROUND = 6
"""Pieces that are shown on either side of the first difference."""


def marks_reasoning(engine: Engine) -> bool:
    """Whether the model of an engine is known to mark reasoning."""
    return isinstance(engine, Reasons) and engine.marks_reasoning


def unused_arguments(suite: Suite, *engines: Engine) -> list[str]:
    """What should be said of arguments that suite or run give to chat templates, of which some make no use of them.

    Raises:
        EngineError: no template does, so that the name is wrong, or the model another than was meant.
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
                f"{suite.span or suite.name}: the chat template of {' and of '.join(without)} makes no use of the argument "
                f"'{name}', which the suite's task gives or {option('template_arg')}"
                + (f"\n  {near}" if near else "")
            )
        if without:
            notes.append(
                f"{suite.name}: only one of the two chat templates makes use of the argument '{name}': that of {without[0]} "
                "does not"
            )
    return notes


def prompt_difference(suite: Suite, probes: Sequence[Probe], baseline: Engine, tuned: Engine) -> str | None:
    """How many prompts differ between the two models, and where the first one does; None if none does."""
    requests = [request(suite, probe) for probe in probes]
    shown = [(_pieces(baseline, one), _pieces(tuned, one)) for one in requests]
    unlike = [(before, after) for before, after in shown if before != after]
    if not unlike:
        return _numbered_unlike(suite, requests, baseline, tuned)
    before, after = unlike[0]
    place = next(i for i, (left, right) in enumerate(zip_longest(before, after)) if left != right)
    where = f"at token {place + 1} " if isinstance(tuned, Tokenizes) else ""
    return (
        f"{suite.name}: the two models are shown different text in {len(unlike)} of {len(shown)} prompts: {where}the baseline "
        f"reads {_around(before, place)} and the tuned model {_around(after, place)}; {option('template', 'baseline')} "
        "(or tuned) asks both alike"
    )


def _numbered_unlike(
    suite: Suite, requests: Sequence[Request], baseline: Engine, tuned: Engine
) -> str | None:
    """Tokens that look the same and have other numbers, as where a tokenizer was exchanged for one of its size."""
    if not (isinstance(baseline, Tokenizes) and isinstance(tuned, Tokenizes)):
        return None
    unlike = sum(baseline.request_tokens(one) != tuned.request_tokens(one) for one in requests)
    if not unlike:
        return None
    return (
        f"{suite.name}: the tokenizers of the two models number the same tokens differently, in {unlike} of {len(requests)} "
        "prompts: is each model's its own?"
    )


def _pieces(engine: Engine, asked: Request) -> Sequence[str]:
    if isinstance(engine, Tokenizes):
        return engine.request_pieces(asked)
    return [asked.text if isinstance(asked, RollingLogLikelihood) else engine.render(asked.prompt)]


def _around(pieces: Sequence[str], place: int) -> str:
    if place >= len(pieces):
        return "nothing"
    return repr("".join(pieces[place : place + AROUND]))[:80]
