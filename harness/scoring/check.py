"""The score `check`: a rule of small checks on the form of an answer.

All keys of a rule must hold; `all`, `any` and `not` combine rules.
"""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from harness.documents.validate import Shape
from harness.normalise import answer_of, plain
from harness.normalise.markdown import BULLETS
from harness.scoring.pattern import is_found, pattern_problem
from harness.scoring.reading import Read, TextScorer, folded, has_markup, words
from harness.scoring.registry import scorer
from harness.scoring.structured import read_json
from harness.scoring.text import contains, mentions
from harness.suites.scorer import Expects
from harness.wording import one_line, some

if TYPE_CHECKING:
    from harness.scoring.declining.stance import Stance

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


@dataclass(frozen=True)
class Reading:
    """A reply as its checks see it: words in `plain` text, form (lines, items, patterns, JSON) in `written`."""

    written: str
    plain: str
    language: str = "en"
    forbidden: bool = False
    """Whether a rule tells what must not be there, so that a number counts that is only listed or left open."""

    @classmethod
    def of(cls, text: str, read: Read = "plain", language: str = "en") -> Reading:
        """The reading of a reply; under `raw`, both texts are as the model wrote it."""
        written = answer_of(text)
        return cls(written, plain(text) if read == "plain" else written, language)

    def either(self, found: Callable[[str], bool]) -> bool:
        """Whether something is found in the plain text or in the one as written."""
        return found(self.plain) or found(self.written)

    def has(self, found: Callable[[str, str, str], bool], wanted: str) -> bool:
        """Whether a wanted text is found; as written, too, if it has marks of its own."""
        texts = [self.plain, *([self.written] if has_markup(wanted) else [])]
        return any(found(text, wanted, self.language) for text in texts)


class Rule(Shape):
    """Small checks, all of which must hold for an answer."""

    min_words: Count | None = Field(
        None, description="At least this many words; in scripts without spaces, characters."
    )
    max_words: Count | None = Field(
        None, description="At most this many words; in scripts without spaces, characters."
    )
    min_lines: Count | None = Field(None, description="At least this many lines that are not blank.")
    max_lines: Count | None = Field(None, description="At most this many lines that are not blank.")
    min_items: Count | None = Field(None, description="At least this many bulleted or numbered items.")
    max_items: Count | None = Field(
        None,
        description="At most this many bulleted or numbered items; those of a list within an item do not count.",
    )
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
    refusal_: bool | None = Field(
        None,
        alias="refusal",
        description="Declines (true), or answers (false), as the score `refusal` judges it.",
    )
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
        if not any(getattr(self, name) is not None for name in Rule.model_fields):
            raise ValueError(
                f"a rule needs a check, such as 'min_words'; there are: {', '.join(rule_keys())}"
            )
        for name in ("words", "lines", "items"):
            low, high = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if low is not None and high is not None and low > high:
                raise ValueError(f"'min_{name}' is more than 'max_{name}': nothing can be right")
        return self

    def holds(self, text: str | Reading) -> bool:
        """Whether every check of the rule holds for `text`."""
        reading = text if isinstance(text, Reading) else Reading.of(text)
        return all(
            check(reading, parameter)
            for name, check in CHECKS.items()
            if (parameter := getattr(self, name)) is not None
        )

    def faults(self, reading: Reading) -> list[str]:
        """The checks that do not hold, each with what was seen: "max_words: 20: has 31"."""
        return [
            f"{Rule.model_fields[name].alias or name}: {SEEN[name](reading, parameter)}"
            for name, check in CHECKS.items()
            if (parameter := getattr(self, name)) is not None and not check(reading, parameter)
        ]


def rule_keys() -> list[str]:
    """The names of all checks, as YAML spells them."""
    return [info.alias or name for name, info in Rule.model_fields.items()]


def lines(text: str) -> list[str]:
    """The lines of a text that are not blank."""
    return [line for line in text.splitlines() if line.strip()]


_ITEM = re.compile(
    rf"(?![\s*_-]*\Z)[\s>#]*(?:(?:[{BULLETS}\u2013]|(?:\*\*|__)?(?:\(?\d+[.)]|\(?[A-Za-z]\))(?:\*\*|__)?)\s+|"
    r"[\uff08(]?\d+[\uff0e\u3001\uff09]\s*)\S"
)


def items(text: str) -> list[str]:
    """The lines that begin like a list item: `- `, `• `, `1. `, `(1) `, `a) ` or `1、`, in a quote or heading too; a number may be bold."""
    return list(filter(_ITEM.match, lines(text)))


def outer_items(text: str) -> list[str]:
    """The items but for those of lists within them, which are indented by two spaces more at least."""
    indents = [(len(item) - len(item.lstrip()), item) for item in map(str.expandtabs, items(text))]
    least = min(indents, default=(0, ""))[0]
    return [item for indent, item in indents if indent < least + 2]


def titlecase_words(text: str) -> int:
    """The number of words that begin with a capital and a small letter."""
    return sum(pair.istitle() for pair in re.findall(r"\b[^\W\d_]{2}", text))


def _stance(text: str) -> Stance:
    from harness.scoring.declining.stance import stance  # its expressions take long to compile

    return stance(text)


def _described(text: str) -> str:
    from harness.scoring.declining.stance import described

    return described(_stance(text))


