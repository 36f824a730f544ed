"""A value that is not what its place takes in; what its author may have meant, as a corrected line to paste, out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from harness.documents.document import Document, Place
from harness.documents.yaml_lines import IN_QUOTES, Line, bracket_end, escaped, quoted

MOST_SHOWN = 160
"""Characters of a corrected line that is shown whole; of a longer one its key and value are."""

LISTED = 20
"""Items of a list that a remedy writes out."""

_AMOUNT = re.compile(r"\s*([-+\u2212]?)\s*(\d[\d_ ,.']*|[.,]\d+)(e[-+\u2212]?\d+)?\s*(%|percent|per cent|points?|pp|[a-z]+)?\s*", re.IGNORECASE)  # fmt: skip
_PER_CENT = ("%", "percent", "per cent", "point", "points", "pp")


def corrected(document: Document, place: Place, new: str) -> str:
    """The line of a value with another text in its place, to paste; the key with that text where the line is long."""
    span, key = document.values.get(place), place[-1] if place else ""
    short = f"{key}: {new}" if isinstance(key, str) else f"- {new}"
    line = document.line(span)
    if span is None or line is None:
        return short
    start = span.column - 1
    fixed = f"{line[:start]}{new}{line[value_end(line, start) :]}".strip()
    return fixed if len(fixed) <= MOST_SHOWN and line[start:].strip() else short


def renamed(document: Document, place: Place, name: str) -> str:
    """The line of a key under another name."""
    span = document.keys.get(place)
    line = document.line(span)
    if span is None or line is None:
        return f"{name}: ..."
    rest = line[span.column - 1 :]
    written = re.match(r"""["']?""" + re.escape(str(place[-1])) + r"""["']?""", rest)
    fixed = f"{line[: span.column - 1]}{name}{rest[written.end() if written else 0 :]}".strip()
    if len(fixed) <= MOST_SHOWN:
        return fixed
    end = value_end(line, value.column - 1) if (value := document.values.get(place)) and value.line == span.line else 0  # fmt: skip
    return f"{name}: {line[value.column - 1 : end]}" if value and 0 < end - value.column < MOST_SHOWN else f"{name}: ..."  # fmt: skip


def value_end(line: str, start: int) -> int:
    """Where, in a line, the value ends that begins at `start`."""
    first, rest = line[start : start + 1], line[start:]
    if first in ('"', "'"):
        found = IN_QUOTES.match(rest)
    elif first in ("{", "["):
        return start + _closed(rest)
    elif _open_brackets(line[:start]):
        found = re.match(r"[^,{}\[\]\n]*[^,{}\[\]\s]", rest)
    else:
        found = re.match(r"(?:[^\s]|\s+(?![\s#]|$))*", rest)
    return start + (found.end() if found else len(rest.rstrip()))


def number_meant(seen: Any, written: str | None, *, is_fraction: bool, is_whole: bool) -> str | None:
    """The number that an author may have meant by `seen`, as YAML writes it; None if that is not clear.

    Args:
        is_fraction: whether the place takes 0 to 1, so that 10 % and 10 mean 0.1.
        is_whole: whether it takes whole numbers alone.
    """
    if isinstance(seen, bool) or not isinstance(seen, str | int | float):
        return None
    found = _AMOUNT.fullmatch(written or str(seen))
    if found is None:
        return None
    _, digits, exponent, unit = found.groups()
    amount = _amount(digits, (exponent or "").replace("\u2212", "-"), whole=is_whole)
    if amount is None:
        return None
    per_cent = (unit or "").lower() in _PER_CENT
    if is_fraction and (per_cent or amount > 1):
        amount /= 100
    elif unit and not is_whole:
        return None
    if is_whole and (amount != amount.to_integral_value() or amount < 1):
        return None
    if is_fraction and not 0 <= amount <= 1:
        return None
    return str(int(amount)) if is_whole else _plain(amount)


def _amount(digits: str, exponent: str, *, whole: bool) -> Decimal | None:
    digits = re.sub(r"[ _']", "", digits)
    if whole and re.fullmatch(r"\d{1,3}([,.]\d{3})+", digits):
        digits = re.sub(r"[,.]", "", digits)
    try:
        return Decimal(digits.replace(",", ".", 1) + exponent) if len(digits) < 40 else None
    except InvalidOperation:
        return None


def _plain(amount: Decimal) -> str:
    text = format(amount.normalize(), "f") if abs(amount) >= Decimal("0.0001") else f"{amount:.3g}".lower()
    return text if text != "0" else "0.0"


