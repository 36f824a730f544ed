"""A reply and the options in, the option that it settles on out."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from harness.scoring.final import after_answer, bold_parts, boxed_part, concludes
from harness.scoring.reading import comparable, marked

_SENTENCE = re.compile(r"(?:[^.!?\n]|[.!?](?![\s\"')]|\Z))++[.!?\n]?|[.!?\n]")
_CLAUSE = re.compile(
    r",(?!\d| ?(?:who|which|whose)(?!\w))|:(?!\d)|[;|/&()]|"
    r"(?=(?<!\w)(?:so|but|therefore|thus|hence|because|since|while|whereas)(?!\w))",
    re.IGNORECASE,
)
_UNSETTLED = re.compile(r"(?<!\w)(?:not|never|no|nor|neither|cannot|without|or|either)(?!\w)|n't(?!\w)")
_FILLER = re.compile(r"(?<!\w)(?:the|a|an|and|or|in|on|at|into|of)(?!\w)|[\W\d_]")
_LABEL = re.compile(r"(?:^|[\n|;])[ \t]*+[A-Z][A-Z _-]{1,30}:")
_IS = re.compile(r"(?<!\w)(?:is|are|was|be)(?: now)?(?: in| at| behind| called)?(?: the| an?)? $")
_END = re.compile(r"\W+\Z")
_ASIDE = re.compile(r"\W*(?:because|since|while|whereas|although|albeit|with|then|followed by)(?!\w)")
_REJECTS = re.compile(r"(?<!\w)(?:is|are) (?:wrong|incorrect|false)(?!\w)")
_RANKS = re.compile(r"(?<!\w)the (?:\w+est|most|least)(?!\w)")
_NOW = re.compile(r"(?<!\w)now(?!\w)", re.IGNORECASE)
_RETRACTS = re.compile(
    r"(?:\A|[.!?\n])\W{0,9}(?:(?:no|oh|oops|hm+|well),? )?"
    r"(?:actually|sorry(?! (?:for|about|if|that|to)(?!\w))|wait|hold on|correction|scratch that)(?!\w)",
    re.IGNORECASE,
)
"""The beginning of a sentence that takes back what was said."""
_CHOICE = re.compile(
    r"(?:^[ \t]*|(?<=\s)(?=\(?[A-Za-z]\)))\(?([A-Za-z])[).:]\s+"
    r"(\S[^\n]{0,80}?)(?=\s+(?:\(?[A-Za-z]\)\s|[Aa]nswer)|[.!?]\s|\n|\Z)",
    re.MULTILINE,
)
"""A choice of a list: its letter, at the beginning of a line or in brackets, and its text."""
_LETTER = r"A-Za-z\u00c0-\u024f"
_TAKEN = re.compile(
    rf"(?<![{_LETTER}'])(?:[B-HJ-Z]|I(?=[).:\"\u201d]|$)|(?<=[a-z,] )A|"
    r"A(?! (?!(?:is|was|fits|seems|looks|matches|would|must|ist|est|es|because|since|and|or|und|et|y)(?!\w))[a-z])|"
    rf"[a-z](?=\)|[.!]?$)|(?<=[Oo]ption )[a-zI]|I(?= is(?!\w)))(?![{_LETTER}'])",
    re.MULTILINE,
)
"""A letter for a choice, in any language; "A man" begins with an article, and a small letter stands in brackets or at an end."""
_TICKED = re.compile(r"[\u2713\u2714\u2705]")
_TICK = re.compile(rf"{_TICKED.pattern}|(?<!\w)correct(?!\w)", re.IGNORECASE)

_LETTERS = tuple(string.ascii_uppercase)

LIST = 3
"""From so many choices on, a reply lists them, and settles on none by that."""

DATA_SHEET = 2
"""From so many LABELS: on, a reply is a data sheet, which settles on nothing."""


@dataclass(frozen=True)
class _Clause:
    """A clause that names options: which, in what sentence, whether it says nothing else, and which one it asserts.

    An aside gives a reason, or what comes after the answer in an order; a clause rejects that calls its option wrong. A clause
    ranks that calls its option the most of something and concludes nothing.
    """

    named: tuple[str, ...]
    sentence: int
    bare: bool
    aside: bool
    rejects: bool
    ranks: bool
    settled: str | None


def named_option(raw: str, text: str, options: Sequence[str], language: str) -> str | None:
    """The option that a reply settles on, or None if it settles on none.

    In this order: the first option in the last box; the one after the last "answer is"; the only one in bold; the only one
    with a tick; the one that is asserted in the first or the last of the clauses that name options. A clause asserts the only
    option that it names, the one at its end after "is", and the first where it compares that with all others ("than"); it asserts none if it denies it
    or leaves it open with "or". Of two such clauses the last counts if it concludes ("so", "=", "now") or stands in the first
    one's sentence, but for an order ("Anna is the tallest, and Carl is the shortest"). Reasons ("because") count where nothing else names an option; questions, lists of options and data sheets
    (two LABELS: or more) settle on nothing. What follows the last "Actually," or "Sorry," goes before the rest.

    Args:
        raw: the reply as written.
        text: the reply as the score reads it.
    """

    letters = {f"choice {option.upper()}": option for option in options if option.upper() in _LETTERS}
    if len(letters) == len(options):
        chosen = named_option(_taken(raw), _taken(text), list(letters), language)
        return None if chosen is None else letters[chosen]

    def named(piece: str | None) -> list[str]:
        return [] if piece is None else _in_order(piece, options, language)

    if len(_LABEL.findall(text)) >= DATA_SHEET:
        return None
    if found := named(boxed_part(raw)):
        return found[0]
    stated = _settling(_clauses(after_answer(text) or "", options, language))
    if stated and stated[0].settled is not None:
        return stated[0].settled
    bold = {option for piece in bold_parts(raw) for option in named(piece)}
    if len(bold) == 1:
        return bold.pop()
    lines = filter(_TICKED.search, text.splitlines())
    ticked = {clause.settled for line in lines for clause in _clauses(line, options, language)}
    if len(ticked) == 1 and (option := ticked.pop()):
        return option
    starts = [found.end() for found in _RETRACTS.finditer(text)]
    pieces = [*(text[start:] for start in starts[-1:]), text]
    settled = (_concluded(piece, _settling(_clauses(piece, options, language))) for piece in pieces)
    return next(filter(None, settled), None)


def without_lettered(raw: str, text: str, expected: Sequence[str], language: str) -> str:
    """The text with only the choice that it takes of a lettered list: nothing of "A) Rome B) Paris C) Lyon".

    A list leaves nothing open if every choice is expected, or a right one is ticked or in bold.

    Args:
        raw: the reply as written.
        text: the reply as the score reads it.
        expected: the right answers.
    """
    listed = _listed(text)
    right = [choice for choice in listed if _in_order(choice[2], expected, language)]
    bold = bold_parts(raw)
    stands_out = len(bold) < len(listed) and any(_in_order(piece, expected, language) for piece in bold)
    if len(right) == len(listed) or stands_out or any(map(_TICK.search, (choice[0] for choice in right))):
        return text
    starts, ends = [choice.start() for choice in listed], [choice.end() for choice in listed]
    rest = "".join(text[end:start] for end, start in zip([0, *ends], [*starts, None], strict=True))
    taken = named_option(rest, rest, [choice[1].upper() for choice in listed], language)
    return "\n".join([rest, *(choice[2] for choice in listed if taken == choice[1].upper())])


def _taken(text: str) -> str:
    """The text with "choice A" for a letter that stands for a choice, and not for an article."""
    return _TAKEN.sub(lambda letter: f"choice {letter[0].upper()}", text)


def _listed(text: str) -> list[re.Match[str]]:
    """The choices of the lettered lists of a text, each of which counts from A to C at least."""
    lists: list[list[re.Match[str]]] = [[]]
    for choice in _CHOICE.finditer(text):
        place = _LETTERS.index(choice[1].upper())
        if place == 0:
            lists.append([])
        if place == len(lists[-1]):
            lists[-1].append(choice)
    return [choice for choices in lists if len(choices) >= LIST for choice in choices]


def _concluded(text: str, clauses: Sequence[_Clause]) -> str | None:
    """The option of the first or the last of the clauses of a text that name any."""
    clauses = [clause for clause in clauses if not clause.aside] or clauses
    # Where nothing else settles, the question may be which one is wrong.
    if any(clause.settled and not clause.rejects for clause in clauses):
        clauses = [clause for clause in clauses if not clause.rejects]
    if not clauses:
        return None
    first, last = clauses[0], clauses[-1]
    if first.settled is None or last.settled is None:
        return first.settled or last.settled
    later = "".join(_SENTENCE.findall(text)[first.sentence + 1 :])
    same_sentence = first.sentence == last.sentence and not (first.ranks and last.ranks)
    last_counts = same_sentence or concludes(later) or _NOW.search(later) is not None
    return (last if last_counts else first).settled


def _clauses(text: str, options: Sequence[str], language: str) -> Iterator[_Clause]:
    """The clauses of a text that name an option, but for questions."""
    for place, sentence in enumerate(_SENTENCE.findall(text)):
        if sentence.endswith("?") or not sentence.strip():
            continue
        for clause in filter(None, _CLAUSE.split(_enumeration(tuple(options)).sub(" and ", sentence))):
            shown = comparable(clause, language)
            if named := tuple(
                option for option in _in_order(clause, options, language) if _is_named(shown, option)
            ):
                asserted = _asserted(shown, named, len(options), language)
                bare, aside = _is_bare(shown, named, language), _ASIDE.match(shown) is not None
                ranks = _RANKS.search(shown) is not None and not concludes(shown)
                rejects = _REJECTS.search(shown) is not None
                yield _Clause(named, place, bare, aside, rejects, ranks, asserted)


@lru_cache(maxsize=256)
def _enumeration(options: tuple[str, ...]) -> re.Pattern[str]:
    """The commas between options that a sentence counts up, which do not end its clauses."""
    longest_first = "|".join(re.escape(option) for option in sorted(options, key=len, reverse=True))
    before = "|".join(f"(?<={re.escape(option)})" for option in options)
    follows = r"(?=\s*(?:,|\W*$|(?:and|or|are|were|have|do|can)(?!\w)))"
    return re.compile(
        rf"(?:{before}),\s(?:and\s|or\s)?(?=(?:the\s|an?\s)?(?:{longest_first})s?(?!\w){follows})",
        re.IGNORECASE,
    )


def _is_named(clause: str, option: str) -> bool:
    """Whether a clause may mean an option: "no" is one where the clause ends with it, not in "there is no doubt"."""
    return not _UNSETTLED.fullmatch(option.casefold()) or _END.sub("", clause).endswith(option.casefold())


def _asserted(clause: str, named: Sequence[str], options: int, language: str) -> str | None:
    """The option that a clause asserts, or None."""
    compared, than, _ = clause.partition(" than ")
    unsettled = {found[0] for found in _UNSETTLED.finditer(compared if than else clause)}
    if unsettled - {option.casefold() for option in named}:
        return None
    if len(named) == 1:
        return named[0]
    if than and len(named) == options and len(_in_order(compared, named, language)) == 1:
        return named[0]
    ends = (option for option in named if clause.rstrip(" .!\"'").endswith(comparable(option, language)))
    at_end = max(ends, key=len, default="")
    before = clause.rstrip(" .!\"'").removesuffix(comparable(at_end, language))
    return at_end if at_end and _IS.search(before) else None


def _is_bare(clause: str, named: Iterable[str], language: str) -> bool:
    """Whether a clause says nothing but the options that it names."""
    for option in sorted(named, key=len, reverse=True):
        clause = clause.replace(comparable(option, language), " ")
    return _FILLER.sub("", clause) in ("", "s")


def _settling(clauses: Iterable[_Clause]) -> list[_Clause]:
    """The clauses without those that together list different options and say no more."""
    kept: list[_Clause] = []
    for bare, run in groupby(clauses, key=lambda clause: clause.bare):
        listed = list(run)
        if not bare or len({option for clause in listed for option in clause.named}) == 1:
            kept += listed
    return kept


def _in_order(text: str, options: Sequence[str], language: str) -> list[str]:
    """The options that a text names, with or without an s, by where each first stands."""
    haystack = marked(comparable(text, language))

    def place(option: str) -> int:
        forms = (marked(comparable(form, language)) for form in (option, f"{option}s"))
        return min((at for form in forms if (at := haystack.find(form)) >= 0), default=-1)

    places = {option: place(option) for option in options}
    return sorted(
        (option for option in options if places[option] >= 0),
        key=lambda option: (places[option], -len(option)),
    )
