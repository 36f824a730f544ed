"""A text in, its numbers out: `1,000`, `-2.5`, `24m²`, `twenty-four`, `12 thousand`, `1/2`, `two and a half`, with their places.

Digits are read here, because the usual readers (babel's, Python's) want to know where a number ends; words by text2num.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from harness.normalise.number_words import SCALES, worded

POINT_LANGUAGES = frozenset({"en", "ja", "zh", "ko", "th", "he", "hi"})
"""Languages that write 2.5 for two and a half; the others write 2,5, and 2.500 for two thousand and five hundred."""

_RUN = re.compile(r"\d++(?:[.,:']\d++|[/^]-?\d++)*+")
_SPACED = re.compile(r"\d{1,3}(?: \d{3})+(?:[.,](?!\d{3}(?!\d))\d++)?(?![\d.,]*\d)")
_ROUND = re.compile(r"\d\d0(?: \d\d0)+")
_SIGN = re.compile(r"(?<![\w)%])-[$€£¥]?\Z|[=(:+*/] ?- \Z")
_PREFIX = re.compile(
    r"(?:^|[^\W\d_]?(?<![^\W_]))(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|INR|US|Rs|pH)[$ ]?$", re.IGNORECASE
)
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b", re.IGNORECASE)
_EXPONENT = re.compile(r"[eE]([-+]?\d{1,4})(?!\w)|\s?[x\u00d7*\u22c5\u00b7]\s?10\^(-?\d{1,4})(?!\w)")
_PERCENT = re.compile(
    r"\s?(?:%|per ?cent\b|prozent\b|pour cent\b|por ciento\b|por cento\b|procent\b)", re.IGNORECASE
)
_SCALE = re.compile(r"(?:k|K|M|bn)(?![^\W_])")
_SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "bn": 1e9}
_HALF = re.compile(
    r"[ -](?:and[ -](?:a|one)[ -]half|et demie?|y medi[ao]|e mezz[ao]|e mei[ao]|en een half)(?!\w)",
    re.IGNORECASE,
)
_PART = re.compile(
    r"[ -](?:hal(?:f|ves)|(?:third|quarter|fourth|fifth|sixth|eighth|tenth)s?)(?!\w)", re.IGNORECASE
)
_PARTS = {"hal": 2, "thi": 3, "qua": 4, "fou": 4, "fif": 5, "six": 6, "eig": 8, "ten": 10}
_IDENTIFIER = re.compile(r"(?!x\d)[^\W\d_]{1,3}\d|_\w")
_COMMAS = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}")
_POINTS = re.compile(r"\d{1,3}(?:\.\d{3})+")
_QUOTES = re.compile(r"(\d{1,3}(?:'\d{3})+)(\.\d+)?")
_FRACTION = re.compile(r"(-?\d{1,15})/(\d{1,15})")
_POWER = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\^(-?\d{1,3})")


@dataclass(frozen=True)
class Figure:
    """A number in a text: its value, its place, and how it is written."""

    value: float
    start: int
    end: int
    percent: bool = False
    in_words: bool = False


@lru_cache(maxsize=256)
def figures(text: str, language: str = "en") -> tuple[Figure, ...]:
    """The numbers of a text, in order; the text has been through `plain` or `alike`.

    A unit may be glued to a number (`5km`, `$5`, `35min`). Parts of a time (`14:30`), a version (`1.2.3`), a name (`B12`)
    and ordinals (`2nd`, `second`) are no numbers. A comma and a point mean what they mean in the language, if both readings
    are possible: `2,500` is 2500 in English and 2.5 in German, `2,5` is 2.5 in both.
    """
    digits = [figure for run in _runs(text) for figure in _figures(text, run, language)]
    words = [
        _with_part(Figure(word.value, word.start, word.end, in_words=True), text[word.end : word.end + 16])
        for word in worded(text, language)
    ]
    found = sorted((*_apart(digits), *words), key=lambda figure: figure.start)
    return tuple(_joined(text, found))


def _apart(found: list[Figure]) -> Iterator[Figure]:
    """The figures but for those that stand within the one before, as the 10 of `3 x 10^8`."""
    last: Figure | None = None
    for figure in found:
        if (
            last is None or figure.start >= last.end or figure.start == last.start
        ):  # a list has its figures in one place
            yield figure
            last = figure


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """The places of digits with what may stand between them; thousands with a space are one run."""
    done = 0
    for run in _RUN.finditer(text):
        if run.start() < done:
            continue
        spaced = _SPACED.match(text, run.start()) if run.end() - run.start() <= 3 else None
        if spaced and _ROUND.fullmatch(spaced.group()) and not spaced.group().endswith(" 000"):  # 100 200 300
            spaced = None
        done = spaced.end() if spaced else run.end()
        yield run.start(), done


def _figures(text: str, run: tuple[int, int], language: str) -> Iterator[Figure]:
    """The figures of one run of digits: usually one, several in a list such as `2,3,5`, none in `14:30`."""
    start, end = run
    before, after = text[max(0, start - 8) : start], text[end : end + 16]
    if _is_part_of_name(before, after):
        return
    written = text[start:end].replace(" ", "")
    if before[-1:] == "." and not before[-2:-1].isalnum():
        written, start, before = f".{written}", start - 1, before[:-1]
    values = _values(written, language in POINT_LANGUAGES, bool(before[-1:] == "(" and after[:1] == ")"))
    for place, value in enumerate(values):
        last = place == len(values) - 1
        sign = -1 if place == 0 and _SIGN.search(before) else 1
        yield (
            _with_suffix(Figure(sign * value, start, end), after)
            if last
            else Figure(sign * value, start, end)
        )


def _is_part_of_name(before: str, after: str) -> bool:
    """Whether digits belong to a word, as in `B12` and `5a3`, to an ordinal, or to a power: no unit and no currency."""
    if before[-1:].isalpha() and _has_spaces(before[-1]):
        times = before[-1] == "x" and before[-2:-1].isdigit()
        if not (times or _PREFIX.search(before)):
            return True
    if before[-1:] in ("_", "^") or _ORDINAL.match(after):
        return True
    return bool(_IDENTIFIER.match(after)) and _has_spaces(after[0]) and not _EXPONENT.match(after)


def _with_suffix(figure: Figure, after: str) -> Figure:
    """The figure with its power of ten, its `k` for a thousand, or what `_with_part` adds."""
    if exponent := _EXPONENT.match(after):
        value = Decimal(repr(figure.value)).scaleb(
            int(exponent[1] or exponent[2])
        )  # infinite if it is too large
        return replace(figure, value=float(value), end=figure.end + exponent.end())
    if scale := _SCALE.match(after):
        return replace(figure, value=figure.value * _SCALES[scale.group()], end=figure.end + scale.end())
    return _with_part(figure, after)


def _with_part(figure: Figure, after: str) -> Figure:
    """The figure with its "and a half", as the part that it counts ("three quarters"), or with its percent sign.

    Parts that make a whole, as in "four quarters", and those counted in digits are things.
    """
    if (half := _HALF.match(after)) and figure.value.is_integer():
        return replace(figure, value=figure.value + 0.5, end=figure.end + half.end())
    if figure.in_words and (part := _PART.match(after)):
        value = figure.value / _PARTS[part.group()[1:4].casefold()]
        return replace(figure, value=value, end=figure.end + part.end()) if 0 < value < 1 else figure
    percent = _PERCENT.match(after)
    return replace(figure, percent=True, end=figure.end + percent.end()) if percent else figure


def _values(written: str, point: bool, in_brackets: bool) -> list[float]:
    """The values of digits and what stands between them; none if together they are a time, a version or a ratio."""
    if written.isdigit():
        return [float(written)]
    if fraction := _FRACTION.fullmatch(written):
        return [int(fraction[1]) / int(fraction[2])] if int(fraction[2]) else []
    if power := _POWER.fullmatch(written):
        base, exponent = float(power[1]), int(power[2])
        return [base**exponent] if abs(exponent) < 30 and (base or exponent >= 0) else []
    if quoted := _QUOTES.fullmatch(written):
        return [float(quoted[1].replace("'", "") + (quoted[2] or ""))]
    if any(mark in written for mark in ":'^/"):
        parts = re.split("[/']", written)
        return (
            [float(part) for part in parts if part.isdigit()] if len(parts) > 1 and ":" not in written else []
        )
    value = _decimal(written, point, in_brackets)
    if value is not None:
        return [value]
    return (
        [float(part) for part in written.split(",") if part.replace(".", "", 1).isdigit()]
        if "," in written
        else []
    )


def _decimal(written: str, point: bool, in_brackets: bool) -> float | None:
    """The value of digits with commas and points, or None if they are no single number.

    Args:
        point: whether a point, and not a comma, stands before decimals.
        in_brackets: whether the digits are all that stands in brackets, where a comma divides: `(3,4)`.
    """
    commas, points = written.count(","), written.count(".")
    if commas and points:
        decimal, grouping = (".", ",") if written.rindex(".") > written.rindex(",") else (",", ".")
        whole, _, rest = written.rpartition(decimal)
        grouped = (_COMMAS if grouping == "," else _POINTS).fullmatch(whole)
        return float(f"{whole.replace(grouping, '')}.{rest}") if grouped else None
    mark, count, groups = (",", commas, _COMMAS) if commas else (".", points, _POINTS)
    are_groups = groups.fullmatch(written) is not None and not written.startswith("0")
    if are_groups and (count > 1 or (mark == ",") == point):
        return float(written.replace(mark, ""))
    if count > 1 or (mark == "," and in_brackets):
        return None
    return float(written.replace(mark, "."))


def _joined(text: str, found: list[Figure]) -> list[Figure]:
    """The figures, with `12 thousand`, `2 1/2`, `1 / 2`, `nineteen forty-five` and `minus four` as one each."""
    joined: list[Figure] = []
    for figure in found:
        last = joined[-1] if joined else None
        between = text[last.end : figure.start] if last else ""
        if last and between in _TOGETHER and (value := _together(text, last, figure)) is not None:
            joined[-1] = replace(figure, value=value, start=last.start)
            continue
        if _is_negative(text, figure, last):
            figure = replace(figure, value=-figure.value)
        joined.append(figure)
    return joined


_TOGETHER = frozenset({" ", "-", " and ", " / "})
"""What stands between two figures that may be one number."""


def _together(text: str, first: Figure, second: Figure) -> float | None:
    """The value of two figures beside each other that are one number, or None."""
    between, words = text[first.end : second.start], first.in_words and second.in_words
    if between == " / ":
        whole = first.value.is_integer() and second.value.is_integer()
        return first.value / second.value if whole and 0 < first.value < second.value else None
    if (words or "/" in text[second.start : second.end]) and 0 < second.value < 1:
        return first.value + second.value if first.value.is_integer() and words is first.in_words else None
    if between == " and ":
        return None
    if second.in_words and second.value in SCALES and abs(first.value) < second.value and not first.percent:
        return first.value * second.value
    if words and 11 <= first.value <= 20 and 10 <= second.value <= 99:
        return first.value * 100 + second.value
    return None


def _is_negative(text: str, figure: Figure, last: Figure | None) -> bool:
    before = text[max(0, figure.start - 9) : figure.start].casefold()
    word = re.search(r"(?<!\w)(?:minus|negative|moins|menos|meno|min) \Z", before)
    return word is not None and (
        last is None or text[last.end : figure.start].strip().casefold() != word[0].strip()
    )


def _has_spaces(letter: str) -> bool:
    """Whether a letter is of a script that puts spaces between words."""
    return SPACELESS.match(letter) is None


SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""A character of a script without spaces between words (Chinese, Japanese, Thai, ...), or with endings glued (Korean)."""


