"""The house: a file tells one step of the story, and is short; a longer one has its reason here."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST = 300
"""Lines of a file of the harness and its tools."""

MOST_OF_TESTS = 600

REASONS = {}


def long_files(most: int, *folders: str) -> set[str]:
    """The Python files of more lines."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > most
    }


def test_a_long_file_has_its_reason():
    assert long_files(MOST, "harness", "tools") == REASONS.keys()


def test_a_file_of_tests_is_split_by_what_it_proves():
    assert long_files(MOST_OF_TESTS, "tests") == set()


def test_files_of_tests_have_names_of_their_own():
    """Without packages, pytest takes two of one name for one."""
    names = [path.name for path in (ROOT / "tests" / "unit").rglob("test_*.py")]
    assert len(names) == len(set(names))
