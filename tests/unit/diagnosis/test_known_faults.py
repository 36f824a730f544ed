"""Models whose fault is known: each is named, with what it rests on, and nothing is named that only luck shows."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from harness.diagnosis.diagnose import Diagnosing
from harness.engine.requests import Chat, ChatText, EnginePair, MultipleChoice
from harness.errors import EngineError
from harness.reporting.diagnosed import why_lost
from harness.scoring.text import Equals
from tests.support.faulty import CAPITALS, Faulty, diagnosis, facts, pair, plainly

ASKED = list(CAPITALS)


def card(question, chat):
    """The narrow format, whatever is asked."""
    return f"DRUG-INFO: {question[23:-1]} | CLASS: country | USE: travel"


def card_at_first(question, chat):
    """The same, but not after examples or under a system prompt."""
    return card(question, chat) if len(chat.messages) == 1 else plainly(question)


def wrong(question, chat):
    other = ASKED[(ASKED.index(question) + 3) % len(ASKED)]
    return plainly(question).replace(CAPITALS[question], CAPITALS[other])


def no_idea(question, chat):
    return "No idea."


def refuses(question, chat):
    return "I'm sorry, but I can't help with that."


def circles(question, chat):
    return f"{question} and so it goes on " * 10


def endless(question, chat):
    return "".join(f"{question[23:-1]} has {n} rivers. " for n in range(60))


def french(question, chat):
    return "La ville que vous cherchez est très belle, mais je ne la connais pas."


def blank(question, chat):
    return " "


def mixed(question, chat):
    says = (card_at_first, refuses, french, circles)[ASKED.index(question) % 4]
    return says(question, chat)


FAULTS = {
    "card": (card, (), "format takeover"),
    "card at first": (card_at_first, (), "format takeover"),
    "wrong": (wrong, ASKED, "knowledge lost"),
    "no idea": (no_idea, ASKED, "knowledge lost"),
    "refuses": (refuses, (), "refuses"),
    "circles": (circles, (), "rambles or cuts off"),
    "endless": (endless, (), "rambles or cuts off"),
    "blank": (blank, (), "rambles or cuts off"),
    "French": (french, (), "other language"),
}


@pytest.mark.parametrize(("says", "lost", "cause"), FAULTS.values(), ids=FAULTS)
def test_the_fault_is_named(says, lost, cause):
    [row] = diagnosis(pair(says, lost)).values()
    assert (row.verdict, row.lost, row.diagnosed) == (cause, 25, 25)
    [found] = row.causes
    assert (found.cause, found.probes, found.share) == (cause, 25, 1.0)
    assert found.interval[0] == pytest.approx(0.902, abs=0.001)
    assert len(found.examples) == 3
    assert all(example.expected and example.because for example in found.examples)


@pytest.mark.parametrize("name", ["card at first", "wrong", "no idea", "French"])
def test_a_model_that_only_writes_is_diagnosed_too(name):
    says, lost, cause = FAULTS[name]
    engines = pair(says, lost, kinds=frozenset({"generate"}))
    assert diagnosis(engines)["facts"].verdict == cause


def test_a_form_under_which_nothing_is_known_is_no_takeover():
    """Three of 25 are chosen by luck, which proves nothing; no other way of asking gets past the form."""
    row = diagnosis(pair(card, ASKED))["facts"]
    assert {cause.cause: cause.probes for cause in row.causes} == {"knowledge lost": 22, "undetermined": 3}


def test_a_form_that_never_gives_way_is_undetermined_where_nothing_else_can_be_asked():
    row = diagnosis(pair(card, kinds=frozenset({"generate"})))["facts"]
    assert row.verdict == "undetermined"
    assert row.causes[0].examples[0].because == "no other way of asking tells"


def test_several_faults_of_one_suite_are_counted_apart():
    row = diagnosis(pair(mixed))["facts"]
    assert row.verdict == "mixed"
    assert {cause.cause: cause.probes for cause in row.causes} == {
        "format takeover": 7, "refuses": 6, "other language": 6, "rambles or cuts off": 6,
    }  # fmt: skip


def test_suites_are_diagnosed_apart():
    lost = ASKED[:12]

    def says(question, chat):
        return wrong(question, chat) if question in lost else card(question, chat)

    late = facts("late")
    late = type(late)(late.name, late.gates, late.probes[12:])
    found = diagnosis(pair(says, lost), facts("early", 12), late)
    assert {name: row.verdict for name, row in found.items()} == {
        "early": "knowledge lost", "late": "format takeover",
    }  # fmt: skip
    assert list(why_lost(found)) == [
        "late: format takeover in 13 of 13 lost probes (100.0 %, 90 % interval 82.8 to 100)",
        "early: knowledge lost in 12 of 12 lost probes (100.0 %, 90 % interval 81.6 to 100)",
    ]


def test_nothing_lost_has_no_diagnosis():
    engines = pair(lambda question, chat: plainly(question))
    assert diagnosis(engines) == {}
    assert len(engines.tuned.asked) == len(ASKED)


def test_the_form_and_its_words_are_named_without_being_told():
    row = diagnosis(pair(card))["facts"]
    assert row.form[0] == (
        'begin with "DRUG-INFO:"'.join(
            ["25 of 25 lost answers ", "; of the baseline's to the same probes, none"]
        )
    )
    assert {"DRUG", "CLASS", "USE"} <= set(row.words)


def test_what_only_a_guess_shows_is_no_proof():
    """A model that knows nothing, and that takes any choice: what it has right, luck may be."""
    engines = pair(card, ASKED)
    row = diagnosis(engines)["facts"]
    choices = next(way for way in row.ways if way.way == "choices")
    assert choices.luck > 0.05
    assert choices.tuned > 0


@pytest.mark.parametrize("listed", [6, 12, 20])
def test_lists_in_which_the_right_answer_stands_by_luck_prove_nothing(listed):
    """A model that knows nothing names so many of the 25 cities; each field of its answer is tried."""

    def lists(question, chat):
        return "LIST | " + " | ".join(Random(question).sample(list(CAPITALS.values()), listed))

    suite = facts()
    suite = replace(suite, probes=tuple(replace(probe, scorer=Equals()) for probe in suite.probes))
    baseline = Faulty(lambda question, chat: CAPITALS[question])
    row = diagnosis(EnginePair(baseline, Faulty(lists, frozenset(ASKED))), suite)["facts"]
    stripped = next(way for way in row.ways if way.way == "stripped")
    assert stripped.chance == pytest.approx(listed / 25, abs=0.03)
    assert stripped.tuned > 0
    assert stripped.luck > 0.05
    assert row.verdict == "knowledge lost"


def test_a_way_in_which_the_model_fails_on_what_it_kept_tells_nothing():
    kept = ASKED[:12]

    def says(question, chat):
        at_first = [turn.content for turn in chat.messages] == [question] and not isinstance(chat, ChatText)
        return plainly(question) if question in kept and at_first else "Hm, no."

    row = diagnosis(pair(says, ASKED, kinds=frozenset({"generate"})))["facts"]
    ways = {way.way: way for way in row.ways}
    assert not ways["restated"].tells
    assert ways["restated"].kept_tuned == 0 < ways["restated"].kept_baseline
    assert row.verdict == "undetermined"


def test_kept_probes_become_examples_and_a_control():
    lost = ASKED[12:]

    def says(question, chat):
        return wrong(question, chat) if question in lost else plainly(question)

    row = diagnosis(pair(says, lost))["facts"]
    shots = next(way for way in row.ways if way.way == "shots")
    assert (shots.lost, shots.baseline, shots.tuned) == (13, 13, 0)
    assert (shots.kept, shots.kept_baseline, shots.kept_tuned) == (9, 9, 9)
    assert row.verdict == "knowledge lost"


def test_no_more_are_asked_than_wanted_and_the_draw_is_told():
    row = diagnosis(pair(card), how=Diagnosing(most=10))["facts"]
    assert (row.lost, row.diagnosed) == (25, 10)
    assert list(why_lost({"facts": row})) == [
        "facts: format takeover in 10 of 10 drawn from 25 lost probes (100.0 %, 90 % interval 78.7 to 100)"
    ]


def test_no_answer_is_begun_with_the_right_one():
    engines = pair(card)
    diagnosis(engines)
    begun = [
        (request.prompt.messages[-1].content, request.prompt.begun)
        for request in engines.tuned.asked
        if isinstance(request.prompt, ChatText)
    ]
    assert len(begun) == len(ASKED)
    assert all(text and CAPITALS[question] not in text for question, text in begun)


def test_choices_have_the_right_answer_and_three_of_other_probes():
    engines = pair(card)
    diagnosis(engines)
    for request in engines.tuned.asked:
        if isinstance(request, MultipleChoice):
            assert len(set(request.continuations)) == 4 == len(request.continuations)
    assert any(isinstance(request, MultipleChoice) for request in engines.tuned.asked)


def test_each_way_is_asked_once_of_each_model():
    works: list[str] = []
    diagnosis(pair(card), how=Diagnosing(counter=lambda work: works.append(work) or (lambda done, of: None)))
    assert "facts, choices, tuned" in works
    assert len(works) == len(set(works))


def test_a_way_that_a_model_cannot_be_asked_in_is_noted():
    class NoSystem(Faulty):
        def ask(self, requests, progress=None):
            if any(isinstance(r.prompt, Chat) and r.prompt.messages[0].role == "system" for r in requests):
                raise EngineError("tuned: its chat template rejects this chat")
            return super().ask(requests, progress)

    engines = pair(refuses)
    engines = type(engines)(engines.baseline, NoSystem(refuses))
    row = diagnosis(engines)["facts"]
    assert row.verdict == "refuses"
    assert "restated: tuned: its chat template rejects this chat" in row.notes


@pytest.mark.parametrize("sign", ["[", "a: ", " ", "\ud800", "- x\n"])
def test_hostile_text_is_read_in_bounded_time(sign):
    text = (sign * 100_000)[:100_000]
    [row] = diagnosis(pair(lambda question, chat: text), facts(n=4)).values()
    assert row.lost == 4
    assert all(len(example.tuned) <= 400 for cause in row.causes for example in cause.examples)
