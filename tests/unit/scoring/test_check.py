"""Every small check, true and false, and how rules combine."""

from __future__ import annotations

import pytest

from harness.scoring.check import CHECKS, Check, Rule, items, lines, rule_keys, titlecase_words, words

ROUND = "the cat sat on the mat. the cat sat on the mat. the cat sat on the mat."


@pytest.mark.parametrize(
    ("rule", "yes", "no"),
    [
        ({"min_words": 3}, "one two three", "one - two"),
        ({"max_words": 2}, "one — two", "one two three"),
        ({"min_lines": 2}, "a\n\nb", "a\n \n"),
        ({"max_lines": 1}, "\na\n", "a\nb"),
        ({"min_items": 2}, "Fruits:\n- a\n* b", "- a\n-b"),
        ({"min_items": 2}, "1. a\n 2) b", "1.5 a\n2"),
        ({"max_items": 1}, "- a\nb", "• a\n+ b"),
        ({"max_items": 2}, "1. a\n   - b\n\t- c\n2. d", " 1. a\n- b\n - c"),
        ({"min_items": 4}, "– a\n(1) b\na) c\n> ◦ d", "-5 degrees\n(1)\na. b\n> c"),
        ({"min_items": 2}, "### 1. a\n### **(2)** b", "### a\n# b"),
        ({"starts_with": "Dear"}, "  Dear reader", "dear reader"),
        ({"starts_with": ["Hi", "Hello"]}, "Hello there", "Oh, Hello"),
        ({"ends_with": "!"}, "Yes!\n", "Yes! "[:3]),
        ({"ends_with": ["!", "?"]}, "Yes?", "Yes? No."),
        ({"contains": "Write A"}, "please write  a line", "please write one"),
        ({"contains": ["x", "y"]}, "why?", "no"),
        ({"mentions": "art"}, "Modern ART.", "heart"),
        ({"mentions": ["red", "blue"]}, "a blue ball", "a bluish ball"),
        ({"regex": r"^\d$"}, "a\n5\nb", "a 5 b"),
        ({"titlecase_words": 2}, "Ana met Bob", "Ana met BOB"),
        ({"json_keys": "a"}, 'So: {"a": null}', '["a"]'),
        ({"json_keys": ["a", "b"]}, '{"a": 1, "b": 2}', '{"a": 1}'),
        ({"no_repetition": True}, "the cat sat on the mat", ROUND),
        ({"lowercase": True}, "all small, 1 2 3", "Not all small"),
        ({"lowercase": True}, "é", "123"),
        ({"uppercase": True}, "ALL LARGE!", "NOT all"),
        ({"uppercase": True}, "É", "東京"),
        ({"all": [{"min_words": 2}, {"ends_with": "."}]}, "a b.", "a b"),
        ({"any": [{"starts_with": "a"}, {"ends_with": "z"}]}, "b z", "b c"),
        ({"not": {"contains": " | "}}, "plain", "A | B"),
        ({"not": {"not": {"mentions": "a"}}}, "a", "b"),
        ({"not": {"mentions": "5"}}, "6", "5 or 6"),
        ({"not": {"not": {"mentions": "5"}}}, "5", "5 or 6"),
        ({"all": [{"any": [{"mentions": "a"}, {"mentions": "b"}]}, {"not": {"mentions": "c"}}]}, "b", "b c"),
        ({"min_words": 2, "ends_with": "."}, "a b.", "b."),
    ],
)  # fmt: skip
def test_checks(rule, yes, no):
    check = Check.model_validate(rule)
    assert check.right(yes, [])
    assert not check.right(no, [])


def test_every_check_has_a_function_and_a_description():
    assert set(CHECKS) == set(Rule.model_fields)
    assert all(info.description for info in Rule.model_fields.values())
    assert rule_keys()[-3:] == ["all", "any", "not"]


