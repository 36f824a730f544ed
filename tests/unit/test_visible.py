"""What is escaped in text from anywhere, and what stays as it is."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.visible import encodable, visible, visible_json, visible_lines

ESCAPED = {
    "colour": ("\x1b[31mred", "\\u001b[31mred"),
    "clipboard": ("\x1b]52;c;cm0gLXJm\x07", "\\u001b]52;c;cm0gLXJm\\u0007"),
    "link": ("\x1b]8;;http://a\x1b\\b", "\\u001b]8;;http://a\\u001b\\b"),
    "device": ("\x1bP+q\x1b\\", "\\u001bP+q\\u001b\\"),
    "C1": ("\x9b31m\x85\x90", "\\u009b31m\\u0085\\u0090"),
    "NUL and DEL": ("a\x00b\x7f", "a\\u0000b\\u007f"),
    "lines": ("a\nb\rc\td", "a\\nb\\rc\\td"),
    "separators": ("a\u2028b\u2029c\x0bd", "a\\u2028b\\u2029c\\u000bd"),
    "direction": (
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
        "\\u202a\\u202b\\u202c\\u202d\\u202e\\u2066\\u2067\\u2068\\u2069\\u200e\\u200f\\u061c",
    ),
    "zero width": ("a\u200bb\u2060c\ufeffd\xade\u034ff", "a\\u200bb\\u2060c\\ufeffd\\u00ade\\u034ff"),
    "fillers": ("\u115f\u1160\u3164\uffa0", "\\u115f\\u1160\\u3164\\uffa0"),
    "tags": ("a\U000e0041b", "a\\U000e0041b"),
    "variations": ("a\ufe00b\U000e0100c", "a\\ufe00b\\U000e0100c"),
    "surrogate": ("\ud83d", "\\ud83d"),
    "private": ("\ue000\U00100000", "\\ue000\\U00100000"),
    "none": ("\ufffe\uffff\ufdd0", "\\ufffe\\uffff\\ufdd0"),
    "GitHub": ("::error file=x::y", "\\u003a:error file=x::y"),
    "GitHub, indented": ("    ::add-mask::a", "    \\u003a:add-mask::a"),
    "Azure": ("a ##vso[task.setvariable variable=x]y", "a \\u0023#vso[task.setvariable variable=x]y"),
    "TeamCity": ("##teamcity[testFailed]", "\\u0023#teamcity[testFailed]"),
}
KEPT = {
    "Arabic": "سلام ﷺ",
    "Persian, with a joiner within a word": "می\u200cخواهم",
    "Hebrew with points": "שָׁלוֹם",
    "Hindi": "क्षि त्र",
    "a conjunct that is kept apart": "क्\u200dष",
    "family": "👩\u200d👩\u200d👧",
    "heart": "❤\ufe0f",
    "combining": "e\u0301 n\u0303",
    "CJK": "日本語 \u3000 中文",
    "markup": "[red]x <b> ]]> & %s {0} ## heading # [link] a::b \\u0041",
}


@pytest.mark.parametrize("name", ESCAPED)
def test_what_a_terminal_would_obey_or_not_show(name):
    given, shown = ESCAPED[name]
    assert visible(given) == shown
    assert visible(shown) == shown


@pytest.mark.parametrize("name", KEPT)
def test_what_people_write_stays(name):
    assert visible(KEPT[name]) == KEPT[name]


def test_line_by_line():
    assert visible_lines("a\n\x1bb\n::c\n") == ["a", "\\u001bb", "\\u003a:c", ""]


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_is_left_to_obey(text):
    shown = visible(text)
    left = {c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Co", "Zl", "Zp")}
    assert left == set()
    assert not {c for c in shown if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")}  # fmt: skip
    shown.encode()
    assert visible(shown) == shown


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_says_the_same(value):
    text = visible_json(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(text) == value
    assert {c for c in text if unicodedata.category(c) in ("Cc", "Zl", "Zp")} <= {"\n"}


def test_json_beyond_sixteen_bits():
    assert visible_json('"\U000e0041\u202e"') == '"\\udb40\\udc41\\u202e"'


def test_what_cannot_be_encoded():
    assert encodable("a\ud83d \x1b日") == "a\\ud83d \x1b日"
