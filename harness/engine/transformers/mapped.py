"""A model whose weights lie in files that are mapped into memory in, the same model with weights of its own out."""

from __future__ import annotations

import ctypes
import sys
from bisect import bisect_right
from mmap import PAGESIZE
from pathlib import Path
from typing import Any

import torch

MAPS = Path("/proc/self/maps")
"""Linux: a line for each part of this process's memory: addresses, rights, offset, device, inode (0: of no file), path."""

DONTNEED = 4
"""MADV_DONTNEED of Linux."""


def copy_out(model: Any) -> None:
    """Copy weights out of their files: whoever writes over a mapped file would change the model.

    On Linux only what is mapped is copied, and its pages are given back at once, so that the weights are never in memory twice.
    """
    files = _mapped_files()
    for tensor in (*model.parameters(), *model.buffers()):
        data = tensor.data
        if type(data) is not torch.Tensor or not (files is None or _lies_in(files, data.data_ptr())):
            continue
        tensor.data = data.clone()
        if files is not None:
            _give_back(data)


def _mapped_files() -> list[tuple[int, int]] | None:
    """Where in memory files are mapped, first and end address, in order; None if the system doesn't tell."""
    try:
        lines = MAPS.read_bytes().splitlines()
    except OSError:
        return None
    parts = (line.split(maxsplit=5) for line in lines)
    spans = (part[0].split(b"-") for part in parts if part[4] != b"0")
    return [(int(first, 16), int(end, 16)) for first, end in spans]


def _lies_in(files: list[tuple[int, int]], address: int) -> bool:
    place = bisect_right(files, (address, sys.maxsize))
    return place > 0 and address < files[place - 1][1]


def _give_back(data: torch.Tensor) -> None:
    """Drop the whole pages of mapped data that was copied; whoever reads them again reads the file."""
    first = -(-data.data_ptr() // PAGESIZE) * PAGESIZE
    size = (data.data_ptr() + data.nbytes) // PAGESIZE * PAGESIZE - first
    if size > 0:
        ctypes.pythonapi.madvise(ctypes.c_void_p(first), ctypes.c_size_t(size), DONTNEED)
