"""What makes a suite a weak gate: each weakness with its exact words and place, and what is not one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.authoring.lint_rules import only_forbids, weaknesses
from harness.authoring.lint_sizes import underpowered
from harness.scoring import SCORERS
from harness.scoring.check import Rule
from harness.suites.read import read_suite

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "suites").glob("*.y*ml"))


@pytest.fixture
def weak(read) -> Callable[..., str]:
    """The weaknesses of a suite: its probes from line 5, column 5, its gates in line 2, its score in line 3."""

    def told(*probes: str, score: str = "mentions", gates: str = "[{over: each}]", task: str = "{}") -> str:
        lines = "".join(f"  - {probe}\n" for probe in probes)
        suite = read(f"suite: s\ngates: {gates}\nscore: {score}\nprobes:\n{lines}task: {task}\n")
        return "\n".join(str(problem).removeprefix("s.yaml:") for problem in weaknesses(suite))

    return told


def probe(id: str, question: str, answer: str, more: str = "") -> str:
    return f"{{id: {id}, question: {question!r}, answer: {answer}{more}}}"


def given_away(id: str, answer: str, place: str) -> str:
    return (
        f"{place}: the probe '{id}' gives away its answer '{answer}' in its question\n"
        "  a model that repeats the question would be right; ask in other words"
    )


def many(n: int, category: str | None = None, start: int = 0) -> list[str]:
    more = f", category: {category}" if category else ""
    return [probe(f"p{i}", f"Word {i}?", f"x{i}x", more) for i in range(start, start + n)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_no_shipped_suite_is_weak(path):
    assert [str(problem) for problem in weaknesses(read_suite(path, SCORERS), with_battery=True)] == []


class TestAnswersGivenAway:
    @pytest.mark.parametrize("score", ["mentions", "contains"])
    def test_as_a_word(self, weak, score):
        assert weak(probe("a", "Is PARIS the capital?", "[Lyon, Paris]"), score=score) == given_away(
            "a", "Paris", "5:5"
        )

    def test_inside_a_word_under_contains_alone(self, weak):
        part = probe("a", "What is a heart?", "art")
        assert weak(part, score="contains") == given_away("a", "art", "5:5")
        assert weak(part) == ""

    def test_as_the_whole_question_under_equals(self, weak):
        assert weak(probe("a", "Is it red or blue?", "red"), score="equals") == ""
        assert weak(probe("a", "Red!", "red"), score="equals") == given_away("a", "red", "5:5")

    @pytest.mark.parametrize("score", ["regex", "json"])
    def test_not_under_other_scores(self, weak, score):
        assert weak(probe("a", "Is it 7?", "7"), score=score) == ""

    def test_not_in_a_text_to_read(self, weak):
        text = "The lamp stood on the table by the door. " * 4 + "It was green."
        task = "{prompt: '{passage} {question}'}"
        read_it = f"{{id: a, passage: '{text}', question: What colour was it?, answer: green}}"
        assert weak(read_it, task=task) == ""
        assert weak(read_it.replace("What colour was it?", "Was it green?"), task=task) == given_away(
            "a", "green", "5:5"
        )

    def test_not_among_the_choices(self, weak):
        chosen = "{id: a, question: Paris or Rome?, choices: [Paris, Rome], answer: Paris}"
        assert weak(chosen, score="choice", task="{answer: choose}") == ""


class TestAskedTwice:
    def test_word_for_word(self, weak):
        twice = weak(probe("a", "Who wrote Hamlet?", "Shakespeare"), probe("b", "who wrote  Hamlet", "Bacon"))
        assert twice == (
            "6:5: the probe 'b' asks word for word what 'a' asks\n"
            "  both are kept or lost together, so they count as one; change or remove one of them"
        )

    def test_in_nearly_the_same_words(self, weak):
        twice = weak(
            probe("a", "What is the name of the longest river in South America?", "Amazon"),
            probe("b", "Which is the longest river in South America?", "[the Amazon, amazon]"),
        )
        assert twice.startswith("6:5: the probe 'b' asks in nearly the same words what 'a' asks\n")


class TestShortAnswers:
    @pytest.mark.parametrize("answer", ["x", "X", "[yes, 7]"])
    def test_one_letter_under_contains(self, weak, answer):
        letter = "7" if "7" in answer else answer
        assert weak(probe("a", "Who?", answer), score="contains") == (
            f"5:5: the probe 'a' looks for the one letter '{letter}' under 'contains', which finds it inside longer "
            "words and numbers\n"
            "  score it with 'mentions' (whole words) or 'equals'"
        )

    @pytest.mark.parametrize("score", ["mentions", "contains"])
    @pytest.mark.parametrize("answer", ["no", "May", "[surely, yes]"])
    def test_an_everyday_word(self, weak, score, answer):
        word = "yes" if "yes" in answer else answer
        assert weak(probe("a", "Is it?", answer), score=score) == (
            f"5:5: the probe 'a' looks for '{word}' anywhere, which is a word of most replies\n"
            "  name the options, as in 'mentions: {among: [yes, no]}', score it with 'equals', or ask so that the answer is "
            "longer"
        )

    def test_not_elsewhere(self, weak):
        assert weak(probe("a", "Is it?", "no"), score="{mentions: {among: [yes, no]}}") == ""
        assert weak(probe("a", "Is it?", "no"), score="equals") == ""
        assert weak(probe("a", "Who?", "x")) == ""
        assert weak(probe("a", "Who?", "水"), score="contains") == ""
        assert weak(probe("a", "Who?", "xy"), score="contains") == ""


class TestChecks:
    def test_one_that_only_forbids_is_said_once(self, weak):
        found = weak(
            "{id: a, question: Write.}", "{id: b, question: Sing.}", score="{check: {max_words: 5, not: {contains: x}}}"
        )  # fmt: skip
        assert found == (
            "5:5: the check of the probe 'a' only forbids (and 1 more under the same check): an answer of one wrong "
            "word passes it\n  ask for something as well, such as 'min_words' or 'mentions'"
        )

    @pytest.mark.parametrize(
        ("rule", "forbids"),
        [
            ({"max_words": 3}, True),
            ({"not": {"contains": "x"}}, True),
            ({"no_repetition": True, "max_lines": 2}, True),
            ({"all": [{"max_words": 3}, {"not": {"regex": "x"}}]}, True),
            ({"any": [{"max_words": 3}, {"mentions": "x"}]}, True),
            ({"max_words": 3, "mentions": "x"}, False),
            ({"all": [{"max_words": 3}, {"min_words": 1}]}, False),
            ({"any": [{"min_words": 3}, {"mentions": "x"}]}, False),
            ({"max_words": 3, "any": [{"max_words": 2}, {"lowercase": True}]}, True),
        ],
    )
    def test_which_rules_only_forbid(self, rule, forbids):
        listed = {key: [value] if key in ("contains", "mentions") else value for key, value in rule.items()}
        assert only_forbids(Rule.model_validate(listed)) is forbids


class TestGates:
    def test_a_margin_of_everything(self, weak):
        assert weak(*many(40), gates="[{over: all, max_drop: 1, max_loss: 1}]") == (
            "2:9: a gate with 'max_drop: 1' and 'max_loss: 1' detects no loss: losing every answer is within the margins\n"
            "  its verdict is always VACUOUS; choose a smaller margin"
        )
        assert weak(*many(40), gates="[{over: all, max_drop: 1}]") == ""  # 'max_loss' has a default

    def test_probes_without_a_category(self, weak):
        probes = [*many(40, "c"), *many(5, start=40)]
        assert weak(*probes, gates="[{over: category, max_drop: 0.2}]") == (
            "2:9: this gate leaves out 5 probes without a category: 'p40', 'p41', 'p42' and 2 more\n"
            "  give each probe a category"
        )

    def test_small_slices(self, weak):
        probes = [*many(40, "c"), *many(1, "d", 40), *many(18, "e", 41)]
        gates = "[{over: all, max_drop: 0.2}, {over: category, max_drop: 0.2}]"
        assert weak(*probes, gates=gates) == (
            "2:37: not gated: 'd' (1 probe, a margin of 20 points needs 11); it counts in its suite\n"
            "  add probes, or choose a larger margin\n"
            "2:37: too few probes: 'e' (18 probes); this can detect a drop only from about 30 points on\n"
            "  30 probes detect 20 points at best; 'plan' shows what each gate catches"
        )

    @pytest.mark.parametrize("more", ["", ", on_inconclusive: pass", ", on_inconclusive: fail"])
    def test_a_suite_in_which_nothing_can_decide(self, weak, more):
        assert weak(*many(40), gates=f"[{{over: all, max_drop: 0.05{more}}}]") == (
            "2:9: no gate of this suite can decide anything: not gated: all (40 probes, a margin of 5 points needs 52)\n"
            "  a run of this suite alone exits with 5; add probes, or choose a larger margin"
        )

    def test_max_loss_may_take_more_probes(self, weak):
        assert "all (20 probes, a loss of at most 5 % needs 52)" in weak(
            *many(20), gates="[{over: all, max_drop: 0.2, max_loss: 0.05}]"
        )

    def test_a_gate_that_cannot_fail(self, weak):
        assert weak(*many(30), gates="[{over: all, max_drop: 0.95, max_loss: 1, on_inconclusive: pass}]") == (
            "2:9: this gate can never fail over all (30 probes): even the loss of every answer is inconclusive, "
            "which passes\n  add probes, or remove 'on_inconclusive: pass'"
        )

    def test_a_gate_without_a_margin(self, weak):
        assert weak(*many(40), gates="[{over: all, max_drop: 0}]") == (
            "2:9: a gate with 'max_drop: 0' is never RETAINED: no number of probes shows that nothing at all was lost\n"
            "  choose a margin"
        )

    @pytest.mark.parametrize(("how", "often"), [("observed", "8.0"), ("fail", "63.1")])
    def test_a_rule_that_fails_by_chance(self, weak, how, often):
        gates = f"[{{over: all, max_drop: 0.04, on_inconclusive: {how}}}]"
        assert weak(*many(66), gates=gates) == (
            f"2:9: under 'on_inconclusive: {how}' this gate fails a model that lost nothing, at 5 % flips, in up to {often} % of "
            "runs: all (66 probes)\n  add probes, choose a larger margin, or leave the rule at 'confirmed'"
        )

    def test_few_templates(self, weak):
        probes = [text.replace("{id", f"{{cluster: t{i % 4}, id") for i, text in enumerate(many(80))]
        assert weak(*probes, gates="[{over: all, max_drop: 0.1}]") == (
            "2:9: few templates: all (80 probes in 4 clusters); probes of one tend to be lost together, so these say little of "
            "others\n  write at least 10 templates or passages"
        )

    def test_few_texts(self, weak):
        texts = [f"{{id: p{i}, text: Word {i}.}}" for i in range(5)]
        found = weak(
            *texts,
            gates="[{over: all, max_rise: 0.01}]",
            task="{format: text, answer: likelihood}",
            score="likelihood",
        )
        assert found == (
            "2:9: too few texts: all (5 texts); without a loss, the margin of 1 % is RETAINED in less than 80 % of runs, if log "
            "ratios have a standard deviation of 0.02\n  add texts, or choose a larger margin"
        )

    def test_a_gate_over_each_is_no_matter_of_size(self, weak):
        assert weak(*many(1)) == ""

    def test_which_sizes_are_underpowered(self):
        assert [n for n in range(1, 60) if underpowered(n)] == list(range(1, 19))
        assert not underpowered(5000)


def test_they_come_in_the_order_of_the_file(weak):
    found = weak(
        probe("a", "Is it b?", "b"),
        probe("b", "Is it c?", "c"),
        score="contains",
        gates="[{over: all, max_drop: 1}]",
    )
    assert [line.partition(": ")[0] for line in found.splitlines() if not line.startswith(" ")] == [
        "2:9", "5:5", "5:5", "6:5", "6:5",
    ]  # fmt: skip
