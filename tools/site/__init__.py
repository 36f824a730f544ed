"""Hooks of MkDocs: the pages of docs/ as GitHub shows them in, pages of a site out."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
START = "start.md"
"""The README of the repository, as a page of the site."""

REPOSITORY = "https://github.com/OWNER/forgetting-gate/blob/main/"

LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
LIST = re.compile(r"^(?!\s*$)(?!\s*(?:[-*] |\d+\. |\|)).*\n(?=[-*] )", re.MULTILINE)


def on_config(config: Any) -> None:
    """Name anchors as GitHub does."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = slug


def on_files(files: Any, config: Any) -> Any:
    """Add the README."""
    from mkdocs.structure.files import File

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, START, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **others: Any) -> str:
    """Links as the site has them, and a blank line before each list, which GitHub does not need."""
    path = page.file.src_uri
    return _with_lists(site_links(markdown, "README.md" if path == START else f"docs/{path}"))


def slug(heading: str, separator: str = "-") -> str:
    """The anchor of a heading on GitHub."""
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", separator)


def site_links(markdown: str, page: str) -> str:
    """Links to pages, from their places on the site; those out of docs/ to the repository.

    Args:
        page: its path in the repository.
    """
    here = "." if page == "README.md" else posixpath.dirname(posixpath.relpath(page, "docs")) or "."

    def link(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), found[1]))
        if target == "README.md":
            target = f"docs/{START}"
        if not target.startswith("docs/") or (ROOT / target).is_dir():
            return f"{REPOSITORY}{target}{found[2] or ''}"
        return posixpath.relpath(posixpath.relpath(target, "docs"), here) + (found[2] or "")

    return LINK.sub(link, markdown)


def _with_lists(markdown: str) -> str:
    parts = re.split(r"(^ *```.*?^ *```)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if place % 2 else LIST.sub(r"\g<0>\n", part) for place, part in enumerate(parts))
