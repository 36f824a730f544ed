"""The score `check`: a rule of small checks on the form of an answer.

All keys of a rule must hold; `all`, `any` and `not` combine rules.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from harness.documents.validate import Shape
from harness.scoring.pattern import is_found, pattern_problem
from harness.scoring.registry import scorer
from harness.scoring.structured import read_json
from harness.scoring.text import folded, mentions
from harness.suites.scorer import Expects, Scorer

REPEATED_WORDS = 4
REPEATED_TIMES = 3


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("text of a check must not be blank: it would match anything")
    return value


Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1), AfterValidator(_not_blank)]
Texts = Annotated[
    list[Text], BeforeValidator(_listed, json_schema_input_type=Text | list[Text]), Field(min_length=1)
]


class Rule(Shape):
    """Small checks, all of which must hold for an answer."""

    min_words: Count | None = Field(None, description="At least this many words.")
    max_words: Count | None = Field(None, description="At most this many words.")
    min_lines: Count | None = Field(None, description="At least this many lines that are not blank.")
    max_lines: Count | None = Field(None, description="At most this many lines that are not blank.")
    min_items: Count | None = Field(None, description="At least this many bulleted or numbered items.")
    max_items: Count | None = Field(None, description="At most this many bulleted or numbered items.")
    starts_with: Texts | None = Field(None, description="Begins with this, or one of these.")
    ends_with: Texts | None = Field(None, description="Ends with this, or one of these.")
    contains: Texts | None = Field(None, description="Has this text, or one of these, in it.")
    mentions: Texts | None = Field(None, description="Has this, or one of these, as whole words.")
    regex: str | None = Field(None, description="A regular expression is found (`^`, `$` at lines).")
    titlecase_words: Count | None = Field(None, description="At least this many Capitalised words.")
    json_keys: Texts | None = Field(None, description="A JSON object in the answer has all these keys.")
    no_repetition: Literal[True] | None = Field(
        None, description=f"No {REPEATED_WORDS} words in a row stand {REPEATED_TIMES} times or more."
    )
    lowercase: Literal[True] | None = Field(None, description="No capital letter.")
    uppercase: Literal[True] | None = Field(None, description="No small letter.")
    all: Annotated[list[Rule], Field(min_length=1)] | None = Field(None, description="Each of these rules.")
    any: Annotated[list[Rule], Field(min_length=1)] | None = Field(None, description="One of these rules.")
    not_: Rule | None = Field(None, alias="not", description="Not this rule.")

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None and (wrong := pattern_problem(value)):
            raise ValueError(wrong)
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(getattr(self, name) is not None for name in type(self).model_fields):
            raise ValueError(
                f"a rule needs a check, such as 'min_words'; there are: {', '.join(rule_keys())}"
            )
        for name in ("words", "lines", "items"):
            low, high = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if low is not None and high is not None and low > high:
                raise ValueError(f"'min_{name}' is more than 'max_{name}': nothing can be right")
        return self

    def holds(self, text: str) -> bool:
        """Whether every check of the rule holds for `text`."""
        return all(
            check(text, parameter)
            for name, check in CHECKS.items()
            if (parameter := getattr(self, name)) is not None
        )


def rule_keys() -> list[str]:
    """The names of all checks, as YAML spells them."""
    return [info.alias or name for name, info in Rule.model_fields.items()]


def words(text: str) -> list[str]:
    """The words of a text: separated by white space, each with a letter or digit in it."""
    return [word for word in text.split() if re.search(r"\w", word)]


def lines(text: str) -> list[str]:
    """The lines of a text that are not blank."""
    return [line for line in text.splitlines() if line.strip()]


def items(text: str) -> list[str]:
    """The lines that begin like a list item: `- `, `* `, `1. ` or `1) `."""
    return [line for line in lines(text) if re.match(r"\s*(?:[-*•+]|\d+[.)])\s+\S", line)]


def titlecase_words(text: str) -> int:
    """The number of words that begin with a capital and a small letter."""
    return sum(pair.istitle() for pair in re.findall(r"\b[^\W\d_]{2}", text))


def repeats(text: str) -> bool:
    """Whether any run of REPEATED_WORDS words occurs REPEATED_TIMES times or more."""
    words = folded(text).split()
    runs = Counter(zip(*(words[start:] for start in range(REPEATED_WORDS)), strict=False))
    return max(runs.values(), default=0) >= REPEATED_TIMES


def _json_keys(text: str, keys: Sequence[str]) -> bool:
    value = read_json(text)
    return isinstance(value, dict) and all(key in value for key in keys)


CHECKS: dict[str, Callable[[str, Any], bool]] = {
    "min_words": lambda text, least: len(words(text)) >= least,
    "max_words": lambda text, most: len(words(text)) <= most,
    "min_lines": lambda text, least: len(lines(text)) >= least,
    "max_lines": lambda text, most: len(lines(text)) <= most,
    "min_items": lambda text, least: len(items(text)) >= least,
    "max_items": lambda text, most: len(items(text)) <= most,
    "starts_with": lambda text, texts: text.strip().startswith(tuple(texts)),
    "ends_with": lambda text, texts: text.strip().endswith(tuple(texts)),
    "contains": lambda text, texts: any(folded(wanted) in folded(text) for wanted in texts),
    "mentions": lambda text, texts: any(mentions(text, wanted) for wanted in texts),
    "regex": lambda text, pattern: is_found(pattern, text),
    "titlecase_words": lambda text, least: titlecase_words(text) >= least,
    "json_keys": _json_keys,
    "no_repetition": lambda text, _: not repeats(text),
    "lowercase": lambda text, _: text == text.lower() and text != text.upper(),
    "uppercase": lambda text, _: text == text.upper() and text != text.lower(),
    "all": lambda text, rules: all(rule.holds(text) for rule in rules),
    "any": lambda text, rules: any(rule.holds(text) for rule in rules),
    "not_": lambda text, rule: not rule.holds(text),
}


@scorer("check")
class Check(Scorer, Rule):
    """A rule of small checks over the answer's form; the probe has no `answer`."""

    expects: ClassVar[Expects] = "none"

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return self.holds(text)
