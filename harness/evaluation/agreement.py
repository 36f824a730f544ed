"""Two forms' answers to a suite in, how many are the same, how far their log-probabilities lie apart, and where texts part out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from os.path import commonprefix
from statistics import median

from harness.engine.abilities import Reads, Remembers, Tokenizes
from harness.engine.answers import request_key
from harness.engine.prompts import request
from harness.engine.requests import (
    ChoiceLogProbs,
    Continuations,
    Engine,
    Generate,
    Generated,
    LogLikelihood,
    MultipleChoice,
    Request,
)
from harness.errors import EngineError
from harness.evaluation.prompts import marks_reasoning
from harness.evaluation.suite_run import SuiteRun
from harness.reporting.equal_rows import AgreementRow, DifferenceRow
from harness.suites.suite import Probe

MOST = 20
"""Differing answers of a suite that are looked into."""

LONGEST = 40
"""Characters of a word that are quoted."""


@dataclass(frozen=True)
class Differing:
    """A probe to which two forms wrote different texts."""

    probe: Probe
    request: Generate
    first: Generated
    other: Generated


def agreement(run: SuiteRun, engine: Engine) -> AgreementRow:
    """How alike the baseline and the tuned model of a run, here two forms of one model, answered a suite.

    Args:
        engine: of the first form, to count the tokens of choices if it can.
    """
    probes = run.asked_of_both
    apart = list(_apart(run, probes, engine))
    return AgreementRow(
        probes=len(probes),
        same=None if run.suite.is_of_texts else sum(_same(run, probe) for probe in probes),
        flips=sum(pair.by_bits.change in ("lost", "gained") for pair in run.pairs(probes)),
        nats=(median(apart), max(apart)) if apart else None,
    )


def differing(run: SuiteRun) -> list[Differing]:
    """The first `MOST` probes of a suite to which the forms wrote different texts."""
    items = (Differing(probe, *asked) for probe in run.asked_of_both if (asked := _texts(run, probe)))
    return list(islice((item for item in items if item.first.text != item.other.text), MOST))


def differences(suite: str, items: Sequence[Differing], first: Engine, other: Engine) -> list[DifferenceRow]:
    """Where texts part, what each form wrote there and, if the engines can tell, how much likelier each finds its own words."""
    ends = [_parted(item.first.text, item.other.text) for item in items]
    asked = {
        item.probe.id: MultipleChoice(item.request.prompt, (begin + mine, begin + theirs))
        for item, (begin, mine, theirs) in zip(items, ends, strict=True)
        if _comparable(item, mine, theirs)
    }
    own, others = _gaps(first, asked), _gaps(other, asked)
    return [
        DifferenceRow(
            suite=suite,
            id=item.probe.id,
            first=mine.strip()[:LONGEST],
            other=theirs.strip()[:LONGEST],
            first_gap=own.get(item.probe.id),
            other_gap=None if (gap := others.get(item.probe.id)) is None else -gap,
            **_place(item, first, other),
        )
        for item, (_, mine, theirs) in zip(items, ends, strict=True)
    ]


def _texts(run: SuiteRun, probe: Probe) -> tuple[Generate, Generated, Generated] | None:
    """The request of a probe that is answered in words, and both texts."""
    asked = request(run.suite, probe)
    before, after = (run.answers[side][probe.id] for side in ("baseline", "tuned"))
    if isinstance(asked, Generate) and isinstance(before, Generated) and isinstance(after, Generated):
        return asked, before, after
    return None


def _same(run: SuiteRun, probe: Probe) -> bool:
    if texts := _texts(run, probe):
        return texts[1].text == texts[2].text
    return run.scores["baseline"][probe.id].shown == run.scores["tuned"][probe.id].shown


# Log-probabilities


def _apart(run: SuiteRun, probes: Sequence[Probe], engine: Engine) -> Iterator[float]:
    """The difference of each log-probability, in nats a token."""
    for probe in probes:
        match run.answers["baseline"][probe.id], run.answers["tuned"][probe.id]:
            case LogLikelihood(before, tokens), LogLikelihood(after):
                yield abs(before - after) / max(1, tokens)
            case ChoiceLogProbs(before), ChoiceLogProbs(after):
                sizes = _sizes(request(run.suite, probe), engine) or [1] * len(before)
                pairs = zip(before, after, sizes, strict=True)
                yield from (abs(left - right) / size for left, right, size in pairs)


def _sizes(asked: Request, engine: Engine) -> list[int] | None:
    """The tokens of each choice; None if the engine cannot tell."""

    def count() -> list[int]:
        assert isinstance(engine, Tokenizes)
        assert isinstance(engine, Reads)
        rows = engine.request_tokens(asked)
        match asked:
            case MultipleChoice(prompt=prompt):
                begins = [len(engine.tokens(prompt, choosing=True))] * len(rows)
            case Continuations(pairs=pairs):
                begins = [len(engine.tokens(prompt)) for prompt, _ in pairs]
            case _:
                begins = []
        return [max(1, len(row) - begin) for row, begin in zip(rows, begins, strict=True)]

    if not isinstance(engine, Tokenizes) or not isinstance(engine, Reads):
        return None
    if isinstance(engine, Remembers):  # which spares loading a model that answered before
        return list(engine.remember(["tokens of choices", engine.text_identity, request_key(asked)], count))
    return count()


# Where texts part


def _parted(first: str, other: str) -> tuple[str, str, str]:
    """What two texts begin with alike, and the first word of each after that; a word is not divided."""
    start = len(commonprefix([first, other]))
    inside = [text[start : start + 1].strip() for text in (first, other)]
    if any(inside):
        begun = re.search(r"\s*\S*$", first[max(0, start - LONGEST) : start])
        start -= len(begun[0]) if begun else 0
    return first[:start], _word(first[start:]), _word(other[start:])


def _word(text: str) -> str:
    """The first word of a text, with the white space before it."""
    found = re.match(r"\s*\S*", text[: 2 * LONGEST])
    return found[0] if found else ""


def _comparable(item: Differing, mine: str, theirs: str) -> bool:
    """Whether both words can be held against each other: a part of a word is always likelier than all of it."""
    whole = not mine.startswith(theirs) and not theirs.startswith(mine)
    # a character that was not whole is not read again as the tokens that were written
    readable = "\ufffd" not in item.first.text + item.other.text
    return whole and readable and not (item.first.reasoning or item.other.reasoning)


def _gaps(engine: Engine, asked: Mapping[str, MultipleChoice]) -> dict[str, float]:
    """By probe id, how much likelier an engine finds the first of two continuations; empty if it cannot tell."""
    # a choice is scored after reasoning
    if "choose" not in engine.kinds or marks_reasoning(engine) or not asked:
        return {}
    try:
        answers = engine.ask(list(asked.values()))
    except EngineError:  # a word that adds no token, a context that is full
        return {}
    return {
        id: answer.logprobs[0] - answer.logprobs[1]
        for id, answer in zip(asked, answers, strict=True)
        if isinstance(answer, ChoiceLogProbs)
    }


def _place(item: Differing, first: Engine, other: Engine) -> dict[str, object]:
    """The first token that differs, by the tokenizer of a form that tells its tokens; else the first character."""
    texts = item.first.text, item.other.text
    for engine in (first, other):
        if isinstance(engine, Tokenizes) and all(text.strip() for text in texts):
            try:
                rows = engine.request_tokens(MultipleChoice(item.request.prompt, texts))
                begins = engine.request_tokens(Generate(item.request.prompt, 1))[0]
            except EngineError:
                continue
            if rows[0] != rows[1]:  # a tokenizer may read both alike
                return {"unit": "token", "place": max(1, len(commonprefix(rows)) - len(begins) + 1)}
    return {"unit": "character", "place": len(commonprefix(texts)) + 1}
