"""A text in, its language out: by py3langid where that is installed, else by its letters and its frequent words."""

from __future__ import annotations

from functools import cache
from typing import Any

from harness.normalise.languages import language_of, script_of

LANGUAGES = {
    "ar": "Arabic", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""The languages that are told apart; a text in another is taken for none, or for a near one."""

SURE = 0.6
"""The least probability that tells a language. Of the 336 English questions of general-qa, none is taken for another at it."""

LEAST_LETTERS = 8
"""Fewer Latin letters tell no language."""

MOST_READ = 1_000
"""Characters of a text that are read."""


def tongue_of(text: str) -> str | None:
    """The language of a text, or its letters ("Cyrillic letters"); None where it is too short or unclear."""
    text = text[:MOST_READ]
    script = script_of(text)
    if script is None:
        return None
    if script == "Latin" and sum(map(str.isalpha, text)) < LEAST_LETTERS:
        return None
    if (identifier := _identifier()) is None:
        return language_of(text) if script == "Latin" else f"{script} letters"
    code, probability = identifier.classify(text)
    return LANGUAGES[code] if probability >= SURE else None


@cache
def _identifier() -> Any:
    """The model of py3langid over our languages; None without the package."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
