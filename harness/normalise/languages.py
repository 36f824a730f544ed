"""A text in, the script of its letters and the language of its words out: by frequent words, so a short text does not tell."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

MOST_READ = 2_000
"""Characters of a text that are read."""

LEAST = 3
"""How many frequent words tell a language, at least twice as many as of any other."""

WORDS = {
    "English": "the of and is in to was that with for are this",
    "French": "le la les des est et une dans pour que qui du",
    "German": "der die das und ist ein eine nicht mit für von den",
    "Spanish": "el los las es una que por para con del y se",
    "Italian": "il gli di che è una per con non sono della le",
    "Portuguese": "o os as um uma que não para com do da em",
    "Dutch": "de het een van en is niet met voor dat zijn op",
}
"""Frequent words of the languages that share a script."""


def script_of(text: str) -> str | None:
    """The script of most letters of a text, by the first word of their names: "Latin", "Cyrillic", "Cjk"; None without letters."""
    letters = [letter for letter in text[: MOST_READ // 4] if letter.isalpha()]
    scripts = Counter(unicodedata.name(letter, "?").partition(" ")[0].capitalize() for letter in letters)
    return max(scripts, key=scripts.__getitem__) if scripts else None


def language_of(text: str) -> str | None:
    """The language whose frequent words stand out in a text in Latin letters, or None."""
    words = Counter(re.findall(r"\w+", text[:MOST_READ].casefold()))
    hits = sorted(
        ((sum(words[word] for word in frequent.split()), name) for name, frequent in WORDS.items()),
        reverse=True,
    )
    (most, name), (second, _) = hits[:2]
    return name if most >= LEAST and most >= 2 * second else None
