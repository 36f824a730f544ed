"""A module and its arguments in, what a fresh process took to run it out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Taken:
    """What a process took: seconds by the clock and of the processors, bytes in memory at its peak, and what its model did.

    `tokens` are those that the model read while it was asked, padding included, in `calls` forward passes that took `computing`
    seconds; `asking` is the whole time of asking.
    """

    wall: float
    cpu: float
    peak: float
    tokens: float = 0
    calls: float = 0
    computing: float = 0.0
    asking: float = 0.0
    threads: float = 0

    def __add__(self, other: Taken) -> Taken:
        """One process after the other."""
        return Taken(
            self.wall + other.wall,
            self.cpu + other.cpu,
            max(self.peak, other.peak),
            self.tokens + other.tokens,
            self.calls + other.calls,
            self.computing + other.computing,
            self.asking + other.asking,
            max(self.threads, other.threads),
        )


def run(
    module: str, *arguments: str | Path, folder: Path, codes: Collection[int] = (0,), at: Path | None = None
) -> Taken:
    """Run a module in a fresh process.

    Args:
        folder: takes what it prints, as `output.txt` and `errors.txt`.
        codes: the exit codes that it may have.
        at: where it runs; in `folder` unless given.

    Raises:
        RuntimeError: it ended otherwise.
    """
    counted = folder / "counted.json"
    counted.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.speed.metered", counted, module, *arguments]
    with (folder / "output.txt").open("wb") as output, (folder / "errors.txt").open("wb") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), cwd=at or folder, env=_environment(folder), stdout=output, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in codes:
        printed = [(folder / name).read_text(errors="replace") for name in ("output.txt", "errors.txt")]
        raise RuntimeError(f"{' '.join(map(str, command))}\nended with {code}:\n{''.join(printed)[-3000:]}")
    kilobyte = 1 if sys.platform == "darwin" else 1024
    counts = json.loads(counted.read_text(encoding="utf-8"))
    return Taken(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * kilobyte, **counts)


def printed(module: str, *arguments: str | Path, folder: Path) -> Any:
    """What a module prints as JSON, as its last line; raises as `run`."""
    run(module, *arguments, folder=folder)
    return json.loads((folder / "output.txt").read_text(encoding="utf-8").splitlines()[-1])


def _environment(folder: Path) -> dict[str, str]:
    """That of this process, without a network and with the data of others in the folder."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(folder / "datasets"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
