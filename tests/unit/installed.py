"""Packages that are installed as far as their metadata goes."""

from __future__ import annotations

from pathlib import Path


def install(
    folder: Path, name: str, version: str, *requires: str, extras: tuple[str, ...] = (), plugin: str = ""
) -> None:
    """Write the metadata of a package.

    Args:
        plugin: a module that pytest is to load.
    """
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = [
        "Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", "Requires-Python: >=3.11",
        *(f"Requires-Dist: {text}" for text in requires), *(f"Provides-Extra: {extra}" for extra in extras),
    ]  # fmt: skip
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    if plugin:
        (info / "entry_points.txt").write_text(f"[pytest11]\n{plugin} = {plugin}\n")
