"""An answer as a model writes it in, the text that a reader sees out."""

from __future__ import annotations

import re
from functools import lru_cache

from harness.normalise.characters import alike
from harness.normalise.html import without_html
from harness.normalise.latex import without_latex
from harness.normalise.markdown import held_code, with_code, without_markdown
from harness.normalise.reasoning import answer_of

_MAY_BE_MARKED = re.compile(r"[^A-Za-z0-9 \n,.;:!?'\"()%/-]|^[ \t]*(?:-|\d{1,3}[.)])", re.MULTILINE)
"""A character beside letters, digits and plain punctuation, or a line that may begin an item of a list."""


@lru_cache(maxsize=16)
def plain(text: str) -> str:
    """The answer without reasoning, LaTeX, HTML and Markdown, with characters alike that look alike.

    Code, in a fence or between backticks, stays as written, without its fence. Words are never dropped or changed, but for
    struck ones: "Sure! Here is the answer" is part of an answer.
    """
    text = answer_of(text)
    if not _MAY_BE_MARKED.search(text):
        return text
    prose, code = held_code(text)
    prose = without_markdown(without_html(without_latex(prose)))
    return alike(with_code(prose, code))
