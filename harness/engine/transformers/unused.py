"""The GPU of this machine that torch cannot use, told from the files of the system: no driver and no program is asked."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

NVIDIA, AMD, APPLE = "NVIDIA", "AMD", "Apple"

BUILDS = {NVIDIA: "CUDA", AMD: "ROCm", APPLE: "MPS"}
"""What torch must be built for to use a GPU, by its maker."""

HIDES = {
    NVIDIA: ("CUDA_VISIBLE_DEVICES",),
    AMD: ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"),
    APPLE: (),
}
"""Variables by which a user hides GPUs, by their maker."""


def unused_gpu() -> str | None:
    """The GPU here that torch cannot use, and why; None if torch uses one, there is none, or the user hides it."""
    if torch.accelerator.is_available() or (found := _gpu(Path("/"))) is None:
        return None
    maker, name = found
    if any(os.environ.get(variable) in ("", "-1") for variable in HIDES[maker]):
        return None
    why = f"is built without {BUILDS[maker]}: get one from https://pytorch.org/get-started/locally"
    if _is_built_for(maker):
        system = f"macOS {platform.mac_ver()[0]}" if maker == APPLE else "its driver"
        why = f"cannot use it with {system}"
    return f"this machine has a GPU ({name}), and torch {torch.__version__} {why}"


def _is_built_for(maker: str) -> bool:
    if maker == APPLE:
        return torch.backends.mps.is_built()
    return bool(torch.version.cuda if maker == NVIDIA else torch.version.hip)


def _gpu(root: Path) -> tuple[str, str] | None:
    """The maker and the name of the first GPU under a root of the file system."""
    system = platform.system()
    if system == "Darwin":
        return (APPLE, APPLE) if platform.machine() == "arm64" else None
    if system == "Windows":
        driver = Path(os.environ.get("SYSTEMROOT", "C:\\Windows"), "System32", "nvcuda.dll")
        return (NVIDIA, NVIDIA) if driver.is_file() else None
    if any(root.glob("dev/nvidia[0-9]*")):
        return NVIDIA, _nvidia_name(root)
    if any(root.glob("usr/lib/wsl/lib/libcuda.so*")) and (root / "dev/dxg").exists():
        return NVIDIA, NVIDIA
    return (AMD, AMD) if (root / "dev/kfd").exists() else None


def _nvidia_name(root: Path) -> str:
    """The name that the driver tells of a card: "NVIDIA H100"."""
    for file in sorted(root.glob("proc/driver/nvidia/gpus/*/information")):
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            if line.startswith("Model:"):
                return line.partition(":")[2].strip()
    return NVIDIA
