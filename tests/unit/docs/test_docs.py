"""Generated parts of pages: made where their markers stand, and current in every page that ships."""

from __future__ import annotations

import re

import pytest

from harness.errors import HarnessError, InputError
from tools.docs.__main__ import main
from tools.docs.pages import BEGIN, GENERATORS, docs, with_generated_parts

PAGE = "# Title\n\n<!-- generated: names -->\nold\n<!-- end generated -->\n\nText.\n"
NAMES = {"names": lambda: "one\ntwo\n"}
CURRENT = "# Title\n\n<!-- generated: names -->\n\none\ntwo\n\n<!-- end generated -->\n\nText.\n"


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    path = tmp_path / "docs" / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr("tools.docs.pages.GENERATORS", NAMES)
    return path


def test_the_shipped_pages_are_current(root):
    """If this fails: python -m tools.docs --write."""
    assert docs(write=False, folder=root / "docs") == 0


def test_every_generator_is_used_in_a_page(root):
    pages = [path.read_text(encoding="utf-8") for path in (root / "docs").rglob("*.md")]
    used = {found["name"] for text in pages for found in re.finditer(BEGIN.pattern, text, re.MULTILINE)}
    assert used == set(GENERATORS)


def test_a_part_is_made_anew_and_the_rest_is_left(page):
    assert with_generated_parts(PAGE, page, NAMES) == CURRENT


def test_a_current_page_stays_as_it_is(page):
    assert with_generated_parts(CURRENT, page, NAMES) == CURRENT


def test_check_says_what_is_stale_and_writes_nothing(page, capsys):
    assert main(["--check"]) == 1
    assert capsys.readouterr().err == "docs/page.md: out of date; run: python -m tools.docs --write\n"
    assert page.read_text(encoding="utf-8") == PAGE


def test_write_writes_and_check_is_content(page, capsys):
    assert main(["--write"]) == 0
    assert page.read_text(encoding="utf-8") == CURRENT
    assert main(["--check"]) == 0
    assert main(["--write"]) == 0
    assert capsys.readouterr().out == "docs/page.md: written\n"


def test_one_of_both_must_be_said(page, capsys):
    with pytest.raises(SystemExit):
        main([])
    assert "--write --check is required" in capsys.readouterr().err


def test_outside_of_a_checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HarnessError, match="^no pages in docs/: run this in a checkout$"):
        docs(write=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x\n<!-- generated: nmaes -->\n<!-- end generated -->\n",
            "docs/page.md:2:1: nothing generates 'nmaes'\n  did you mean 'names'?",
        ),
        (
            "<!-- generated: other -->\n",
            "docs/page.md:1:1: nothing generates 'other'\n  there are: names",
        ),
        (
            "<!-- generated: names -->\nx\n",
            "docs/page.md:1:1: this part does not end\n  close it with a line '<!-- end generated -->'",
        ),
        (
            "<!-- generated: names -->\n<!-- generated: names -->\n<!-- end generated -->\n",
            "docs/page.md:1:1: this part does not end before the next begins, on line 2",
        ),
        ("x\n\n<!-- end generated -->\n", "docs/page.md:3:1: a part ends here that did not begin"),
    ],
)
def test_markers_that_cannot_be_followed(page, text, message):
    with pytest.raises(InputError) as caught:
        with_generated_parts(text, page, NAMES)
    assert str(caught.value) == message
