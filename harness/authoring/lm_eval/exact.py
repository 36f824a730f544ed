"""Turn a right answer of the metric `exact_match` into a regular expression that accepts the same texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.authoring.lm_eval.task import Metric

PUNCTUATION = r"!-/:-@\[-`{-~"
"""The characters of `string.punctuation`, inside a set."""

ANY_CASE = "(?i)"
SPACE = r"\s*"


def exact_pattern(target: str, metric: Metric) -> str | None:
    r"""The pattern, such as `\AParis\Z`; None if nothing of the target is left to compare.

    Under `ignore_case`, Python's `re` equates a few rare letters (the dotless i, the long s) that
    lm-evaluation-harness distinguishes.
    """
    between = _between(metric)
    kept = re.sub(between, "", target)
    if not kept.strip():
        return None
    core = between + "".join(_escaped(character) + between for character in kept)
    if metric.strip:
        # The answer is stripped before characters are dropped, so it begins and ends with a visible one.
        first = r"(?=\S)" if kept[0].isspace() else ""
        last = r"(?<=\S)" if kept[-1].isspace() else ""
        core = f"{SPACE}{first}{core}{last}{SPACE}"
    return rf"{ANY_CASE if metric.ignore_case else ''}\A{core}\Z"


def pattern_parts(metric: Metric) -> Iterator[tuple[str, str]]:
    """The parts of a metric's patterns besides the characters of an answer, each with its meaning."""
    if metric.ignore_case:
        yield ANY_CASE, "upper and lower case are equal"
    if between := _between(metric):
        ignored = ["punctuation"] * metric.ignore_punctuation + ["digits"] * metric.ignore_numbers
        yield between, f"{' and '.join(ignored)} here {'are' if metric.ignore_numbers else 'is'} ignored"
    if metric.strip:
        yield SPACE, "white space at both ends is ignored"


def _between(metric: Metric) -> str:
    """The set of characters that may appear between any two of an answer."""
    dropped = (PUNCTUATION if metric.ignore_punctuation else "") + ("0-9" if metric.ignore_numbers else "")
    return f"[{dropped}]*" if dropped else ""


def _escaped(character: str) -> str:
    return "\\" + character if re.match(r"[.^$*+?{}\[\]\\|()]", character) else character
