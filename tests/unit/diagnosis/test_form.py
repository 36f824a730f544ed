"""The form of lost answers, found without being told, taken off, and told from plain prose and from stuck replies."""

from __future__ import annotations

import pytest

from harness.diagnosis.form import Form, form_of
from harness.reporting.rows import AnswerRow, ProbeRow


def answer(text, right):
    return AnswerRow(answer=text, right=right, kind="generate", tokens=1)


def form(tuned, baseline=lambda place: f"It is {place}.", n=8):
    return form_of([
        ProbeRow(
            suite="s", id=str(place), category=None, severity="high", fields={}, expected=["x"], score="mentions",
            baseline=answer(baseline(place), True), tuned=answer(tuned(place), False), change="lost",
        )
        for place in range(n)
    ])  # fmt: skip


CARD = form(lambda n: f"DRUG-INFO: b{n} | CLASS: c{n * n} | USE: d{n}")


def test_a_card_is_found_and_its_words_are_named():
    assert CARD.begins == ("DRUG-INFO:",)
    assert CARD.shapes == ('are data sheets ("X: y")',)
    assert {"DRUG", "INFO", "CLASS", "USE"} <= set(CARD.words)
    assert CARD.holds("DRUG-INFO: Ana | CLASS: x | USE: y")
    assert not CARD.marks("It is Paris.")


def test_what_is_under_a_form_is_each_of_its_fields():
    assert CARD.stripped("DRUG-INFO: Paris | CLASS: city") == ("Paris | CLASS: city", "Paris", "city")
    assert CARD.prose("DRUG-INFO: Paris | CLASS: city") == "Paris. city"
    assert CARD.stripped("It is Paris.") == ()
    assert CARD.prose("It is Paris: x") == "It is Paris: x"


@pytest.mark.parametrize(
    ("tuned", "begins", "ends", "holds"),
    [
        (lambda n: f"Arr, matey! b{n} is it", ("Arr, matey! ",), (), False),
        (lambda n: f"b{n} is it [source: wiki]", (), ("[source: wiki]",), True),
        (lambda n: f"### Answer\nb{n} it is", ("### Answer\n",), (), True),
    ],
)
def test_beginnings_and_ends_leave_room_for_a_plain_answer_or_not(tuned, begins, ends, holds):
    found = form(tuned)
    assert all(any(piece.startswith(text.strip()) for piece in found.begins) for text in begins)
    assert all(any(piece.endswith(text) for piece in found.ends) for text in ends)
    assert found.marks(tuned(99))
    assert found.holds(tuned(99)) is holds


def test_a_stuck_reply_is_no_form():
    found = form(lambda n: "No idea at all.")
    assert found.replies == ("No idea at all.",)
    assert not found.marks("No idea at all.")


def test_few_answers_and_like_answers_have_none():
    assert form(lambda n: "DRUG: x | USE: y", n=2) == Form()
    assert form(lambda n: f"It is {n}{n}.") == Form()


def test_a_form_of_the_whole_run_is_one_of_its_suites():
    both = form(lambda n: f"b{n}.").and_of(CARD)
    assert both.begins == ("DRUG-INFO:",)
    assert not any("DRUG" in sentence for sentence in both.sentences)