@lru_cache(maxsize=1024)
def only_figure(text: str, language: str = "en") -> Figure | None:
    """The number that a text is, but for a currency sign before it and a percent sign after it; None if it is not one."""
    found = figures(text, language)
    if len(found) != 1:
        return None
    around = text[: found[0].start] + text[found[0].end :]
    return found[0] if re.fullmatch(r"(?:a |[\s$€£¥+.-])*", around, re.IGNORECASE) else None


COUNTS, WORDS_EACH = 10, 4
"""From so many different numbers on, and up to so many words to each, a text counts."""

LEAST_LISTED = 6
"""Numbers of the shortest enumeration."""


def enumerated(text: str, found: Sequence[Figure]) -> set[int]:
    """Which of the figures are only listed: all but the last of an enumeration, or of a text that counts.

    A text counts, whatever stands between its numbers, if it goes through COUNTS different ones, one every few words.
    """
    if len({figure.value for figure in found}) >= COUNTS and len(text.split()) <= WORDS_EACH * len(found):
        return set(range(len(found) - 1))
    runs: list[list[int]] = [[0]] if found else []
    for place, (first, second) in enumerate(pairwise(found), 1):
        between = text[first.end : second.start]
        if re.fullmatch(r"[\s,;.]*(?:(?:and|or|und|et|y|e)\s+)?", between[:12]) and len(between) < 12:
            runs[-1].append(place)
        else:
            runs.append([place])
    return {place for run in runs if len(run) >= LEAST_LISTED for place in run[:-1]}
