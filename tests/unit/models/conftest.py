"""A working folder without models, and a hub that is not asked."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest

from harness.models.cache import VARIABLE


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, its own cache, and a hub that must not be asked."""

    def no_hub(repo: str, **_: object) -> str:
        raise AssertionError(f"the hub was asked for {repo}")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", no_hub)
    return tmp_path
