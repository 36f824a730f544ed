"""Tensors with their names in, a name for their bytes out: the same weights, the same name, on any device."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import torch


def fingerprint(tensors: Iterable[tuple[str, torch.Tensor]]) -> str:
    """SHA-256 over the name, dtype, shape and bytes of each tensor, hexadecimal; equal means bit-identical."""
    digest = hashlib.sha256()
    for name, tensor in tensors:
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)  # a scalar has no bytes to be viewed
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()
