"""What a browser would take for the tags, attributes and text of a page, and whether the tags nest."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "link", "hr", "img", "col", "input"}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    @property
    def words(self) -> str:
        """The text, with single spaces, one at least between the texts of two elements."""
        return " ".join(" ".join(self.text).split())


def parse(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert tags.open == []
    return tags


def addresses(tags: Tags) -> list[str]:
    """The addresses outside the page that its elements name."""
    named = ("src", "href", "action", "xlink:href", "srcset", "poster", "data", "formaction")
    return [str(value) for name, value in tags.attributes if name in named and not str(value).startswith("#")]
