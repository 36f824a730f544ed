"""What stands beside a right answer as a choice, and what an answer is begun with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.diagnosis.keys import key_of, with_choices
from harness.diagnosis.ways import as_choices, beginning, restated, shots_of
from harness.engine.requests import Generate, Plain
from harness.reporting.rows import AnswerRow, ProbeRow
from harness.scoring.number import Number
from harness.scoring.text import Mentions, Regex
from harness.suites.suite import Probe, Suite, Task
from tests.support.faulty import facts


def probe(id, *answers, category=None, scorer=None):
    return Probe(
        id=id, scorer=scorer or Mentions(), fields={"question": id}, answers=answers, category=category
    )


def suite(*probes):
    return Suite("s", (), probes)


def test_wrong_answers_come_from_probes_of_the_same_category_first():
    asked = suite(
        *(probe(str(n), f"near {n}", category="a") for n in range(4)),
        *(probe(f"b{n}", f"far {n}", category="b") for n in range(9)),
    )
    made = with_choices(asked, asked.probes, "first")
    assert all(each.choices.count(each.answers[0]) == 1 and len(each.choices) == 4 for each in made)
    assert set(made[0].choices) == {f"near {n}" for n in range(4)}
    assert {each.choices.index(each.answers[0]) for each in made} != {0}


def test_the_draw_is_seeded():
    asked = facts()
    first, again, other = (with_choices(asked, asked.probes, seed) for seed in ("a", "a", "b"))
    assert first == again != other


def test_a_suite_of_choices_is_not_asked_as_others():
    asked = facts()
    assert as_choices(asked, asked.probes, (), True, "a")
    chosen = replace(asked, task=replace(asked.task, answer="choose"))
    assert as_choices(chosen, chosen.probes, (), True, "a") is None


def test_no_choice_is_another_right_answer():
    asked = suite(probe("a", "Paris"), probe("b", "Paris, France"), probe("c", "paris"), probe("d", "Rome"))
    [first, *_] = with_choices(asked, asked.probes, "a")
    assert set(first.choices) == {"Paris", "Rome"}


@pytest.mark.parametrize(
    ("scorer", "answers", "key"),
    [
        (Mentions(), ("Paris", "Lutetia"), "Paris"),
        (Number(), ("42",), "42"),
        (Regex(), ("^P.*s$",), None),
        (Mentions(), (), None),
        (Mentions(), ("x" * 500,), None),
    ],
)
def test_a_key_is_a_right_answer_as_a_text(scorer, answers, key):
    assert key_of(probe("a", *answers, scorer=scorer)) == key


@pytest.mark.parametrize(
    ("answer", "begun"),
    [
        ("The capital of France is Paris.", "The capital of France is"),
        ("Paris is the capital.", ""),
        ("It's **Paris**.", "It's"),
        ("As a matter of fact, many people say that it is Paris.", "As a matter of fact, many"),
        ("Of course", ""),
        ("", ""),
    ],
)
def test_an_answer_is_begun_before_the_right_one(answer, begun):
    assert beginning(probe("a", "Paris"), answer) == begun


def test_in_text_the_plain_request_stands_before_the_prompt():
    asked = replace(facts(n=1), task=Task(format="text", prompt="Q: {question}\nA:"))
    [request] = restated(asked, asked.probes).requests.values()
    assert isinstance(request, Generate)
    assert request.prompt == Plain(
        "Answer directly and briefly, in the form that is asked for, and add nothing else.\n\n"
        "Q: What is the capital of France?\nA:"
    )


def test_examples_are_short_and_do_not_give_the_answer():
    def row(id, expected, answer):
        return ProbeRow(
            suite="facts", id=id, category=None, severity="high", fields={"question": f"{id}?"}, expected=[expected],
            score="mentions", baseline=AnswerRow(answer=answer, right=True), tuned=AnswerRow(answer=answer, right=True),
            change="kept",
        )  # fmt: skip

    asked = facts(n=2)
    kept = [
        row("a", "Paris", "Paris."),
        row("b", "Minsk", "Minsk."),
        row("c", "Rome", "Rome."),
        row("d", "x", "y" * 2_000),
    ]
    shots = shots_of(asked, kept, asked.probes, seed=0)
    assert shots[0].answer == "Minsk."
    assert {shot.answer for shot in shots} == {"Paris.", "Minsk.", "Rome."}
    assert shots_of(asked, [], asked.probes, seed=0) == ()
