"""A probe in, the replies out that a model may give to it: wrong ones that no score may take, right ones that each must.

No model is asked. Right replies are made from the probe's `answer`; a score without one has wrong replies only.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from harness.authoring.battery_asked import Asked, Reply, differs
from harness.authoring.battery_phrases import PHRASES
from harness.authoring.battery_rules import least_words, most_words, wanted_texts, wants_refusal
from harness.authoring.options_listed import options
from harness.engine.requests import cut_at_stop
from harness.normalise.figures import only_figure
from harness.scoring.negation import DENIALS
from harness.scoring.reading import normalised
from harness.scoring.refusal import Refusal
from harness.scoring.text import Contains, Regex, mentions
from harness.suites.composed import Composed, simple
from harness.suites.weakness import MustBeRight, MustBeWrong

_NUMBER = re.compile("[0-9]{1,6}")
_WORD = re.compile(r"[^\W\d_]{3,}")
SALAD_WORDS, REPEATED, COUNTED = 14, 8, 15
MOST_ANSWERS = 10
"""Of more right answers, only the first are tried alone."""


def replies(asked: Asked) -> Iterator[Reply]:
    """The replies, each text once."""
    seen: set[tuple[bool, str]] = set()
    for kind, text in (*_wrong(asked), *_right(asked)):
        reply = Reply(kind, cut_at_stop(text, asked.task.stop))
        if (reply.right, reply.text) not in seen:
            seen.add((reply.right, reply.text))
            yield reply


# Wrong


def _wrong(asked: Asked) -> Iterator[tuple[MustBeWrong, str]]:
    yield "echo", _first_words(asked.prompt, asked.room)
    yield "echo", asked.question
    if asked.passage:
        yield "passage", " ".join(asked.passage.split()[-asked.room :])
    if asked.task.system:
        yield "system_prompt", asked.task.system
    yield "empty", ""
    if not wants_refusal(asked.probe.scorer):
        yield from (("refusal", text) for text in asked.phrases.refusals)
    if listed := _real_options(asked):
        yield "options", f"{', '.join(listed)}."
        yield "options", f"{', '.join(reversed(listed))}."
    yield from (("other_answer", asked.phrases.sentence.format(key=other)) for other in asked.others)
    yield from _undecided(asked)
    yield from (("near_number", asked.phrases.sentence.format(key=number)) for number in _near(asked))
    yield from (("counting", text) for text in _counting(asked))
    if not asked.probe.scorer.asks_order and (disordered := _disordered(asked)) is not None:
        yield "shuffled", disordered
    if words := _content_words(asked.question):
        yield "narrow", _data_sheet(words, " | ")
        yield "narrow", _data_sheet(words, "\n")
    if word := _looping(asked):
        yield "one_word", " ".join([word] * max(REPEATED, least_words(asked.probe.scorer)))


def _first_words(text: str, most: int) -> str:
    """The beginning of a text, with its own line breaks."""
    ends = [found.end() for found in islice(re.finditer(r"\S+", text), most)]
    return text[: ends[-1]] if ends else text


def _real_options(asked: Asked) -> tuple[str, ...]:
    """The options that the question lists, if the score takes some of them and not others."""
    listed = options(asked.question, things=asked.key is not None)
    return listed if {asked.judge(asked.probe, option) for option in listed} == {True, False} else ()


def _undecided(asked: Asked) -> Iterator[tuple[MustBeWrong, str]]:
    """A denial of the right answer, and the right one or another, in a language in which the score can tell both."""
    key, phrases = asked.key, asked.phrases
    if key is None or _looks_for_text(asked):
        return
    language = next(language for language, found in PHRASES.items() if found is phrases)
    read = {getattr(scorer, "language", language) for scorer in simple(asked.probe.scorer)}
    if language not in DENIALS or read != {language}:
        return
    if not _is_data(key):
        yield "denied", phrases.denial.format(key=key)
    other = next((other for other in asked.others if _rivals(key, other)), None)
    if other is not None and not isinstance(
        asked.probe.scorer, Refusal
    ):  # of which any word of the subject will do
        yield "hedged", phrases.either.format(key=key, other=other)
        yield "hedged", phrases.either.format(key=other, other=key)


def _looks_for_text(asked: Asked) -> bool:
    """Whether a score takes text whatever it means."""
    return any(isinstance(scorer, Contains | Regex) for scorer in simple(asked.probe.scorer))


def _rivals(key: str, other: str) -> bool:
    """Whether two answers are of one kind: numbers, or names and things of a word."""
    if any(map(only_figure, (key, other))):
        return all(map(_NUMBER.fullmatch, (key, other)))
    return all(map(_WORD.fullmatch, (key, other))) and key.isupper() is other.isupper()


def _near(asked: Asked) -> Iterator[str]:
    """Numbers that hold the digits of the right one and are others."""
    if asked.key is None or not _NUMBER.fullmatch(asked.key):
        return
    tolerant = any(getattr(scorer, "tolerance", 0.0) for scorer in simple(asked.probe.scorer))
    if not tolerant and int(asked.key) > 0:
        yield from (f"{asked.key}.5", f"-{asked.key}", *([f"{asked.key},000"] if len(asked.key) < 4 else []))


def _counting(asked: Asked) -> Iterator[str]:
    """Counts that go past the right number, whatever stands between their numbers."""
    if asked.key is not None and _NUMBER.fullmatch(asked.key) and not _looks_for_text(asked):
        counted = range(max(0, int(asked.key) - COUNTED), int(asked.key) + COUNTED)
        yield " + ".join(map(str, counted))
        yield "\n".join(f"{number} x 1 = {number}." for number in counted)


def _disordered(asked: Asked) -> str | None:
    """The words of a right answer backwards in a sentence; without an answer, a salad of the words that a rule looks for."""
    scorer = asked.probe.scorer
    if asked.key is not None:
        backwards = " ".join(reversed(asked.key.split()))
        answers = [asked.key] if isinstance(scorer, Regex) else asked.probe.answers
        if _is_data(asked.key) or any(_is_in(answer, backwards) for answer in answers):
            return None
        return asked.phrases.sentence.format(key=backwards)
    topic, words = wanted_texts(scorer), _content_words(asked.question.lower())
    if not topic:
        return None
    salad = list(dict.fromkeys([*topic[:3], *words, *topic[3:]]))
    salad = (salad * math.ceil(max(1, least_words(scorer) / len(salad))))[
        : max(SALAD_WORDS, least_words(scorer))
    ]
    salad = salad[: most_words(scorer)]
    random.Random(asked.probe.id).shuffle(salad)
    return f"{' '.join(salad).capitalize()}."


def _is_in(answer: str, text: str) -> bool:
    """Whether a text in another order still holds an answer, as it does that of a single word."""
    return len(answer.split()) == 1 or normalised(answer) == normalised(text) or mentions(text, answer)


def _content_words(text: str) -> list[str]:
    """The words of three letters or more, each once; in scripts without spaces, the characters."""
    return list(dict.fromkeys(re.findall(r"[^\W_]{3,}|[\u3040-\u30ff\u3400-\u9fff]", text)))


def _data_sheet(words: Sequence[str], between: str) -> str:
    """The form that narrow training data leave behind, with the question's own words as values."""
    fields = {"TOPIC": words[:3], "CLASS": words[3:5], "USE": words[5:9]}
    return between.join(f"{name}: {' '.join(values)}" for name, values in fields.items() if values)


