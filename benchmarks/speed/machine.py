"""This machine and what is installed on it, as rows of a table."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.speed.processes import ROOT
from harness.versions import installed_versions

PACKAGES = ("torch", "transformers", "tokenizers", "peft", "accelerate", "lm_eval")
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16")


def machine() -> list[tuple[str, str]]:
    """Names and values."""
    model, flags = processor(_read(Path("/proc/cpuinfo")))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return [
        ("processor", f"{model}, {os.cpu_count()} cores"),
        ("instructions", ", ".join(flags) or "unknown"),
        ("memory", f"{memory / 1e9:.0f} GB"),
        ("system", platform.platform(terse=True)),
        ("Python", platform.python_version()),
        *((name, str(version)) for name, version in installed_versions(PACKAGES).items()),
        ("this project", _commit()),
        ("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
    ]


def processor(cpuinfo: str) -> tuple[str, Sequence[str]]:
    """The name of the processor, and those of its instructions that matter to matrix products, from Linux's /proc/cpuinfo."""
    name = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    listed = re.search(r"^flags\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    known = set(listed[1].split()) if listed else set()
    return name[1] if name else platform.machine(), [flag for flag in FLAGS if flag in known]


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "not in a git checkout"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
