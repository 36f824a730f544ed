"""What the unit tests share: reading a suite from text, and small suites to judge by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import progress
from harness.errors import SuiteError
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from harness.suites.suite import Suite

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def fresh_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress on stderr counts from the first work of a test, as in a process of its own."""
    monkeypatch.setattr(progress._ON_STDERR, "began", 0.0)


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], Suite]:
    """Read a suite from the text of its file, which is called s.yaml in every message."""
    monkeypatch.chdir(tmp_path)

    def read_text(text: str | bytes) -> Suite:
        path = tmp_path / "s.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_suite(path, SCORERS)

    return read_text


@pytest.fixture
def problems(read: Callable[[str | bytes], Suite]) -> Callable[[str | bytes], str]:
    """The whole message for a suite that cannot be read, without "s.yaml:" before its places."""

    def message(text: str | bytes) -> str:
        with pytest.raises(SuiteError) as caught:
            read(text)
        return "\n".join(line.removeprefix("s.yaml:") for line in str(caught.value).splitlines())

    return message
