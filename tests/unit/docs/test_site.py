"""The site of docs/: links as GitHub follows them, and every page in the navigation."""

from __future__ import annotations

import pytest
import yaml

from tools.site import REPOSITORY, site_links, slug


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("docs/ci.md", "cache.md#answers", "cache.md#answers"),
        ("docs/ci.md", "#github", "#github"),
        ("docs/ci.md", "https://pre-commit.com", "https://pre-commit.com"),
        ("docs/architecture.md", "../README.md", "start.md"),
        ("docs/architecture.md", "../CONTRIBUTING.md#tests", f"{REPOSITORY}CONTRIBUTING.md#tests"),
        ("docs/cookbook.md", "cookbook/", f"{REPOSITORY}docs/cookbook"),
        ("docs/cookbook.md", "cookbook/tone.yaml", "cookbook/tone.yaml"),
        ("README.md", "docs/authoring.md#scores", "authoring.md#scores"),
        ("README.md", "docs/README.md", "README.md"),
        ("README.md", "LICENSE", f"{REPOSITORY}LICENSE"),
    ],
)
def test_links(page, link, expected):
    assert site_links(f"See [this]({link}).", page) == f"See [this]({expected})."


def test_anchors_are_those_of_github():
    assert slug("What it's for · `a_b`, 2nd") == "what-its-for--a_b-2nd"


def test_every_page_is_in_the_navigation(root):
    nav = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    named = set(pages(nav))
    assert named == {path.name for path in (root / "docs").glob("*.md")} | {"start.md"}


def pages(entries):
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from pages(value) if isinstance(value, list) else [value]
