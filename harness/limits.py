"""Limits of what a suite may hold and generate: far beyond any real suite, so that reading a hostile one ends too."""

from __future__ import annotations

MOST_BYTES = 32 * 2**20
"""The size of a YAML file; data files have a limit of their own."""

MOST_VALUES = 1_000_000
"""Values in a YAML file, keys included; each takes half a kilobyte of memory while the file is read."""

MOST_DATA_BYTES = 64 * 2**20
"""The size of a data file."""

MOST_RECORD_BYTES = 2**30
"""The size of a record, with every answer of a run."""

MOST_CELL_BYTES = 256 * 2**20
"""The cells of a table, which may be compressed in a far smaller file."""

MOST_ROWS = 1_000_000
"""Rows of the data that probes are taken from."""

MOST_ALIASED_CHARACTERS = 4_000_000
"""Characters that the aliases of a YAML file repeat."""

MOST_PROBES = 100_000
"""Probes of a suite from all its sources; with so many, a gate detects a drop of 0.2 points."""

MOST_ANSWERS = 1_000
"""Right answers of a probe; each is searched for in each answer of a model."""

MOST_TURNS = 100
"""Turns of a conversation to train on; each answer in it is an example with all that comes before it."""

MOST_PROBLEMS = 10_000
"""Problems of a file after which its reading ends."""

MOST_VARIED = 200
"""Recipes that a ladder makes of others by other values."""

MOST_ROW_PROBLEMS = 20
"""Problems in the rows of data or the lines of a corpus, which tend to fail alike, after which their reading ends."""

MOST_HINTS = 100
"""Problems of a file that come with a guess at the name that was meant."""

MOST_TEXT = 2_000_000
"""Characters of a text that an expression makes, or that is joined from several."""

MOST_WORDS = 200_000
"""Words of a filler; some 270,000 tokens."""

MOST_DIGITS = 400
"""Digits of a whole number, written or computed."""

MOST_EXPRESSION = 1_000
"""Characters of an {expression}."""

MOST_MADE = 60_000_000
"""Characters that the generators of a suite draw, write and compare; some 20 million of them end up in its probes."""

DRAW = 100
"""Characters counted for each draw, whatever it gives."""

EXPRESSION = 300
"""Characters counted for each {expression}."""

PIECE = 30
"""Characters counted for each text of a probe, on top of its length."""

MOST_NAME = 500
"""Characters of the name of a suite, a category or a probe."""

MOST_SEED = 2**32 - 1
"""The highest seed of a training: numpy takes no higher one."""

MOST_TOKENS = 1_000_000
"""Tokens of an answer."""

MOST_STOPS = 100
"""Texts that end an answer; each is searched for after each token."""

MOST_DIRECTIVES = 20
"""Lines of YAML that declare a tag; none is of use here, and each is compared with all others."""

MOST_PATTERN = 100_000
"""Characters of a regular expression."""

MOST_PROMPTED = 200_000_000
"""Characters of all prompts of a suite, each with its shots."""

MOST_OF_TEMPLATE = 1_000_000
"""Characters of a Jinja template; the longest of published models have tens of thousands."""

MOST_RENDERED = 10_000_000
"""Characters of a rendered Jinja template."""
