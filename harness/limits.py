"""How much a suite may hold and make: bounds far beyond any real suite, so that reading one ends, whatever stands in it."""

from __future__ import annotations

MOST_BYTES = 32 * 2**20
"""Of a file of YAML; data files have a bound of their own."""

MOST_VALUES = 1_000_000
"""Of a file of YAML, keys included; each takes half a kilobyte of memory while it is read."""

MOST_DATA_BYTES = 64 * 2**20
"""Of a data file."""

MOST_CELL_BYTES = 256 * 2**20
"""Of the cells of a table, which may be packed into a far smaller file."""

MOST_ROWS = 1_000_000
"""Of the data that probes are taken from."""

MOST_ALIASED_CHARACTERS = 4_000_000
"""Of the texts that YAML's aliases repeat, together."""

MOST_PROBES = 100_000
"""Of one suite, from wherever: with so many a gate sees a drop of 0.2 points."""

MOST_ANSWERS = 1_000
"""Of one probe; each is looked for in each answer of a model."""

MOST_PROBLEMS = 10_000
"""After so many a file is not read on."""

MOST_ROW_PROBLEMS = 20
"""Rows of data, and lines of a corpus, have the same fault all at once; so many of them are told."""

MOST_HINTS = 100
"""Problems of a file for which the name that was meant is looked for."""

MOST_TEXT = 2_000_000
"""Characters of a text that an expression makes, and of one that is made of several."""

MOST_WORDS = 200_000
"""Of one filler; some 270,000 tokens."""

MOST_DIGITS = 400
"""Of a whole number, written or computed."""

MOST_EXPRESSION = 1_000
"""Characters of an {expression}."""

MOST_MADE = 60_000_000
"""Characters that the generators of a suite draw, write and compare; some 20 million of them are in its probes."""

DRAW = 100
"""So many of them for each draw, whatever it gives."""

EXPRESSION = 300
"""So many of them for each {expression}."""

PIECE = 30
"""So many of them for each text of a probe, whatever its length."""

MOST_NAME = 500
"""Characters of a name: of a suite, a category or a probe."""

MOST_TOKENS = 1_000_000
"""Of one answer."""

MOST_STOPS = 100
"""Texts that end an answer; each is looked for after each token."""

MOST_DIRECTIVES = 20
"""Lines of YAML that declare a tag; none is of use here, and each is held against all others."""

MOST_PATTERN = 100_000
"""Characters of a regular expression."""

MOST_PROMPTED = 200_000_000
"""Characters of all prompts of a suite together, with the shots that each begins with."""

MOST_OF_TEMPLATE = 1_000_000
"""Characters of a Jinja template; the longest that models come with have some ten thousand."""

MOST_RENDERED = 10_000_000
"""Characters of a text that a Jinja template gives."""