def test_a_check_has_no_answer():
    assert Check.expects == "none"
    assert Check.judges == "generate"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Ana met Bob", 2), ("ANA", 0), ("A cat", 0), ("étude", 0), ("Étude", 1), ("Ångström", 1), ("McDonald", 1),
        ("iPhone", 0), ("Don't", 1), ("Jean-Paul", 2), ("x1Ab", 0), ("Москва", 1), ("", 0),
    ],
)  # fmt: skip
def test_titlecase_words(text, count):
    assert titlecase_words(text) == count


def test_words_lines_and_items():
    assert words("one - two, (three) ...") == ["one", "two,", "(three)"]
    assert len(words("今日は良い天気です。")) == 9
    assert words("안녕 세상") == ["안녕", "세상"]
    assert lines("a\r\n\n  \nb") == ["a", "b"]
    assert items("1. a\n- b\nc\n10) d\n–e") == ["1. a", "- b", "10) d"]
    assert items("A) a\n* * *\n- - -\n1、b\n２．c\n（3）d\n苹果、香蕉") == ["A) a", "1、b", "２．c", "（3）d"]


@pytest.mark.parametrize("times", [2, 3])
def test_repetition_begins_with_the_third_time(times):
    rule = Rule.model_validate({"no_repetition": True})
    assert rule.holds("One two three four. " * times) is (times < 3)


def test_repetition_is_of_words_whatever_stands_after_them():
    rule = Rule.model_validate({"no_repetition": True})
    assert not rule.holds("The cat sat here. The cat sat here! The cat sat here?")
    assert not rule.holds("... ... ... ... ... ...")
    assert rule.holds("He runs. He sings! He sleeps?")


@pytest.mark.parametrize(
    ("rule", "yes", "no"),
    [
        ({"regex": "^b$"}, "a\r\nb\r\nc", "ab\r\n"),
        ({"max_words": 1}, "**Paris**", "Paris, Rome"),
        ({"max_words": 2}, "# Paris\n- Rome", "1. a b c"),
        ({"min_words": 3}, "| a | b | c |", "| a | b |"),
        ({"starts_with": "Dear"}, "**Dear** Ana", "*dear*"),
        ({"starts_with": "- "}, "- a", "a"),
        ({"starts_with": "#"}, "# a", "a"),
        ({"ends_with": "!"}, "**Yes!**", "**Yes**!?"),
        ({"contains": "New York"}, "**New** York", "New Yo rk"),
        ({"contains": "**"}, "a **b**", "a b"),
        ({"contains": " | "}, "a | b", "a b"),
        ({"mentions": "5"}, "five km", "2.5 km"),
        ({"mentions": ["24"]}, "24m²", "124"),
        ({"mentions": "stove"}, "Do not touch the **stove**.", "stoves"),
        ({"regex": r"^\*\*\w+\*\*$"}, "**bold**", "bold"),
        ({"min_items": 2}, "1. a\n2. b", "a\nb"),
        ({"not": {"mentions": "Rome"}}, "<think>Rome</think>Paris", "**Rome**"),
        ({"max_lines": 1}, "<think>\na\nb\n</think>\nc", "a\nb"),
        ({"lowercase": True}, "<think>A</think>b", "B"),
        ({"json_keys": "a"}, '<think>{"b": 1}</think>{"a": 1}', '<think>{"a": 1}</think>{"b": 1}'),
    ],
)  # fmt: skip
def test_what_a_check_reads(rule, yes, no):
    check = Check.model_validate(rule)
    assert check.right(yes, [])
    assert not check.right(no, [])


def test_a_check_may_read_the_text_as_written():
    assert Check.model_validate({"max_words": 1}).right("- **Paris**", [])
    assert not Check.model_validate({"contains": "Paris", "read": "raw"}).right("**Pa**ris", [])
    assert Check.model_validate({"mentions": "1000", "language": "de"}).right("1.000", [])
    with pytest.raises(ValueError, match="a rule needs a check"):
        Check.model_validate({"read": "raw"})
