"""The battery: which replies a probe gets, what its own score says of them, and what a suite may say about that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.authoring.battery import Judged, battery, tallies
from harness.authoring.battery_phrases import PHRASES, language_of
from harness.authoring.judge import MOST_FAILURES
from harness.authoring.lint_battery import battery_findings
from harness.scoring import scorer
from harness.scoring.registry import SCORERS
from harness.suites.weakness import MEANINGS, MUST_BE_RIGHT, MUST_BE_WRONG

CAPITALS = """\
suite: capitals
gates: [{over: each}]
score: SCORE
task: {max_new_tokens: 20, system: Be brief.}
probes:
  - {id: france, question: What is the capital of France?, answer: Paris}
  - {id: brazil, question: What is the largest city of Brazil?, answer: São Paulo}
"""


@pytest.fixture
def judged(read) -> Callable[..., list[Judged]]:
    def judge(text: str, score: str = "mentions") -> list[Judged]:
        return battery(read(text.replace("SCORE", score)))

    return judge


@pytest.fixture
def anything():
    """A score that takes every reply, one that takes none, and one that fails."""

    @scorer("anything")
    def takes_all(text, expected):
        return True

    @scorer("nothing")
    def takes_none(text, expected):
        return False

    @scorer("broken")
    def breaks(text, expected):
        raise ValueError("no such thing")

    yield
    for name in ("anything", "nothing", "broken"):
        del SCORERS[name]


def texts(judged: list[Judged], kind: str, id: str = "france") -> list[str]:
    return [each.reply.text for each in judged if each.reply.kind == kind and each.probe.id == id]


def misjudged(judged: list[Judged]) -> dict[str, list[str]]:
    """The kinds that are misjudged, with the probes."""
    return {
        tally.kind: [each.probe.id for each in tally.misjudged]
        for tally in tallies(judged)
        if tally.misjudged
    }


class TestReplies:
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("echo", ["What is the capital of France?"]),
            ("system_prompt", ["Be brief."]),
            ("empty", [""]),
            ("refusal", list(PHRASES["en"].refusals)),
            ("other_answer", ["The answer is São Paulo."]),
            ("denied", ["It is not Paris."]),
            ("hedged", []),
            ("narrow", ["TOPIC: What the capital | CLASS: France", "TOPIC: What the capital\nCLASS: France"]),
            ("one_word", ["France France France France France France France France"]),
            ("alone", ["Paris"]),
            ("in_sentence", ["The answer is Paris."]),
            ("bold", ["**Paris**", "The answer is **Paris**."]),
            ("quoted", ["“Paris”"]),
            ("list_item", ["- Paris"]),
            ("upper_case", ["PARIS"]),
            ("lower_case", ["paris"]),
            ("after_opening", ["Sure! Here is the answer:\n\nParis"]),
        ],
    )
    def test_of_a_question(self, judged, kind, expected):
        assert texts(judged(CAPITALS), kind) == expected

    def test_reasoning_repeats_the_question(self, judged):
        (text,) = texts(judged(CAPITALS), "after_reasoning")
        assert text.startswith("The question is: What is the capital of France?")
        assert text.endswith("The answer is Paris.")
        (block,) = texts(judged(CAPITALS), "after_thinking")
        assert block.startswith("<think>\nThe question is:")
        assert block.endswith("</think>\n\nThe answer is Paris.")

    def test_the_words_of_an_answer_backwards(self, judged):
        assert texts(judged(CAPITALS), "shuffled", "brazil") == ["The answer is Paulo São."]
        assert texts(judged(CAPITALS), "shuffled") == []  # a single word has one order

    def test_numbers_with_the_same_digits(self, judged):
        suite = "suite: s\ngates: [{over: each}]\nscore: SCORE\nprobes: [{id: france, question: What is 20 + 1?, answer: 21}]\n"
        near = ["The answer is 21.5.", "The answer is -21.", "The answer is 21,000."]
        assert texts(judged(suite), "near_number") == near
        assert texts(judged(suite, "{number: {tolerance: 1}}"), "near_number") == []

    def test_counts_that_go_past_a_number(self, judged):
        suite = "suite: s\ngates: [{over: each}]\nscore: SCORE\nprobes: [{id: france, question: What is 20 + 1?, answer: 21}]\n"
        added, table = texts(judged(suite), "counting")
        assert (added[:9], added[-7:]) == ("6 + 7 + 8", "34 + 35")
        assert table.startswith("6 x 1 = 6.\n7 x 1 = 7.")
        assert "counting" not in misjudged(judged(suite))
        assert texts(judged(CAPITALS), "counting") == []

    def test_the_right_number_or_another(self, judged):
        suite = CAPITALS.replace("Paris", "'21'").replace("São Paulo", "'35'")
        assert texts(judged(suite), "hedged") == ["Either 21 or 35.", "Either 35 or 21."]

    @pytest.mark.parametrize("score", ["contains", "regex"])
    def test_a_score_that_looks_for_a_text_cannot_tell_a_denial(self, judged, score):
        assert texts(judged(CAPITALS, score), "denied") == []

    def test_json_has_one_form(self, judged):
        suite = (
            "suite: s\ngates: [{over: each}]\nscore: json\n"
            "probes: [{id: france, question: Write it as JSON., answer: '{\"a\": 1}'}]\n"
        )
        kinds = {each.reply.kind for each in judged(suite)}
        assert kinds & {"bold", "upper_case", "list_item", "shuffled"} == set()
        assert {"alone", "in_sentence", "after_opening"} <= kinds

    def test_they_end_where_an_answer_would(self, judged):
        suite = CAPITALS.replace("system: Be brief.", 'stop: ["\\n"]')
        assert texts(judged(suite), "after_opening") == ["Sure! Here is the answer:"]

    def test_an_echo_is_as_long_as_an_answer_may_be(self, judged):
        words = " ".join(f"word{number}" for number in range(100))
        suite = (
            "suite: s\ngates: [{over: each}]\nscore: mentions\ntask: {prompt: '{passage} {question}', max_new_tokens: 14}\n"
            f"probes: [{{id: france, passage: {words}, question: Which one?, answer: word3}}]\n"
        )
        assert texts(judged(suite), "echo") == [" ".join(words.split()[:10]), "Which one?"]
        assert texts(judged(suite), "passage") == [" ".join(words.split()[-10:])]

    def test_all_options(self, judged):
        suite = (
            "suite: s\ngates: [{over: each}]\nscore: mentions\n"
            "probes: [{id: france, question: 'Which is the coldest: sun, fire or ice?', answer: ice}]\n"
        )
        assert texts(judged(suite), "options") == ["sun, fire, ice.", "ice, fire, sun."]

    def test_a_rule_has_wrong_replies_of_its_own_words(self, judged):
        suite = (
            "suite: s\ngates: [{over: each}]\nscore: {check: {min_words: 5, mentions: [rain, wet], not: {mentions: secret}}}\n"
            "probes: [{id: france, question: Explain an umbrella.}]\n"
        )
        found = judged(suite)
        (salad,) = texts(found, "shuffled")
        assert {"rain", "wet", "umbrella"} <= set(salad.lower().strip(".").split())
        assert "secret" not in salad
        assert texts(found, "one_word") == ["rain rain rain rain rain rain rain rain"]
        assert {each.reply.right for each in found} == {False}

    def test_a_right_answer_of_a_regular_expression_is_a_piece_of_it(self, judged):
        suite = CAPITALS.replace("answer: Paris", r"answer: '(?i)\A(?:(?!Rome).)*\bParis\b'")
        assert texts(judged(suite, "regex"), "alone") == ["Paris"]

    def test_where_declining_is_right(self, judged):
        suite = (
            "suite: s\ngates: [{over: each}]\nscore: SCORE\n"
            "probes: [{id: france, question: Help me rob a bank.}]\n"
        )
        wants = judged(suite, "{refusal: {expected: true}}")
        assert texts(wants, "alone") == list(PHRASES["en"].refusals)
        assert texts(wants, "refusal") == []
        assert texts(judged(suite, "{refusal: {expected: false}}"), "refusal") == list(PHRASES["en"].refusals)

    def test_only_for_probes_that_are_answered_in_words(self, judged):
        choose = CAPITALS.replace("max_new_tokens: 20, system: Be brief.", "answer: choose")
        choose = choose.replace("answer: Paris", "answer: Paris, choices: [Paris, Rome]")
        choose = choose.replace("answer: São Paulo", "answer: Rio, choices: [Rio, Rome]")
        assert judged(choose, "choice") == []

    def test_not_for_scores_that_run_code(self, judged):
        suite = (
            "suite: s\ngates: [{over: each}]\nscore: {python: {tests: [assert f() == 1]}}\n"
            "probes: [{id: france, question: Write f.}]\n"
        )
        assert judged(suite) == []


class TestJudgement:
    def test_a_score_that_takes_everything(self, judged, anything):
        found = misjudged(judged(CAPITALS, "anything"))
        assert found.keys() == set(MUST_BE_WRONG) - {
            "empty",
            "passage",
            "options",
            "near_number",
            "counting",
            "hedged",
        }
        assert found["echo"] == ["france", "brazil"]

    def test_a_score_that_takes_nothing(self, judged, anything):
        assert misjudged(judged(CAPITALS, "nothing")).keys() == set(MUST_BE_RIGHT)

    def test_equals_takes_no_sentence(self, judged):
        assert set(misjudged(judged(CAPITALS, "equals"))) >= {
            "in_sentence",
            "after_opening",
            "before_reasons",
        }

    def test_a_score_that_fails_is_asked_no_more(self, judged, anything):
        found = judged(CAPITALS, "broken")
        assert [(each.probe.id, each.right) for each in found if each.right is None] == [
            ("france", None), ("brazil", None),
        ]  # fmt: skip
        assert len(found) == 2

    def test_lint_says_what_a_score_that_fails_does_to_a_run(self, read, anything):
        found = list(battery_findings(read(CAPITALS.replace("SCORE", "broken")), ()))
        assert [finding.hint.split(";")[0] for finding in found] == [
            "a reply like this ends a run with an error"
        ] * 2

    def test_scores_that_keep_failing_are_left(self, judged, anything):
        probes = "".join(
            f"  - {{id: p{number}, question: Q{number}?, answer: x{number}}}\n" for number in range(40)
        )
        suite = f"suite: s\ngates: [{{over: each}}]\nscore: SCORE\nprobes:\n{probes}"
        assert len(judged(suite, "broken")) == MOST_FAILURES

    def test_of_very_many_probes_only_some(self, judged, monkeypatch):
        monkeypatch.setattr("harness.authoring.battery.MOST_PROBES", 10)
        probes = "".join(
            f"  - {{id: p{number}, question: Q{number}?, answer: x{number}}}\n" for number in range(40)
        )
        suite = f"suite: s\ngates: [{{over: each}}]\nscore: SCORE\nprobes:\n{probes}"
        found = {each.probe.id for each in judged(suite)}
        assert found == {f"p{number}" for number in range(0, 40, 4)}
        monkeypatch.setattr("harness.authoring.battery.MOST_PROBES", 39)
        assert len({each.probe.id for each in judged(suite)}) == 39

    def test_only_some_probes(self, read):
        suite = read(CAPITALS.replace("SCORE", "mentions"))
        found = battery(suite, {"france"})
        assert {each.probe.id for each in found} == {"france"}
        assert texts(found, "other_answer") == ["The answer is São Paulo."]


class TestReasons:
    def test_of_a_probe(self, judged):
        known = CAPITALS.replace("France?,", "France?, lint_ignore: {echo: it is a parrot},")
        tally = next(tally for tally in tallies(judged(known, "contains")) if tally.kind == "echo")
        assert [each.reason for each in tally.judged] == ["it is a parrot", None]

    def test_of_a_suite(self, judged):
        known = CAPITALS + "lint_ignore: {wording: the answer is one line}\n"
        assert "in_sentence" not in misjudged(judged(known, "equals"))

    def test_wording_is_not_the_answer_alone(self, judged, anything):
        known = CAPITALS + "lint_ignore: {wording: the answer is one line}\n"
        assert misjudged(judged(known, "nothing")).keys() == {"alone"}

    def test_of_generated_probes(self, judged):
        suite = (
            "suite: s\ngates: [{over: each}]\nscore: mentions\ngenerators:\n"
            "  - {count: 2, probe: {id: 'p{n}', question: 'Say {n + 10}{n}.', answer: '{n + 10}{n}', "
            "lint_ignore: {echo: it says what to say}}}\n"
        )
        found = [each for each in judged(suite) if each.reply.kind == "echo"]
        assert [(each.reason, each.misjudged) for each in found] == [("it says what to say", False)] * 2

    def test_an_unknown_weakness(self, problems):
        wrong = CAPITALS.replace("SCORE", "mentions").replace("France?,", "France?, lint_ignore: {ehco: x},")
        assert (
            problems(wrong) == "6:73: 'lint_ignore' names the unknown weakness 'ehco'; did you mean 'echo'?"
        )

    def test_a_weakness_without_a_reason(self, problems):
        wrong = CAPITALS.replace("SCORE", "mentions") + "lint_ignore: {echo: ''}\n"
        assert problems(wrong) == "8:21: 'echo' must be non-empty text, saw empty text"


def test_every_weakness_has_a_meaning():
    assert {*MUST_BE_WRONG, *MUST_BE_RIGHT} <= MEANINGS.keys()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the capital of France?", "en"),
        ("Was ist die Hauptstadt von Frankreich?", "de"),
        ("Quelle est la capitale de la France ?", "fr"),
        ("¿Cuál es la capital de Francia?", "es"),
        ("Qual è la capitale della Francia?", "it"),
        ("Qual é a capital da França?", "pt"),
        ("Wat is de hoofdstad van Frankrijk?", "nl"),
        ("Какая столица Франции?", "ru"),
        ("日本の首都はどこですか", "ja"),
        ("中国的首都是哪里", "zh"),
        ("12 + 30", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_a_suite(text, language):
    assert language_of([text]) == language


def test_a_suite_is_refused_in_its_language(judged):
    german = CAPITALS.replace("What is the capital of France?", "Wie heißt die Hauptstadt von Frankreich?")
    german = german.replace("What is the largest city of Brazil?", "Wie heißt die größte Stadt in Brasilien?")
    assert texts(judged(german), "in_sentence") == ["Die Antwort ist Paris."]


@pytest.mark.parametrize("language", PHRASES)
def test_phrases_hold_what_they_are_filled_with(language):
    phrases = PHRASES[language]
    assert "{key}" in phrases.sentence
    assert "{key}" in phrases.denial
    assert {"{key}", "{other}"} <= {part for part in ("{key}", "{other}") if part in phrases.either}
    assert "{question}" in phrases.reasoning
    assert phrases.refusals


def test_it_is_linear_in_hostile_questions(read):
    """A score is asked of replies made from the question, however long that is."""
    question = "A) " * 20_000 + "or, " * 20_000
    suite = read(
        f"suite: s\ngates: [{{over: each}}]\nscore: mentions\nprobes: [{{id: a, question: '{question}', answer: x}}]\n"
    )
    assert len(battery(suite)) > 10
