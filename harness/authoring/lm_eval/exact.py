"""A right answer of the metric `exact_match` in, a regular expression that finds just what the metric calls right out."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from harness.authoring.lm_eval.task import Metric

PUNCTUATION = r"!-/:-@\[-`{-~"
"""`string.punctuation`, as the inside of a set."""

ANY_CASE = "(?i)"
SPACE = r"\s*"


def exact_pattern(target: str, metric: Metric) -> str | None:
    r"""The pattern, such as `\AParis\Z`; None where nothing of the target is left to compare.

    Upper and lower case are told apart as Python's `re` does, which counts a few rare letters (the dotless i, the
    long s) as alike and lm-evaluation-harness does not.
    """
    removed = (string.punctuation if metric.ignore_punctuation else "") + (
        string.digits if metric.ignore_numbers else ""
    )
    kept = [character for character in target if character not in removed]
    if not "".join(kept).strip():
        return None
    between = _between(metric)
    core = between + "".join(_escaped(character) + between for character in kept)
    if metric.strip:
        # The answer is stripped before anything is dropped, so it begins and ends with something visible.
        first = r"(?=\S)" if kept[0].isspace() else ""
        last = r"(?<=\S)" if kept[-1].isspace() else ""
        core = f"{SPACE}{first}{core}{last}{SPACE}"
    return rf"{ANY_CASE if metric.ignore_case else ''}\A{core}\Z"


def pattern_parts(metric: Metric) -> Iterator[tuple[str, str]]:
    """What the patterns of a metric have beside the characters of an answer, and what each part means."""
    if metric.ignore_case:
        yield ANY_CASE, "upper and lower case are alike"
    if between := _between(metric):
        ignored = ["punctuation"] * metric.ignore_punctuation + ["digits"] * metric.ignore_numbers
        yield between, f"{' and '.join(ignored)} here {'are' if metric.ignore_numbers else 'is'} ignored"
    if metric.strip:
        yield SPACE, "white space at the ends is ignored"


def _between(metric: Metric) -> str:
    """What may stand between any two characters of an answer."""
    dropped = (PUNCTUATION if metric.ignore_punctuation else "") + ("0-9" if metric.ignore_numbers else "")
    return f"[{dropped}]*" if dropped else ""


def _escaped(character: str) -> str:
    return "\\" + character if re.match(r"[.^$*+?{}\[\]\\|()]", character) else character
