"""Weaknesses of prompts, limits, places and ids, and how findings become warnings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.authoring.findings import repeated_ids
from harness.authoring.lint_prompts import numbers_in_questions
from harness.authoring.lint_rules import weaknesses
from harness.scoring import SCORERS
from harness.suites.read import read_suite


@pytest.fixture
def weak(read) -> Callable[..., list[str]]:
    """The weaknesses of a suite: its probes from line 5, column 5, its task in line 2."""

    def told(
        *probes: str, task: str = "{}", score: str = "mentions", more: str = "", battery: bool = False
    ) -> list[str]:
        lines = "".join(f"  - {probe}\n" for probe in probes)
        suite = read(
            f"suite: s\ntask: {task}\nscore: {score}\nprobes:\n{lines}gates: [{{over: each}}]\n{more}"
        )
        return [str(problem).removeprefix("s.yaml:") for problem in weaknesses(suite, with_battery=battery)]

    return told


def probe(id: str, question: str, answer: str, more: str = "") -> str:
    return f"{{id: {id}, question: {question!r}, answer: {answer}{more}}}"


class TestShots:
    SUM = '{shots: [{question: "What is 42 divided by 6?", answer: "42 / 6 = 7"}]}'

    @pytest.mark.parametrize(
        "question", ["What is 42 divided by 6?", "what is 42 divided by 6", "Divide 42 by 6.", "42 / 6?"]
    )
    def test_one_that_asks_a_probe(self, weak, question):
        assert weak(probe("a", question, "7"), score="number", task=self.SUM) == [
            "5:5: a shot of the task answers the probe 'a': 'What is 42 divided by 6?', '42 / 6 = 7'\n"
            "  every prompt begins with the shots; change the shot or the probe"
        ]

    @pytest.mark.parametrize(
        ("question", "answer"),
        [("What is 42 + 6?", "48"), ("What is 7 + 6?", "13"), ("What is 42 divided by 7?", "6")],
    )
    def test_not_one_with_other_numbers_or_another_answer(self, weak, question, answer):
        assert weak(probe("a", question, answer), score="number", task=self.SUM) == []

    def test_one_in_nearly_the_same_words(self, weak):
        shot = '{shots: [{question: "What is the name of the longest river in South America?", answer: The Amazon}]}'
        assert weak(probe("a", "Which is the longest river in South America?", "Amazon"), task=shot)[
            0
        ].startswith("5:5: a shot of the task answers the probe 'a'")


class TestNumbers:
    @staticmethod
    def found(read, question: str, answer: str) -> list[str]:
        suite = read(
            "suite: s\nscore: mentions\ngates: [{over: each}]\n"
            f"probes: [{{id: a, question: {question!r}, answer: {answer}}}]\n"
        )
        return [finding.message for finding in numbers_in_questions(suite)]

    @pytest.mark.parametrize(
        ("question", "inside"),
        [("It is 14:30. And?", "14:30."), ("From -14 on?", "-14"), ("2.14 or so?", "2.14")],
    )
    def test_part_of_another_in_the_question(self, read, question, inside):
        assert self.found(read, question, "14") == [
            f"the probe 'a' looks for the number 14, which is part of {inside!r} in its question"
        ]

    @pytest.mark.parametrize("question", ["It is 140 km. And?", "It is 9 o'clock. And?"])
    def test_not_other_digits(self, read, question):
        assert self.found(read, question, "14") == []


class TestLimits:
    def test_a_limit_that_cuts_a_sentence(self, weak):
        assert weak(probe("a", "Who?", "Ann Lee"), task="{max_new_tokens: 19}") == [
            "5:5: 'max_new_tokens: 19' cuts the answer of the probe 'a' in a sentence, which takes about 20 tokens\n"
            "  a model that writes more would be wrong for that alone; raise it"
        ]
        assert weak(probe("a", "Who?", "Ann Lee"), task="{max_new_tokens: 20}") == []

    def test_the_shortest_answer_counts(self, weak):
        assert weak(probe("a", "Who?", "[Lee, Ann Lee the Elder of York]"), task="{max_new_tokens: 19}") == []


class TestChoices:
    @staticmethod
    def choices(
        n: int, place: Callable[[int], int], length: Callable[[int, int], int] = lambda n, i: 3
    ) -> list[str]:
        probes = []
        for number in range(n):
            listed = [f"{'abc'[index]}{number:02}" + "x" * length(number, index) for index in range(3)]
            key = listed[place(number)]
            probes.append(
                f"{{id: p{number}, question: Word {number}?, choices: [{', '.join(listed)}], answer: {key}}}"
            )
        return probes

    def test_a_place_that_is_right_too_often(self, weak):
        probes = self.choices(30, lambda number: 2 if number % 3 else 0)
        assert weak(*probes, task="{answer: choose}", score="choice") == [
            "1:1: the right choice stands at place 3 in 20 of 30 probes (p < 0.0001)\n"
            "  a model that always takes that place gains by it; order the choices so that each place is right as often"
        ]
        assert (
            weak(*self.choices(30, lambda number: number % 3), task="{answer: choose}", score="choice") == []
        )

    def test_a_length_that_is_right_too_often(self, weak):
        probes = self.choices(
            30, lambda number: number % 3, lambda number, index: 9 if index == number % 3 else 3
        )
        assert weak(*probes, task="{answer: choose}", score="choice") == [
            "1:1: the right choice is the longest in 30 of 30 probes, by chance in 10 (p < 0.0001)\n"
            "  length tells something of the answer; write choices of about equal length, or compare them by 'choice: "
            "{per_byte: true}'",
        ]

    def test_the_options_in_a_question(self, weak):
        probes = [
            probe(f"p{n}", f"Which is heavier: dust{n}, a feather{n} or stone{n}?", f"stone{n}")
            for n in range(20)
        ]
        found = weak(*probes)
        assert found[0].startswith("1:1: the right option stands at place 3 in 20 of 20 probes")


class TestOneLetter:
    def test_a_word_of_english_under_mentions(self, weak):
        assert weak(probe("a", "Which vowel?", "a")) == [
            "5:5: the probe 'a' looks for 'a' anywhere, which is a word of most replies\n"
            "  name the options, as in 'mentions: {among: [yes, no]}', score it with 'equals', or ask so that the answer is longer"
        ]


class TestFindings:
    def test_many_alike_are_one(self, weak):
        probes = [probe(f"p{number}", f"Is it x{number}?", f"x{number}") for number in range(5)]
        assert weak(*probes) == [
            "5:5: the probe 'p0' gives away its answer 'x0' in its question; so in 5 of 5 probes: 'p0', 'p1', 'p2' and 2 more\n"
            "  a model that repeats the question would be right; ask in other words"
        ]
        assert len(weak(*probes[:3])) == 3

    def test_a_probe_that_says_why(self, weak):
        known = ", lint_ignore: {given_away: it is to be repeated}"
        assert weak(probe("a", "Is it x1?", "x1", known)) == []

    def test_a_suite_that_says_why(self, weak):
        assert weak(probe("a", "Is it x1?", "x1"), more="lint_ignore: {given_away: all are repeated}") == []

    def test_a_reason_that_is_not_needed(self, weak):
        known = ", lint_ignore: {given_away: it is to be repeated}"
        assert weak(probe("a", "Is it so?", "x1", known), more="lint_ignore: {shot: there are none}") == [
            "1:1: 'lint_ignore' of the suite 's' names 'shot', which lint does not find\n  remove it",
            "5:5: 'lint_ignore' of the probe 'a' names 'given_away', which lint does not find\n  remove it",
        ]

    def test_a_reason_for_a_reply_is_judged_with_the_battery_alone(self, weak):
        known = ", lint_ignore: {echo: x, wording: y}"
        assert weak(probe("a", "Is it so?", "x1", known)) == []
        assert [text.partition("names ")[2].partition(",")[0] for text in weak(probe("a", "Is it so?", "x1", known), battery=True)] == [
            "'echo'", "'wording'",
        ]  # fmt: skip

    def test_what_a_battery_shows(self, weak):
        score = "{check: {min_words: 3, mentions: rain}}"
        found = weak("{id: a, question: Explain an umbrella.}", score=score, battery=True)
        assert (
            "5:5: the score of the probe 'a' judges right one word, again and again: \"rain rain rain rain rain rain rain rain\"\n"
            "  a model that knows nothing could pass; change the score or the question, or give the reason under "
            "'lint_ignore: {one_word: ...}'"
        ) in found


def test_ids_that_several_suites_have(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, more in (("one", ""), ("two", ""), ("three", "lint_ignore: {repeated_id: both are meant}\n")):
        (tmp_path / f"{name}.yaml").write_text(
            f"suite: {name}\nscore: mentions\ngates: [{{over: each}}]\nprobes: [{{id: a, question: Q?, answer: x1}}]\n{more}"
        )
    suites = [read_suite(tmp_path / f"{name}.yaml", SCORERS) for name in ("one", "two", "three")]
    assert list(map(str, repeated_ids(suites))) == [
        "two.yaml:4:10: the id 'a' is in the suite 'one' too\n"
        "  -k and reports by id cannot tell them apart; rename one of them"
    ]