def repeats(text: str) -> bool:
    """Whether any run of REPEATED_WORDS words occurs REPEATED_TIMES times or more."""
    bare = [word.strip(string.punctuation) or word for word in folded(text).split()]
    runs = Counter(zip(*(bare[start:] for start in range(REPEATED_WORDS)), strict=False))
    return max(runs.values(), default=0) >= REPEATED_TIMES


def _json_keys(text: str, keys: Sequence[str]) -> bool:
    value = read_json(text, (dict,))
    return isinstance(value, dict) and all(key in value for key in keys)


CHECKS: dict[str, Callable[[Reading, Any], bool]] = {
    "min_words": lambda text, least: len(words(text.plain)) >= least,
    "max_words": lambda text, most: len(words(text.plain)) <= most,
    "min_lines": lambda text, least: len(lines(text.written)) >= least,
    "max_lines": lambda text, most: len(lines(text.written)) <= most,
    "min_items": lambda text, least: len(items(text.written)) >= least,
    "max_items": lambda text, most: len(outer_items(text.written)) <= most,
    "starts_with": lambda text, texts: text.either(lambda side: side.strip().startswith(tuple(texts))),
    "ends_with": lambda text, texts: text.either(lambda side: side.strip().endswith(tuple(texts))),
    "contains": lambda text, texts: any(text.has(contains, wanted) for wanted in texts),
    "mentions": lambda text, texts: any(
        text.has(partial(mentions, hedged=text.forbidden), wanted) for wanted in texts
    ),
    "regex": lambda text, pattern: is_found(pattern, text.written),
    "titlecase_words": lambda text, least: titlecase_words(text.plain) >= least,
    "json_keys": lambda text, keys: _json_keys(text.written, keys),
    "no_repetition": lambda text, _: not repeats(text.plain),
    "lowercase": lambda text, _: text.plain == text.plain.lower() and text.plain != text.plain.upper(),
    "uppercase": lambda text, _: text.plain == text.plain.upper() and text.plain != text.plain.lower(),
    "refusal_": lambda text, declines: _stance(text.written) == ("refusal" if declines else "answer"),
    "all": lambda text, rules: all(rule.holds(text) for rule in rules),
    "any": lambda text, rules: any(rule.holds(text) for rule in rules),
    "not_": lambda text, rule: not rule.holds(replace(text, forbidden=not text.forbidden)),
}


def _listing(texts: Sequence[str]) -> str:
    return some([repr(text) for text in texts])


def _lacking(text: Reading, keys: Sequence[str]) -> str:
    value = read_json(text.written, (dict,))
    if not isinstance(value, dict):
        return f"{_listing(keys)}: there is no JSON object"
    return f"{_listing(keys)}: lacks {_listing([key for key in keys if key not in value])}"


def _none_of(text: Reading, rules: Sequence[Rule]) -> str:
    return f"none of {len(rules)}: " + " | ".join("; ".join(rule.faults(text)) for rule in rules[:4])


def _first_of(text: Reading, rules: Sequence[Rule]) -> str:
    place, rule = next((place, rule) for place, rule in enumerate(rules, 1) if not rule.holds(text))
    return f"rule {place}: {'; '.join(rule.faults(text))}"


SEEN: dict[str, Callable[[Reading, Any], str]] = {
    "min_words": lambda text, least: f"{least}: has {len(words(text.plain))}",
    "max_words": lambda text, most: f"{most}: has {len(words(text.plain))}",
    "min_lines": lambda text, least: f"{least}: has {len(lines(text.written))}",
    "max_lines": lambda text, most: f"{most}: has {len(lines(text.written))}",
    "min_items": lambda text, least: f"{least}: has {len(items(text.written))}",
    "max_items": lambda text, most: f"{most}: has {len(outer_items(text.written))}",
    "starts_with": lambda text, texts: f"{_listing(texts)}: begins with {one_line(text.plain.strip(), 30)}",
    "ends_with": lambda text, texts: f"{_listing(texts)}: ends with {one_line(text.plain.strip()[-27:], 30)}",
    "contains": lambda text, texts: f"{_listing(texts)}: not found",
    "mentions": lambda text, texts: f"{_listing(texts)}: not found",
    "regex": lambda text, pattern: f"{pattern}: not found",
    "titlecase_words": lambda text, least: f"{least}: has {titlecase_words(text.plain)}",
    "json_keys": _lacking,
    "no_repetition": lambda text, _: "it repeats itself",
    "lowercase": lambda text, _: "it has a capital letter, or none at all",
    "uppercase": lambda text, _: "it has a small letter, or none at all",
    "refusal_": lambda text, declines: f"{str(declines).lower()}: {_described(text.written)}",
    "all": _first_of,
    "any": _none_of,
    "not_": lambda text, rule: (
        f"{json.dumps(rule.model_dump(mode='json', exclude_none=True, by_alias=True), ensure_ascii=False)} holds"
    ),
}
"""What is said of each check that does not hold."""


@scorer("check")
class Check(TextScorer, Rule):
    """A rule of small checks over the answer's form; the probe has no `answer`.

    Words are counted and sought in plain text, without Markdown and the like; lines, items, JSON and regular expressions are
    about the text as written; a beginning or end may be in either. A text that is denied counts here, unlike under `mentions`.
    """

    expects: ClassVar[Expects] = "none"

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return self.holds(Reading.of(text, self.read, self.language))

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        return "; ".join(self.faults(Reading.of(text, self.read, self.language)))
