"""One room that every score reads through: an answer as a model writes it in, the text a reader sees out.

Each module does one job and runs in linear time, since a model may write anything: `reasoning` drops what a model thought
before it answered, `characters` makes characters alike that look alike, `latex`, `html` and `markdown` turn markup into text,
and `figures` reads numbers, in digits and in words. `plain` joins all but the last.
"""

from harness.normalise.characters import alike, nfkc
from harness.normalise.figures import Figure, figures
from harness.normalise.plain import plain
from harness.normalise.reasoning import answer_of

__all__ = ["Figure", "alike", "answer_of", "figures", "nfkc", "plain"]
