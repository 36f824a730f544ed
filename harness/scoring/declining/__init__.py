"""How assistants decline, language by language: tables of regular expressions for the score `refusal`.

They meet text in small letters with straight apostrophes, without Markdown and quoted speech, of some hundred characters at
most, and repeat nothing without a bound, so that each search is short.
"""

from harness.scoring.declining.english import ENGLISH
from harness.scoring.declining.germanic import DUTCH, GERMAN
from harness.scoring.declining.phrases import Phrases
from harness.scoring.declining.romance import FRENCH, ITALIAN, PORTUGUESE, SPANISH

LANGUAGES = {
    "en": ENGLISH, "fr": FRENCH, "es": SPANISH, "de": GERMAN, "it": ITALIAN, "pt": PORTUGUESE, "nl": DUTCH,
}  # fmt: skip

__all__ = ["LANGUAGES", "Phrases"]
