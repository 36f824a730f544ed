"""Packages that are installed as far as their metadata goes, and the modules that their entry points name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def install(
    folder: Path,
    name: str,
    version: str,
    *requires: str,
    extras: tuple[str, ...] = (),
    plugin: str = "",
    points: str = "",
) -> None:
    """Write the metadata of a package.

    Args:
        plugin: a module that pytest is to load.
        points: its entry points, as entry_points.txt has them.
    """
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = [
        "Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", "Requires-Python: >=3.11",
        *(f"Requires-Dist: {text}" for text in requires), *(f"Provides-Extra: {extra}" for extra in extras),
    ]  # fmt: skip
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    points = points or (f"[pytest11]\n{plugin} = {plugin}\n" if plugin else "")
    if points:
        (info / "entry_points.txt").write_text(points)


def install_module(
    monkeypatch: pytest.MonkeyPatch, folder: Path, module: str, source: str, group: str, *points: str
) -> None:
    """Write a package of one module, with entry points of one group, where imports find it."""
    install(folder, module, "1.0", points="\n".join([f"[{group}]", *points]) + "\n")
    (folder / f"{module}.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, module, raising=False)
