"""An answer in, what stands after its reasoning out."""

from __future__ import annotations

import re

_NAMES = "think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis"
_OPEN = re.compile(rf"<(?:{_NAMES})>|<\|begin_of_thought\|>|\[THINK\]|\u25c1think\u25b7", re.IGNORECASE)
_OPENED = re.compile(rf"\s*(?:{_OPEN.pattern})", re.IGNORECASE)
_CLOSED = re.compile(rf"</(?:{_NAMES})>|<\|end_of_thought\|>|\[/THINK\]|\u25c1/think\u25b7", re.IGNORECASE)
_CHANNEL = re.compile(r"\s*(?:<\|start\|>assistant)?<\|channel\|>(?!final)\w+")
_FINAL = re.compile(r"<\|channel\|>final[^<]*<\|message\|>")


def answer_of(text: str) -> str:
    """What follows the reasoning at the text's beginning; nothing, if the reasoning does not end.

    Reasoning stands between marks such as `<think>` and `</think>`, the first of which the chat template may have written, so
    that the text has only the second; or in another channel than `final`. An engine that knows its template's marks takes
    reasoning off by itself: this is for the others. A mark in the middle of an answer is text. Lines end in `\\n`, also those
    that end as Windows writes them.
    """
    text = text.replace("\r\n", "\n")
    if _CHANNEL.match(text):
        final = _FINAL.search(text)
        return text[final.end() :] if final else ""
    start = 0
    while True:
        opened = _OPENED.match(text, start)
        closed = _CLOSED.search(text, opened.end() if opened else start)
        if closed is None:
            return "" if opened else text[start:]
        if not opened and _OPEN.search(text, start, closed.start()):  # a pair in the middle of an answer
            return text[start:]
        start = closed.end()
