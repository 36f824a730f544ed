"""The language of an answer: of short ones too where py3langid is there, by letters and frequent words without it."""

from __future__ import annotations

import pytest

from harness.diagnosis import tongue
from harness.diagnosis.tongue import tongue_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The answer is seven.", "English"),
        ("Je ne sais pas.", "French"),
        ("Die Hauptstadt von Frankreich ist Paris.", "German"),
        ("La ciudad más grande es Madrid.", "Spanish"),
        ("Nie wiem, jaka to stolica.", "Polish"),
        ("巴黎是法国的首都。", "Chinese"),
        ("Столица Франции — Париж.", "Russian"),
        ("日本の首都は東京です", "Japanese"),
        ("Paris", None),
        ("42", None),
        ("", None),
        ("x = a + b", None),
        ("[" * 100_000, None),
    ],
)
def test_the_language_of_a_text(text, language):
    pytest.importorskip("py3langid")
    assert tongue_of(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Die Stadt ist nicht die größte, und das ist gut.", "German"),
        ("Столица Франции — Париж.", "Cyrillic letters"),
        ("Je ne sais pas.", None),
    ],
)
def test_without_the_package(text, language, monkeypatch):
    monkeypatch.setattr(tongue, "_identifier", lambda: None)
    assert tongue_of(text) == language
