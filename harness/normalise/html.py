"""HTML in a text made text: tags that only lay out, subscripts and entities; other tags stay, as they may be the answer."""

from __future__ import annotations

import html
import re

_ATTRIBUTES = r"""(?:\s+[\w-]{1,30}=(?:"[^"<>]{0,200}"|'[^'<>]{0,200}')){0,9}"""
_RAISED = re.compile(r"(?<=[\w)])<sup>(?=[\d+-])", re.IGNORECASE)
_BASE = re.compile(r"(?<=\d)<sub>\d{1,3}</sub>", re.IGNORECASE)
_BREAK = re.compile(rf"</?(?:br|p|div|li|tr|h[1-6]|hr|ul|ol|table){_ATTRIBUTES}\s*/?>", re.IGNORECASE)
_CELL = re.compile(r"</t[dh]>\s*(?=<t[dh])", re.IGNORECASE)
_INLINE = re.compile(
    rf"</?(?:b|i|u|em|strong|span|small|mark|font|center|sub|sup|t[dh]|tbody|thead|code|a|answer|result|output){_ATTRIBUTES}>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.IGNORECASE)


def without_html(text: str) -> str:
    """The text without tags that lay out, such as `<b>` and `<br>`, and with characters for entities such as `&nbsp;`."""
    if "<" in text:
        text = _BREAK.sub("\n", _CELL.sub(", ", _BASE.sub("", _RAISED.sub("^", text))))
        text = _INLINE.sub("", text)
    return _ENTITY.sub(lambda entity: html.unescape(entity.group()), text) if "&" in text else text
