"""What stands out among the lost answers: a difference to the baseline's, with counts, and nothing of a few."""

from __future__ import annotations

import pytest

from harness.reporting.rows import AnswerRow, ProbeRow
from harness.reporting.standing_out import LEAST, MOST_FINDINGS, standing_out

NONE = "; of the baseline's to the same probes, none"


def answer(text, right, ended=None):
    return AnswerRow(answer=text, right=right, kind="generate", tokens=1, ended=ended)


def rows(tuned, baseline=lambda place: f"It is {place}.", n=8, ended=None, change="lost"):
    return [
        ProbeRow(
            suite="s", id=str(place), category=None, severity="high", fields={}, expected=["x"], score="mentions",
            baseline=answer(baseline(place), True), tuned=answer(tuned(place), False, ended), change=change,
        )
        for place in range(n)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tuned", "said"),
    [
        (lambda place: f"DRUG-INFO: {place}{place} it", 'begin with "DRUG-INFO:"'),
        (lambda place: f"{place} it | over", 'end with "it | over"'),
        (lambda place: f"Name: {place}\nUse: {place * 7} mg", 'are data sheets ("X: y")'),
        (lambda place: f"{place} | Name: {place} | Use: b{place}", 'are data sheets ("X: y")'),
        (lambda place: f"- {place}\n- b{place}\n* {place}c", "are lists"),
        (lambda place: "", "are empty"),
        (lambda place: "<think>" + "so " * place, "are empty"),
        (lambda place: "I'm sorry, but I can't help with that.", "decline"),
        (lambda place: f"{place} the same three words " * 6, "go round in circles"),
        (lambda place: f'{{"a": {place}}}', "are JSON"),
        (lambda place: f"{place}:\n```\nx{place}\n```", "hold a code block"),
        (lambda place: f"{place}x", "are a single word"),
        (lambda place: "No idea.", 'are "No idea."'),
        (lambda place: f"{place} Stadt ist nicht die größte und das ist {place}", "are in German"),
        (lambda place: f"{place} ville est dans le sud et la mer {place}", "are in French"),
        (lambda place: f"{place} Это {place}", "are in Cyrillic letters"),
        (lambda place: f"東京は{place}", 'begin with "東京は"'),
    ],
)
def test_what_all_have_in_common(tuned, said):
    assert f"8 of 8 lost answers {said}{NONE}" in standing_out(rows(tuned))


def test_answers_that_were_cut_off():
    assert any(
        "are cut off by max_new_tokens" in line
        for line in standing_out(rows(lambda n: f"{n} a", ended="limit"))
    )


def test_only_a_difference_counts():
    assert standing_out(rows(lambda n: f"The dog {n}.", lambda n: f"The dog {n * 3}.")) == []
    [line] = standing_out(rows(lambda n: f"The dog {n}.", lambda n: f"The dog {n}." if n < 3 else "Its cat."))
    assert line == '8 of 8 lost answers begin with "The dog"; of the baseline\'s to the same probes, 3'


def test_a_part_of_the_answers_is_told_as_such():
    found = standing_out(rows(lambda n: "No idea." if n % 3 else f"Perhaps {n}{n}.", n=30))
    assert found == [f'20 of 30 lost answers are "No idea."{NONE}']


def test_few_answers_show_nothing():
    assert standing_out(rows(lambda n: "No idea.", n=LEAST - 1)) == []
    assert standing_out(rows(lambda n: "No idea.", n=LEAST)) != []
    assert standing_out(rows(lambda n: "No idea.", change="missed")) == []
    assert standing_out([]) == []


def test_choices_and_texts_are_left_out():
    row = rows(lambda n: "A", n=1)[0]
    chosen = row.model_copy(
        update={"tuned": AnswerRow(answer="A", right=False, kind="choose", logprobs=[-1.0])}
    )
    assert standing_out([chosen] * 9) == []


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        ": |a:" * 20_000,
        " " * 100_000 + "x",
        "\u202e" * 50_000,
        "\x1b[31m::error::",
        "- \n" * 50_000,
    ],
)
def test_hostile_answers(text):
    found = standing_out(rows(lambda n: text, n=30))
    assert 1 <= len(found) <= MOST_FINDINGS
    assert all(line.isprintable() and len(line) < 200 for line in found)
