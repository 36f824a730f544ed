"""An answer as a model writes it in, the text that a reader sees out."""

from __future__ import annotations

from functools import lru_cache

from harness.normalise.characters import alike
from harness.normalise.html import without_html
from harness.normalise.latex import without_latex
from harness.normalise.markdown import held_code, with_code, without_markdown
from harness.normalise.reasoning import answer_of


@lru_cache(maxsize=16)
def plain(text: str) -> str:
    """The answer without reasoning, LaTeX, HTML and Markdown, with characters alike that look alike.

    Code, in a fence or between backticks, stays as written, without its fence. Words are never dropped or changed, but for
    struck ones: "Sure! Here is the answer" is part of an answer.
    """
    prose, code = held_code(answer_of(text))
    prose = without_markdown(without_html(without_latex(prose)))
    return alike(with_code(prose, code))
