"""The word order of a reply: which texts tell it, how it is counted, and what `fluent` makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine.requests import Generated
from harness.errors import NoEvidenceError
from harness.scoring import SCORERS, score
from harness.scoring.check import Check
from harness.scoring.score import Score
from harness.scoring.text import Mentions
from harness.scoring.why import why_wrong
from harness.scoring.word_order import (
    LEAST_GAIN,
    LEAST_WORDS,
    MOST_CHARACTERS,
    SHUFFLES,
    gain,
    orders,
)
from harness.suites.suite import Probe

SENTENCE = "Roses need water, light and air."
SALAD = "Air and light need roses water."


def fluent(**more: object) -> Probe:
    return Probe("p", Check.model_validate({"fluent": True, "mentions": ["water"], **more}))


class TestOrders:
    def test_the_text_comes_first_and_then_its_shuffles(self):
        text, *shuffled = orders(SENTENCE)
        assert text == SENTENCE
        assert len(shuffled) == SHUFFLES
        for other in shuffled:
            assert sorted(other.split()) == sorted(text.split())
            assert other != text

    def test_they_are_the_same_in_every_run_and_on_every_machine(self):
        assert orders(SENTENCE) == (
            "Roses need water, light and air.", "need light air. water, Roses and", "water, light need air. and Roses",
        )  # fmt: skip

    @pytest.mark.parametrize(
        "reply",
        [
            "**Roses** need water, *light* and air.",
            "<think>air light roses</think>\n\nRoses need water, light\nand   air.",
            "> Roses need water, light and air. ✨ ((((",
            "Roses need water, light 🌞 and air.🌹",
        ],
    )
    def test_a_text_is_measured_as_a_reader_sees_it(self, reply):
        assert orders(reply) == orders(SENTENCE)

    @pytest.mark.parametrize(
        "reply", ["", "Roses need water.", "1 2 3 4", "(((( )))) .... !!!! ????", "water" * 99]
    )
    def test_a_short_reply_has_none(self, reply):
        assert orders(reply) == ()

    def test_least_words(self):
        assert orders(" ".join(["so"] * (LEAST_WORDS - 1))) == ()
        assert orders(" ".join(["so"] * LEAST_WORDS)) != ()

    @pytest.mark.parametrize(
        "salad", ["germ,dirt,soap,hands,clean", "germ/dirt/soap/hands/clean", "germ_dirt_soap_hands_clean"]
    )
    def test_words_without_spaces_between_them_count(self, salad):
        assert len(orders(salad)) == 1 + SHUFFLES

    @pytest.mark.parametrize(
        "text", ["हिन्दी में पाँच शब्द हैं।", "В этой фразе ровно пять слов.", "나는 오늘 학교에 걸어서 갑니다."]
    )
    def test_words_of_other_scripts_stay_whole(self, text):
        assert orders(text)[0] == text

    def test_a_script_without_spaces_is_shuffled_by_characters(self):
        text, *shuffled = orders("洗手可以去除细菌。")
        assert " " not in text
        for other in shuffled:
            assert sorted(other) == sorted(text)

    @pytest.mark.parametrize(
        "reply",
        ["(" * 100_000, "a," * 100_000, "so " * 100_000, "-" * 100_000, "a-" * 100_000, "洗" * 100_000],
    )
    def test_a_long_reply_is_measured_at_its_beginning(self, reply):
        assert all(len(text) <= 2 * MOST_CHARACTERS for text in orders(reply))

    @given(st.text(max_size=80))
    def test_any_text_has_orders_or_none(self, reply):
        found = orders(reply)
        assert len(found) in (0, 1 + SHUFFLES)
        assert len({"".join(sorted(text.replace(" ", ""))) for text in found}) <= 1


def test_gain_is_in_nats_a_word():
    assert gain(SENTENCE, [-12.0, *[-30.0] * SHUFFLES]) == 3.0
    assert gain(SENTENCE, [-12.0, *[-12.0] * SHUFFLES]) == 0.0


class TestFluent:
    @pytest.mark.parametrize(
        ("word_order", "right"), [(LEAST_GAIN, True), (9.0, True), (LEAST_GAIN - 0.01, False), (-1.0, False)]
    )
    def test_the_baseline_decides(self, word_order, right):
        assert score(fluent(), Generated(SENTENCE, 8, word_order=word_order)) == Score(right, SENTENCE)

    def test_the_rule_must_hold_too(self):
        assert not score(fluent(mentions=["soil"]), Generated(SENTENCE, 8, word_order=9.0)).right

    def test_without_evidence_there_is_no_judgement(self):
        with pytest.raises(NoEvidenceError) as error:
            score(fluent(), Generated(SENTENCE, 8))
        assert str(error.value) == (
            "the probe 'p' has an answer whose word order was not measured, which 'fluent' asks for\n"
            "  run the gate again: only a model can measure it"
        )

    def test_a_wrong_answer_needs_none(self):
        assert not score(fluent(mentions=["soil"]), Generated(SENTENCE, 8)).right

    def test_a_short_answer_is_judged_by_its_rule(self):
        assert score(fluent(), Generated("Roses need water.", 4)).right

    def test_by_rule_alone(self):
        assert score(fluent(), Generated(SALAD, 8), by_rule=True).right

    def test_other_scores_do_not_ask(self):
        assert score(Probe("p", Mentions(), answers=("water",)), Generated(SALAD, 8)).right

    @pytest.mark.parametrize(
        "name", ["check", "contains", "equals", "mentions", "number", "refusal", "regex"]
    )
    def test_scores_over_prose_have_it(self, name):
        assert "fluent" in SCORERS[name].model_fields

    def test_why(self):
        judged = score(fluent(), Generated(SALAD, 8, word_order=0.123))
        assert why_wrong(fluent(), judged) == (
            f"its words stand in no order: 0.12 nats a word, and 'fluent' takes {LEAST_GAIN:g}"
        )
