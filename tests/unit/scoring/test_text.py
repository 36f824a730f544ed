"""contains, mentions, equals and regex."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scoring.pattern import pattern_problem
from harness.scoring.reading import comparable, folded, normalised
from harness.scoring.text import Contains, Equals, Mentions, Regex, mentions


@pytest.mark.parametrize(
    ("text", "expected", "right"),
    [
        ("The capital is Paris.", "Paris", True),
        ("THE CAPITAL IS PARIS", "paris", True),
        ("Parisian", "Paris", True),
        ("Rome", "Paris", False),
        ("It is in New\n  York", "new york", True),
        ("die STRASSE", "Straße", True),
        ("ＰＡＲＩＳ", "Paris", True),  # full width
        ("It’s blue", "it's", True),
        ("cafe\u0301", "café", True),  # composed and decomposed
        ("cafe", "café", True),  # in English, accents may be missing
        ("Muenchen", "München", False),
        ("東京です", "東京", True),
        ("İstanbul", "istanbul", True),
        ("", "a", False),
    ],
)
def test_contains(text, expected, right):
    assert Contains().right(text, [expected]) is right


@pytest.mark.parametrize(
    ("text", "expected", "right"),
    [
        ("Art is long.", "art", True),
        ("the heart", "art", False),
        ("artful", "art", False),
        ("(art)", "art", True),
        ("art_deco", "art", False),
        ("état-major", "état", True),
        ("étatisme", "état", False),
        ("état", "tat", False),
        ("it costs $5.", "$5", True),
        ("it costs $50.", "$5", False),
        ("it is 15", "5", False),
        ("it is 5.", "5", True),
        ("C++ is old", "C++", True),
        ("South\nAmerica", "South America", True),
        ("О Москва!", "москва", True),
        ("", "a", False),
    ],
)
def test_mentions(text, expected, right):
    assert Mentions().right(text, [expected]) is right


@pytest.mark.parametrize(
    ("text", "expected", "right"),
    [
        ("Paris", "paris", True),
        ("  **Paris.** \n", "Paris", True),
        ('"Paris!"', "Paris", True),
        ("It is Paris", "Paris", False),
        ("New   York", "new york", True),
        ("A.B", "AB", False),
        ("...", "a", False),
        ("Ⅳ", "iv", True),
    ],
)
def test_equals(text, expected, right):
    assert Equals().right(text, [expected]) is right


@pytest.mark.parametrize(
    ("text", "expected", "right"),
    [
        ("on 2024-03-05", r"\d{4}-\d\d-\d\d", True),
        ("on 5 March", r"\d{4}", False),
        ("one\ntwo", "^two$", True),
        ("Paris", "paris", False),
        ("Paris", "(?i)paris", True),
        ("one\ntwo", "one.two", False),
    ],
)
def test_regex(text, expected, right):
    assert Regex().right(text, [expected]) is right


@pytest.mark.parametrize("kind", [Contains, Mentions, Equals, Regex])
def test_any_of_several_answers_is_right(kind):
    assert kind().right("four", ["4", "four"])
    assert not kind().right("five", ["4", "four"])


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("a+", None),
        ("(", "not a regular expression: missing ), unterminated subpattern at position 0"),
        ("a{99999999999}", "not a regular expression: the repetition number is too large"),
        ("a|", "this regular expression matches empty text, so it matches anything"),
        ("^", "this regular expression matches empty text, so it matches anything"),
        ("[[a]", "not a regular expression: Possible nested set at position 1"),
    ],
)
def test_pattern_problem(pattern, problem):
    assert pattern_problem(pattern) == problem


def test_a_pattern_sees_the_end_of_a_line_as_windows_writes_it():
    assert Regex().right("Sure:\r\nDOG\r\nBye", ["^DOG$"])


def test_folded_and_normalised():
    assert folded(" Ａ’B\t c ") == "a'b c"
    assert normalised(" (A’B,\t c!) ") == "a'b, c"
    assert normalised("?!") == ""


def test_marks_without_end_are_as_many_as_a_letter_has():
    assert folded("E\u0301" + "\u0327\u0301" * 10_000) == folded("e\u0301" + "\u0327\u0301" * 14 + "\u0327")
    assert folded("E\u0301" * 100) == "é" * 100


TEXTS = st.text(st.sampled_from("abAé_ .'\n\t\u0301"), max_size=8)
WANTED = st.text(st.sampled_from("abAé"), min_size=1, max_size=3)


@given(TEXTS, WANTED)
def test_whole_words_are_what_word_boundaries_say(text, wanted):
    pattern = rf"(?<!\w){re.escape(comparable(wanted))}(?!\w)"
    assert mentions(text, wanted) is (re.search(pattern, comparable(text)) is not None)


def test_a_pattern_may_have_only_so_many_characters():
    assert pattern_problem("a" * 100_000) is None
    assert pattern_problem("a" * 100_001) == (
        "a regular expression may have 100,000 characters, and this one has 100,001"
    )


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\w+", "हिन्दी", True), (r"^\w+$", "हिन्दी", False), (r"a{e}", "a{e}", True), (r"a{e<=1}", "b", False),
        (r"(?<=a)b(?!c)", "abd", True), (r"(a)\1", "aa", True), (r"^b$", "a\nb\nc", True), (r"\x1c", "\x1c", True),
        (r"\s", "\x1c", True), (r"(?i)straße", "STRASSE", False), ("\ud83d", "\ud83d", True), (r"\Aa\Z", "a\n", False),
    ],
)  # fmt: skip
def test_a_pattern_means_what_it_means_to_pythons_re(pattern, text, found):
    assert (re.search(pattern, text, re.MULTILINE) is not None) is found
    assert Regex().right(text, [pattern]) is found


@pytest.mark.parametrize(
    ("scorer", "text", "expected", "right"),
    [
        (Mentions(final="after_answer"), "Rome is old. The answer is Paris.", "Paris", True),
        (Mentions(final="after_answer"), "Rome is old. The answer is Paris.", "Rome", False),
        (Mentions(final="after_answer"), "Paris", "Paris", False),
        (Mentions(final="boxed"), r"Rome. \boxed{\text{Paris}}", "Paris", True),
        (Mentions(final="boxed"), r"Paris. \boxed{Rome}", "Paris", False),
        (Mentions(final="boxed"), "Paris", "Paris", False),
        (Mentions(final="after_answer"), "Rome is old.\n#### Paris\n", "Paris", True),
        (Mentions(final="after_answer"), "The answer is Paris.\n#### Rome", "Paris", False),
        (Mentions(final="after_answer"), "#### Paris\nis old.", "Paris", False),
        (Mentions(final="after_answer"), "Rome is old.\n\n## Final Answer\n\n**Paris**", "Paris", True),
        (Mentions(final="after_answer"), "## Answer\n\nIn the end, the wise take Paris", "Paris", False),
        (Equals(), "《Paris》。", "Paris", True),
        (Mentions(final="auto"), "Paris", "Paris", True),
        (Mentions(final="auto"), "Rome? Answer: Paris", "Rome", False),
        (Mentions(final="auto"), r"The answer is Rome. \boxed{Paris}", "Paris", True),
        (Equals(final="after_answer"), "I think that the answer is **Paris**.", "Paris", True),
        (Equals(final="auto"), "Paris.", "Paris", True),
        (Contains(final="boxed"), r"$\boxed{H_2O}$", "H2O", True),
        (Mentions(read="raw"), "**Pa**ris", "Paris", False),
        (Mentions(read="raw"), "<think>Rome</think>Paris", "Rome", False),
        (Contains(read="raw"), "_a_", "_a_", True),
        (Mentions(language="es"), "cafe", "café", False),
        (Mentions(language="de"), "Es sind vierundzwanzig.", "24", True),
        (Mentions(language="de"), "1.000 Gramm", "1000", True),
        (Mentions(), "1.000 grams", "1000", False),
        (Regex(), "**Paris**", r"\*\*\w+", True),
        (Regex(), "<think>Rome</think>Paris", "Rome", False),
        (Regex(read="plain"), "**Paris**", "^Paris$", True),
        (Regex(read="plain"), "**Paris**", r"\*", False),
    ],
)
def test_where_an_answer_is_read(scorer, text, expected, right):
    assert scorer.right(text, [expected]) is right


@pytest.mark.parametrize(
    "scorer", [Contains(), Mentions(), Mentions(final="after_answer"), Mentions(among=["Paris", "Berlin"])]
)
def test_an_answer_to_a_question_of_its_own_counts_only_where_it_is_forbidden(scorer):
    text = "The answer is Paris.\n\nQuestion: What is the capital of Germany?\nAnswer: Berlin"
    assert scorer.right(text, ["Paris"])
    assert not scorer.right(text, ["Berlin"])
    assert scorer.may_be_right(text, ["Berlin"])


def test_why_an_answer_to_a_question_of_its_own_does_not_count():
    text = "Paris\n\nQ: What is the capital of Germany?\nA: Berlin"
    assert Mentions().why(text, ["Berlin"]) == "it mentions a right answer to a question of its own"
    assert Mentions(max_words=1).right(text, ["Paris"])


@pytest.mark.parametrize(
    ("scorer", "settles"),
    [
        (Mentions(), True), (Contains(), True), (Mentions(final="auto"), False), (Mentions(among=["a", "b"]), False),
        (Contains(max_words=3), False), (Equals(), False), (Regex(), False),
    ],
)  # fmt: skip
def test_a_right_answer_settles_only_where_more_text_cannot_move_it(scorer, settles):
    assert scorer.settles is settles


def test_a_language_has_two_letters():
    with pytest.raises(ValueError, match="language"):
        Mentions(language="English")
