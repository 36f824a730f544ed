r"""LaTeX in a text made text: `$H_2O$`, `\boxed{42}`, `\frac{1}{2}`, `9{,}500`; prices, braces and paths stay.

pylatexenc reads the pieces. It is given only what is LaTeX beyond doubt, because it would take "$5 and $6" for a formula and
drop the braces of JSON.
"""

from __future__ import annotations

import logging
import re
from functools import cache, lru_cache
from typing import Any

MOST = 2000
"""Characters of one formula; a longer one is left as it is."""

MOST_OPEN = 20
"""Braces that nothing closes, after which a text is no LaTeX."""

_MATHS = re.compile(
    r"\$\$(?P<display>[^$]++)\$\$"
    r"|\\\((?P<inline>(?:[^\\]|\\[^()\[\]])*+)\\\)"
    r"|\\\[(?P<block>(?:[^\\]|\\[^()\[\]])*+)\\\]"
    r"|(?<![\\$\w])\$(?=[^\s$])(?P<dollars>[^$\n]++)(?<![\s\\])\$(?![\d$])"
)
_IS_MATHS = re.compile(r"[\\^_{=+*/<>\u00d7-]|^[\d.,]+%?$|^\w{1,3}$")
_WORD = re.compile(r"(?<![\\\w{])[^\W\d_]{3,}")
_COMMAND = re.compile(
    r"\\(?:boxed|fbox|text(?:bf|it|rm|sf|tt|normal)?|math(?:rm|bf|it|sf|bb)|[dt]?frac|sqrt|operatorname|ce)(?=\{)"
)
_SYMBOL = re.compile(
    r"\\(?:times|cdot|div|approx|pm|leq?|geq?|neq?|circ|degree|pi|rightarrow|therefore)(?![\w{])"
)
_SUBSCRIPT = re.compile(
    r"(?:(?<=\b[A-Z])|(?<=\b[CNS]O)|(?<=\d[A-Z])|(?<=[A-Z][a-z])|(?<=\)))_(?:\{(\d{1,2})\}|(\d))(?!\w*_)"
)
_BASE = re.compile(r"(?<=\d)_(?:\d|\{\d{1,3}\})")
_MIXED = re.compile(r"(?<=\d)(?=\\[dt]?frac)")


def without_latex(text: str) -> str:
    """The text with every formula and LaTeX command as a reader sees it; the last `boxed` is found by `boxed`."""
    if "$" in text or "\\" in text:
        text = _MATHS.sub(_formula, text)
        text = _commands(_MIXED.sub(" ", text))
        text = _SYMBOL.sub(lambda symbol: _converted(symbol.group()), text).replace("^\u2218", "°")
    if "{,}" in text:
        text = re.sub(r"(?<=\d)\{,\}(?=\d)", ",", text)
    return _SUBSCRIPT.sub(lambda found: found[1] or found[2], text) if "_" in text else text


def boxed(text: str) -> str | None:
    r"""The content of the text's last `\boxed{}` (or `\fbox{}`), or None."""
    start = max(text.rfind("\\boxed{"), text.rfind("\\fbox{"))
    if start < 0:
        return None
    opening = text.index("{", start)
    end = _closing(text, opening)
    return None if end is None else text[opening + 1 : end]


def _formula(found: re.Match[str]) -> str:
    content = next(part for part in found.groups() if part is not None)
    if found["dollars"] is not None and (not _IS_MATHS.search(content) or len(_WORD.findall(content)) > 1):
        return found.group()
    return found.group() if len(content) > MOST else _converted(content)


def _commands(text: str) -> str:
    """The text with commands outside of formulas, such as `\\boxed{42}`, converted."""
    pieces, done, unclosed = [], 0, 0
    for found in _COMMAND.finditer(text):
        if found.start() < done:
            continue
        end = _closing(text, found.end())
        if end is not None and "frac" in found.group() and text[end + 1 : end + 2] == "{":
            end = _closing(text, end + 1)
        if end is None:
            unclosed += 1
            if unclosed > MOST_OPEN:
                break
            continue
        pieces += [text[done : found.start()], _converted(text[found.start() : end + 1])]
        done = end + 1
    return "".join((*pieces, text[done:]))


def _closing(text: str, opening: int) -> int | None:
    """Where the brace at `opening` is closed, within MOST characters."""
    depth = 0
    for place in range(opening, min(len(text), opening + MOST)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return place
    return None


@lru_cache(maxsize=256)
def _converted(latex: str) -> str:
    """A formula as text; as it is, if pylatexenc cannot read it."""
    try:
        written = _MIXED.sub(
            " ", _BASE.sub("", latex).replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")
        )
        found: str = _converter().latex_to_text(re.sub(r"(?<!\\)%", r"\\%", written))
    except Exception:  # it promises none for broken LaTeX, and raises several
        return latex
    return re.sub(r"\^\(([\d+-]{1,9})\)", r"^\1", found.replace("^\u2218", "°").replace("_", "")).strip()


@cache
def _converter() -> Any:
    from pylatexenc.latex2text import LatexNodes2Text  # only texts with LaTeX pay for it

    logging.getLogger("pylatexenc").setLevel(logging.CRITICAL)
    return LatexNodes2Text(math_mode="text", keep_comments=True)
