"""Pieces of a reply: its first turn, and its final answer, boxed, after "answer is", in bold, before "because", in the conclusion."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from harness.normalise import Figure, answer_of, plain
from harness.normalise.latex import boxed

Final = Literal["whole", "auto", "after_answer", "boxed"]
FINAL = (
    "Where the answer must stand. whole: anywhere; boxed: in the last \\boxed{}; after_answer: after the last 'answer is', "
    "'answer:', 'result is' or '####', up to the sentence's end; auto: boxed if there is any, else after_answer if there is "
    "any, else anywhere."
)

T = TypeVar("T")

_ANSWER = re.compile(
    r"(?:(?<!\w)(?:answer|result|solution|antwort|ergebnis|réponse|résultat|respuesta|resultado|resposta|risposta|risultato|"
    r"antwoord)(?![^\W_])[^.\n:=?!]{0,60}?(?::|=|(?<!\w)(?:is|was|would be|will be|must be|equals|ist|lautet|est|es|é|è)(?!\w))|####|"
    r"^(?:\w{1,12} )?answer[ \t]*$(?=\s++(?:\S++[ \t]*+){1,5}+\s*+\Z))"
    r"\s*(?:is(?!\w))?[\s:=]*",
    re.IGNORECASE | re.MULTILINE,
)
"""What comes before an answer; "Answer" as a line before the last, if that has at most five words."""
_MARKED = re.compile(r"^#### ([^\n]++)\Z", re.MULTILINE)
"""The final answer of a text as GSM8K marks it; what follows a heading is more text."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+|(?<=[.!?][\"')])\s+")
_BOLD = re.compile(r"(?<![*\w])(?:\*\*([^*\n]{1,60})\*\*|__([^_\n]{1,60})__)(?![*\w])")
_REASON = re.compile(
    r"(?<![\s,]),?\s+\(?(?:because|since|as in|given that|for the reason|(?<=, )as(?= \S{0,20}\d))(?!\w)",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\([^()\n]{1,200}\)")
_CONCLUDES = re.compile(
    r"(?<!\w)(?:so|therefore|thus|hence|consequently|in total|altogether|finally|final|in the end|which means|conclusion|total|"
    r"leaves|remaining|we get|you get|gives)(?!\w)|\u2234",
    re.IGNORECASE,
)

_BACKGROUND = re.compile(
    r"(?<![\s,;:])(?<! and)(?<! but)(?<! so),? (?:(because|since|after)|when|if|including|having|by \w{1,20}ing)(?!\w)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"(?P<joins>[,:;]\s|->|\u2192|(?<!\w)(?:and(?! [$€£]?\d)|but|so|then|now|which)(?!\w))|(?<!\w)(?:"
    r"(?P<says>is|(?:are|were)(?! \w+ed)|be|has|have|had|was|will|ended|leaving|(?:equal|give|make|leave|get|go|come|become|remain|"
    r"yield|result|total|amount|sum|produce|work|turn|reach|find|keep)s?)|"
    r"he|she|it|we|you|they|i|there)(?!\w)|"
    r"(?<! of )(?<!of the )(?<![\d.,])(?=\d[\d.,]*(?: [a-z]{1,20})? (?:stay|remain|(?:are|were) left))",
    re.IGNORECASE,
)
"""What makes a main clause of the rest of a clause: `joins` before a number; `says` too, but not after "because", which has a verb
of its own; any of them between two numbers, as in "after he bought 2 he has 42" and "when 8 flew off 42 stayed"."""
_RETRACTS = re.compile(
    r"(?:^|(?<=[.!?)*\u2026] ))[*_]{0,3}(?:correction:|"
    r"(?:wait|hold on|oops|sorry|hm+) ?[,.!:;\u2026-]{1,3} ?(?:no|actually|i['\u2019]m|the (?:correct|right)|"
    r"that(?:['\u2019]s| is| was)(?= (?:not|wrong|incorrect)(?!\w))|it(?:['\u2019]s| is| should be)(?= \W?\d))|"
    r"actually,? (?:it(?:['\u2019]s| is| should be)(?= \W?\d)|the (?:correct |right )?answer))(?!\w)",
    re.IGNORECASE | re.MULTILINE,
)
"""The beginning of a sentence that takes back what was said; "Wait, it says" and "Sorry, that took long" do not."""

ASKS = "Q|Question|Human|User|Instruction"
"""Labels of a question."""
_LABELLED = r"(?:^(?:\*\*|#{{1,4}} )?|(?<=[.!?] ))(?:{})(?: \d{{1,3}})?(?:\*\*)?(?::|$)"
_ASKS = re.compile(
    rf"```|{_LABELLED.format(ASKS)}|<\|(?:im_start|start_header_id)\|>user|<\|user\|>|<start_of_turn>user|\[INST\]",
    re.IGNORECASE | re.MULTILINE,
)
_ANSWERS = re.compile(
    rf"{_LABELLED.format('A|Answer|Assistant|AI|Bot|Model|Response')}|\|>assistant|<\|assistant\|>|_turn>model|\[/INST\]",
    re.IGNORECASE | re.MULTILINE,
)
_LEADS_IN = re.compile(
    r":\W{0,9}\Z|^[^\w\n]*(?:sure|certainly|of course|okay|ok|let's|let me|here)(?!\w)[^\n]*\Z|^#[^\n]*\Z|(?<!\w)(?:FAQs?|(?:two|three|four|five|ten|\d|frequently asked) questions)(?!\w)",
    re.IGNORECASE | re.MULTILINE,
)


def first_turn(text: str) -> str:
    """A raw text up to the question that it asks itself, under a label such as `Q:` or `User:`, and answers under another.

    A text that begins with such a label, or leads in to it ("Here are three questions:"), was asked for it; and code is none.
    """
    text, in_code = answer_of(text), False
    for asked in _ASKS.finditer(text):
        if asked[0] == "```":
            in_code = not in_code
        elif not in_code:
            before = text[: asked.start()]
            is_wanted = not before.strip() or _LEADS_IN.search(before.rstrip())
            return text if is_wanted or not _ANSWERS.search(text, asked.end()) else before
    return text


def boxed_part(text: str) -> str | None:
    r"""The content of the last `\boxed{}` of a raw text, as plain text."""
    found = boxed(answer_of(text))
    return None if found is None else plain(found)


def after_answer(text: str) -> str | None:
    """What follows the last "answer is" of a text, up to the end of the sentence or line."""
    found = list(_ANSWER.finditer(text))
    return (_SENTENCE.split(text[found[-1].end() :].lstrip(), maxsplit=1)[0] or None) if found else None


def part(raw: str, text: str, final: Final) -> str | None:
    """The part of a reply in which its answer must stand, or None if it has no such part.

    Args:
        raw: the reply as written.
        text: the reply as the score reads it.
    """
    if final == "whole":
        return text
    inside = boxed_part(raw) if final in ("boxed", "auto") else None
    if inside is not None or final == "boxed":
        return inside
    marked = _MARKED.search(answer_of(raw).rstrip())  # `plain` takes it for a heading
    after = plain(marked[1]) if marked else after_answer(text)
    return text if after is None and final == "auto" else after


def bold_parts(raw: str) -> list[str]:
    """The short pieces of a reply that stand in bold, as plain text."""
    return [plain(found[1] or found[2]) for found in _BOLD.finditer(answer_of(raw))]


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text."""
    return [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]


def concludes(text: str) -> bool:
    """Whether a text says so, therefore or in total, or works something out, so that its answer may come last."""
    return "=" in text or _CONCLUDES.search(text) is not None


def before_reason(sentence: str) -> str | None:
    """A sentence up to its "because" or "since", or None without one."""
    found = _REASON.search(sentence)
    return sentence[: found.start()] if found and found.start() else None


def without_asides(text: str, has_answer: Callable[[str], bool]) -> str:
    """A text without what stands in brackets, if there is an answer outside of them."""
    outside = _ASIDE.sub(" ", text)
    return outside if has_answer(outside) else text


def without_retracted(text: str, figures: Sequence[Figure]) -> str:
    """What follows the last "Wait, no" or "Correction:" of a text that has one of its figures behind it."""
    last = max((figure.start for figure in figures), default=0)
    ends = [found.end() for found in _RETRACTS.finditer(text) if found.end() <= last]
    return text[ends[-1] :] if ends else text


def main_clause(sentence: str, figures_of: Callable[[str], Sequence[Figure]]) -> str:
    """A sentence without the clause at its end that says when, why or how, as in "8 are left after 12 fly away"."""
    found = figures_of(sentence)
    background = _BACKGROUND.search(sentence, found[0].end) if found else None
    if not background:
        return sentence
    within = [figure for figure in found if figure.start >= background.end()]
    goes_on = within and any(
        link.end() <= within[-1].start
        and (link["joins"] or (link["says"] and not background[1]) or within[0].end <= link.start())
        for link in _GOES_ON.finditer(sentence, background.end())
    )
    return sentence if goes_on else sentence[: background.start()]


def last_conclusion(found: Sequence[str]) -> int | None:
    """The place of the last sentence that begins with so, therefore, thus or hence, or None."""
    begins = re.compile(
        r"\W*(?:so|therefore|thus|hence|consequently|in total|altogether|finally)(?!\w)", re.IGNORECASE
    )
    return next((place for place in reversed(range(len(found))) if begins.match(found[place])), None)
