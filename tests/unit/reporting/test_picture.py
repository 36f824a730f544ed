"""The picture of a run: its rows, that it is well-formed XML, and that it obeys nothing that a model or a file says."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from harness.reporting.formats import render
from harness.reporting.html.picture import MOST_ROWS
from tests.support.records import GATE, hostile, record

SVG = "{http://www.w3.org/2000/svg}"


def drawn(record):
    return ElementTree.fromstring(render(record, "svg"))


def texts(tree):
    return [element.text for element in tree.iter(f"{SVG}text")]


def test_the_verdict_comes_first_then_a_row_for_each_slice():
    tree = drawn(record())
    assert tree.find(f"{SVG}title").text.startswith("Forgotten: ")
    found = texts(tree)
    assert found[0].startswith("Forgotten: ")
    assert {"facts", "history", "FORGOTTEN"} <= set(found)


def test_with_many_slices_categories_are_left_out():
    many = [{**GATE, "slice": f"category[c{n}]", "over": "category"} for n in range(MOST_ROWS)]
    assert "c1" in texts(drawn(record([GATE, *many[1:]])))
    assert "c1" not in texts(drawn(record([GATE, *many])))
    assert "facts" in texts(drawn(record([GATE, *many])))


@pytest.mark.parametrize("text", ["</text><script>alert(1)</script>\"'&lt;", "a\x1b\x00\u202e\tz"])
def test_no_text_becomes_an_element(text):
    spoilt, plain = drawn(hostile(text)), drawn(hostile("plain"))
    assert [element.tag for element in spoilt.iter()] == [element.tag for element in plain.iter()]
    assert [sorted(element.attrib) for element in spoilt.iter()] == [
        sorted(element.attrib) for element in plain.iter()
    ]


def test_a_run_without_gates_has_a_picture():
    assert texts(drawn(record([], [], status="nothing decided", exit_status=5)))[0].startswith(
        "Nothing was decided"
    )
