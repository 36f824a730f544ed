"""A right answer of the metric `exact_match` in, a regular expression that finds just what the metric calls right out."""

from __future__ import annotations

import re
import string

from harness.suites.lm_eval.task import Metric

PUNCTUATION = r"!-/:-@\[-`{-~"
"""`string.punctuation`, as the inside of a set."""


def exact_pattern(target: str, metric: Metric) -> str | None:
    r"""The pattern, such as `\AParis\Z`; None where nothing of the target is left to compare.

    Upper and lower case are told apart as Python's `re` does, which counts a few rare letters (the dotless i, the
    long s) as alike and lm-evaluation-harness does not.
    """
    dropped = (PUNCTUATION if metric.ignore_punctuation else "") + ("0-9" if metric.ignore_numbers else "")
    removed = (string.punctuation if metric.ignore_punctuation else "") + (
        string.digits if metric.ignore_numbers else ""
    )
    kept = [character for character in target if character not in removed]
    if not "".join(kept).strip():
        return None
    between = f"[{dropped}]*" if dropped else ""
    core = between + "".join(_escaped(character) + between for character in kept)
    if metric.strip:
        # The answer is stripped before anything is dropped, so it begins and ends with something visible.
        first = r"(?=\S)" if kept[0].isspace() else ""
        last = r"(?<=\S)" if kept[-1].isspace() else ""
        core = rf"\s*{first}{core}{last}\s*"
    return rf"{'(?i)' if metric.ignore_case else ''}\A{core}\Z"


def _escaped(character: str) -> str:
    return "\\" + character if re.match(r"[.^$*+?{}\[\]\\|()]", character) else character
