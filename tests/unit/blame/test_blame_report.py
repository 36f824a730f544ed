"""What `blame` shows of a record: sentences, picture and page, with untrusted text escaped."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from harness.blame.page import blame_page
from harness.blame.plot import by_layer, by_module, layers_plot
from harness.blame.record import FILE, BlameRecord
from harness.blame.text import conclusion, terminal_lines
from harness.reporting.figures import svg
from harness.reporting.record import write_out
from tests.support.blamed import blame_record, effect


def text(record: BlameRecord) -> str:
    return "\n".join(terminal_lines(record))


def test_the_smallest_groups_that_carry_most_are_the_conclusion():
    assert conclusion(blame_record()) == (
        "Without layers 2-3, 40 of the 50 points lost come back. With layers 2-3 alone, 50 points are lost, and 50 with "
        "everything."
    )


def test_where_none_does_it_is_spread():
    groups = [
        row.model_copy(update={"off": effect(0.1), "alone": effect(0.2)}) for row in blame_record().groups
    ]
    assert conclusion(blame_record(groups=groups)).startswith(
        "It is spread: no half that was tried carries half"
    )


def test_several_that_each_do_are_named():
    groups = [
        row.model_copy(update={"alone": effect(0.45)}) if row.parent == 0 else row
        for row in blame_record().groups
    ]
    assert "; layers 2-3: 45." in conclusion(blame_record(groups=groups))


def test_the_table_and_what_it_says():
    shown = text(blame_record())
    assert (
        "lost     8 of 16 probes that the baseline has right (50.0 %); 9 changed models asked again 8 lost and 4 kept ones"
        in shown
    )
    assert "  layers 2-3" in shown
    assert (
        "- without everything 50 points come back, without layers 0-1 0, without layers 2-3 40: more together"
        in shown
    )
    assert (
        "stopped after 9 changed models: 1 group more would be worth halving, which takes a larger --models"
        in " ".join(shown.split())
    )
    assert "push most against 8 lost probes (of 24 of 40 examples)" in shown
    assert "\x1b" not in shown


def test_what_cannot_be_switched_off_is_said():
    shown = text(blame_record(rest=effect(0.2), cannot=["model.embed_tokens.weight"]))
    assert (
        "with every part switched off, 20 points stay lost (model.embed_tokens.weight cannot be switched off)"
        in shown
    )


def test_both_ends_of_few_examples_share_none():
    examples = blame_record().examples
    few = examples.model_copy(update={"examples": examples.examples[:5], "of": 5})
    shown = text(blame_record(examples=few))
    assert [shown.count(f'"a{n}"') for n in range(1, 6)] == [1, 1, 0, 1, 1]


def test_the_picture_has_a_bar_for_each_smallest_group():
    record = blame_record()
    assert [row.name for row in by_layer(record)] == ["layers 0-1", "layers 2-3"]
    assert [row.name for row in by_module(record)] == ["q", "v"]
    drawn = svg(layers_plot(record))
    ElementTree.fromstring(drawn)
    assert "lost with it alone" in drawn


@pytest.mark.parametrize("axis", ["layers", "modules"])
def test_a_picture_of_one_axis(axis):
    groups = [row for row in blame_record().groups if row.axis == axis]
    groups = [row.model_copy(update={"parent": None if row.parent is None else 0}) for row in groups]
    ElementTree.fromstring(svg(layers_plot(blame_record(groups=groups, apart=[]))))


def test_the_page_escapes_what_others_wrote():
    record = blame_record()
    page = blame_page(record, svg(layers_plot(record)))
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page
    assert "Where the forgetting is" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_page_without_examples_and_oddities():
    record = blame_record(examples=None, apart=[])
    page = blame_page(record, svg(layers_plot(record)))
    assert "Training examples" not in page
    assert "does not add up" not in page


def test_the_record_is_read_back_as_it_was_written(tmp_path):
    write_out(blame_record(), tmp_path / FILE)
    assert BlameRecord.model_validate_json((tmp_path / FILE).read_bytes()) == blame_record()