def text_meant(document: Document, place: Place, seen: Any) -> str | None:
    """The text, in quotes, that an author may have meant where YAML reads a list, a mapping, a number or a boolean."""
    if isinstance(seen, Mapping | list):
        text = _in_brackets(document, place)
        braces = isinstance(seen, Mapping) and all(value is None or isinstance(value, Mapping) for value in seen.values())  # fmt: skip
        if not braces or not 0 < len(text) <= MOST_SHOWN:
            return None
        return quoted(re.sub(r"\{\{\s*(\w+)\s*\}\}", r"{\1}", text))
    if isinstance(seen, bool | int | float):
        return quoted(document.written.get(place, str(seen)))
    return None


def json_meant(document: Document, place: Place, seen: Any) -> str | None:
    """The JSON, as a text in quotes, that an author may have meant by a mapping."""
    text = _json(document, place, seen).replace("'", "''")
    return f"'{text}'" if isinstance(seen, Mapping) and seen and len(text) <= MOST_SHOWN else None


def _json(document: Document, place: Place, value: Any) -> str:
    """A value as JSON, its numbers as they are written."""
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(key)}: {_json(document, (*place, key), item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_json(document, (*place, at), item) for at, item in enumerate(value))}]"
    return document.written.get(place) or json.dumps(value, ensure_ascii=False)


def list_meant(seen: Any, separated: bool) -> str | None:
    """A list, as YAML writes it, of what an author gave without brackets.

    Args:
        separated: whether commas may stand between several items.
    """
    if isinstance(seen, bool) or not isinstance(seen, str | int | float) or str(seen) == "":
        return None
    items = re.split(r"\s*[,;|]\s*", str(seen).strip()) if separated else [str(seen)]
    if len(items) > LISTED:
        return None
    return f"[{', '.join(map(_item, items))}]"


def _item(text: str) -> str:
    if "\n" in text or "\t" in text:
        return '"' + escaped(text).replace("\n", "\\n").replace("\t", "\\t") + '"'
    return text if re.fullmatch(r"[A-Za-z][\w -]*|\d+", text) and text not in ("null", "true", "false") else quoted(text)  # fmt: skip


def as_item(document: Document, place: Place) -> str | None:
    """A mapping in braces as a list with it; None for one without braces."""
    text = _in_brackets(document, place)
    return f"[{text}]" if text.startswith("{") and len(text) <= MOST_SHOWN else None


def cut_by_comma(document: Document, place: Place) -> str | None:
    """The line in which a text is cut at its comma, inside braces, with quotes around it; None if this is no such case."""
    span = document.keys.get(place)
    line = document.line(span)
    if span is None or line is None or len(line) > 2_000:
        return None
    at = span.column - 1
    for piece in Line(line).pieces:
        if piece.in_braces and piece.start < at < piece.end and "," in line[piece.start : at]:
            if piece.text[0] in "{['\"" or re.match(r"[^,{}\[\]]*:(?:\s|$)", line[at:]):
                return None
            meant = piece.text.strip("\u201c\u201d\u201e")
            fixed = f"{line[: piece.start]}{quoted(meant)}{line[piece.end :]}".strip()
            return fixed if len(fixed) <= MOST_SHOWN else f"{piece.key}: {quoted(meant)}"
    return None


def decimal_comma(document: Document, place: Place) -> str | None:
    """The line in which a comma stands for a decimal point inside braces, with the point; None if this is no such case."""
    span = document.keys.get(place)
    line = document.line(span)
    if span is None or line is None or not str(place[-1]).isdecimal():
        return None
    at = span.column - 1
    if not re.search(r"\d,\s?$", line[:at]):
        return None
    fixed = f"{line[:at].rstrip().removesuffix(',')}.{line[at:]}".strip()
    return fixed if len(fixed) <= MOST_SHOWN else None


def _in_brackets(document: Document, place: Place) -> str:
    """A value in brackets as it is written, of several lines the first; "" for another."""
    rest = document.rest(document.values.get(place))
    return rest[: _closed(rest)] if rest.startswith(("{", "[")) else ""


def _closed(text: str) -> int:
    """Where the bracket with which a text begins closes; the length of the text if it does not."""
    return bracket_end(text, 0, len(text)) or len(text)


def _open_brackets(text: str) -> bool:
    return sum((character in "{[") - (character in "}]") for character in text) > 0
