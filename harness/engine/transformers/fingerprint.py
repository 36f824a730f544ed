"""Named tensors in, a digest of their bytes out; equal weights have equal digests on any device."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import torch


def fingerprint(tensors: Iterable[tuple[str, torch.Tensor]]) -> str:
    """SHA-256 over the name, dtype, shape and bytes of each tensor, hexadecimal; equal means bit-identical."""
    digest = hashlib.sha256()
    for name, tensor in tensors:
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)  # a scalar cannot be viewed as bytes
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()