def _looping(asked: Asked) -> str | None:
    """A word of the subject, or of the question if the answer is known: repeating a right answer answers."""
    if asked.key is None and (topic := wanted_texts(asked.probe.scorer)):
        return topic[0].split()[0]
    words = reversed(_content_words(asked.question))
    return next((word for word in words if asked.key is None or differs(asked.probe, asked.key, word)), None)


# Right


def _right(asked: Asked) -> Iterator[tuple[MustBeRight, str]]:
    key, phrases = asked.key, asked.phrases
    if wants_refusal(asked.probe.scorer) and not isinstance(asked.probe.scorer, Composed):
        yield from (("alone", text) for text in phrases.refusals)
    if key is None:
        return
    sentence = phrases.sentence.format(key=key)
    reasoning = phrases.reasoning.format(question=asked.question)
    yield "alone", key
    if not isinstance(asked.probe.scorer, Regex):
        yield from (("alone", answer) for answer in asked.probe.answers[1:MOST_ANSWERS])
    yield "in_sentence", sentence
    if not _is_data(key):
        yield "bold", f"**{key}**"
        yield "bold", phrases.sentence.format(key=f"**{key}**")
        yield "quoted", f"\u201c{key}\u201d"
        yield "list_item", f"- {key}"
        yield "upper_case", key.upper()
        yield "lower_case", key.lower()
    yield "after_reasoning", f"{reasoning} {sentence}"
    yield "after_thinking", f"<think>\n{reasoning}\n</think>\n\n{sentence}"
    yield "after_opening", f"{phrases.opening}\n\n{key}"
    yield "before_reasons", f"{sentence} {reasoning}"


def _is_data(text: str) -> bool:
    """Whether an answer is a JSON object or array, in which case and marks have a meaning."""
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
