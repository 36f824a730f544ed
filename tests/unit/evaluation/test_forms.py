"""Two forms of one model: how alike their answers are, where texts part, and what in their prompts explains it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.engine.prompts import request
from harness.engine.requests import ChoiceLogProbs, Generated, LogLikelihood
from harness.evaluation.agreement import MOST, agreement, differences, differing
from harness.evaluation.form_prompts import prompt_cause
from harness.evaluation.forms import Form, compared
from harness.evaluation.suite_run import SuiteRun
from harness.scoring import SCORERS
from harness.scoring.score import score
from harness.suites.suite import MarginGate, Probe, Suite, Task


class Engine:
    """Answers what it is told; its tokens are characters, after a start token if it has one."""

    kinds = frozenset({"generate", "choose", "likelihood"})

    def __init__(self, label="first", answers=None, likelier=(), template="<{}>", starts=(1,), shift=0):
        self.label = label
        self.answers = answers or {}
        self.likelier = likelier
        self.template = template
        self.starts = list(starts)
        self.shift = shift

    def ask(self, requests, progress=None):
        return [self.answers.get(asked) or self._choice(asked) for asked in requests]

    def _choice(self, asked):
        return ChoiceLogProbs(tuple(-0.5 if text in self.likelier else -2.0 for text in asked.continuations))

    def render(self, prompt):
        return self.template.format(prompt.messages[-1].content)

    def tokens(self, prompt, choosing=False):
        return [*self.starts, *(ord(letter) + self.shift for letter in self.render(prompt))]

    def reading(self, prompt, choosing=False):
        return self.render(prompt)

    def request_tokens(self, request):
        ends = getattr(request, "continuations", [""])
        return [[*self.tokens(request.prompt), *map(ord, end)] for end in ends]

    def request_pieces(self, request):
        return [chr(token) for row in self.request_tokens(request) for token in row]


def asked(first, other, answer="generate", **task) -> SuiteRun:
    """The answers of two forms to a suite, whose right answer is `yes`."""
    more = (
        {"choices": ("yes", "no")}
        if answer == "choose"
        else {"text": "words"}
        if answer == "likelihood"
        else {}
    )
    scorer = SCORERS[{"generate": "mentions", "choose": "choice", "likelihood": "likelihood"}[answer]]()
    probes = tuple(
        Probe(f"p{i}", scorer, fields={"question": f"q{i}"}, answers=("yes",), **more)
        for i in range(len(first))
    )
    suite = Suite(
        "s",
        (MarginGate(over="all", max_drop=0.1),),
        probes,
        task=Task(prompt="{question}", answer=answer, **task),
    )
    run = SuiteRun(suite)
    run.need(probes, compared=True)
    for side, answers in (("baseline", first), ("tuned", other)):
        for probe, given in zip(probes, answers, strict=True):
            run.answers[side][probe.id] = given
            run.scores[side][probe.id] = score(probe, given, given)
    return run


def texts(*given):
    return [Generated(text, len(text)) for text in given]


def test_texts_are_counted_as_the_same_and_as_flips():
    run = asked(texts("yes", "yes!", "no", "yes"), texts("yes", "yes.", "yes", "no"))
    row = agreement(run, Engine())
    assert (row.probes, row.same, row.flips, row.nats) == (4, 1, 2, None)


def test_log_probabilities_differ_in_nats_a_token():
    first = [ChoiceLogProbs((-1.0, -4.0)), ChoiceLogProbs((-1.0, -4.0))]
    other = [ChoiceLogProbs((-1.3, -4.0)), ChoiceLogProbs((-5.0, -4.0))]
    row = agreement(asked(first, other, "choose"), Engine())
    assert (row.same, row.flips) == (1, 1)
    assert row.nats == pytest.approx((0.05, 4 / 3))  # "yes" has 3 tokens, "no" has 2
    measured = agreement(
        asked([LogLikelihood(-10.0, 5)], [LogLikelihood(-11.0, 5)], "likelihood", format="text"), Engine()
    )
    assert (measured.same, measured.flips, measured.nats) == (None, 1, (0.2, 0.2))


@pytest.mark.parametrize(
    ("first", "other", "place", "words"),
    [
        ("the cat sat", "the cow sat", 6, ("cat", "cow")),
        ("Paris", "Paris is it", 6, ("", "is")),
        ("Paris.", "Paris", 6, ("Paris.", "Paris")),
        ("a\nb", "a b", 2, ("b", "b")),
        ("", "b", 1, ("", "b")),
        ("x" * 100 + "a", "x" * 100 + "b", 101, ("x" * 40, "x" * 40)),
    ],
)
def test_texts_part_at_a_token_and_are_quoted_by_words(first, other, place, words):
    items = differing(asked(texts(first), texts(other)))
    [row] = differences("s", items, Engine(), Engine("other"))
    assert row.place == place
    assert row.unit == ("token" if first.strip() and other.strip() else "character")
    assert (row.first, row.other) == words


def test_each_form_tells_how_much_likelier_it_finds_its_own_words():
    items = differing(asked(texts("the cat sat"), texts("the cow sat")))
    [row] = differences("s", items, Engine(likelier=["the cat"]), Engine(likelier=["the cow"]))
    assert (row.first_gap, row.other_gap) == (1.5, 1.5)


@pytest.mark.parametrize("other", ["the cats", "the \ufffd"])
def test_words_that_cannot_be_compared_have_no_gap(other):
    [row] = differences("s", differing(asked(texts("the cat"), texts(other))), Engine(), Engine())
    assert (row.first_gap, row.other_gap) == (None, None)


def test_only_some_of_many_differences_are_looked_into():
    assert len(differing(asked(texts(*"a" * 50), texts(*"b" * 50)))) == MOST


def requests(run):
    return [request(run.suite, probe) for probe in run.suite.probes]


@pytest.mark.parametrize(
    ("other", "kind", "seen"),
    [
        ({}, None, ""),
        ({"starts": (1, 1)}, "start token", "other reads the start token 1 twice, in 2 of 2 rows of tokens"),
        (
            {"starts": ()},
            "start token",
            "first reads a start token (1) that other does not, in 2 of 2 rows of tokens",
        ),
        (
            {"template": "[{}]"},
            "template",
            "the chat templates differ: 2 of 2 prompts read otherwise, the first at character 1: "
            'first reads "<q0>" and other "[q0]"',
        ),
        ({"shift": 1}, "tokenizer", "in 2 of 2 requests they read the same prompt and divide it differently"),
    ],
)
def test_what_differs_in_prompts_is_found(other, kind, seen):
    run = asked(texts("yes", "yes"), texts("no", "no"))
    cause = prompt_cause(requests(run), Engine(), Engine("other", **other))
    assert (cause and cause.kind) == kind
    assert cause is None or seen in cause.seen


def test_a_start_token_twice_in_the_first_form_is_found_too():
    run = asked(texts("yes"), texts("no"))
    cause = prompt_cause(requests(run), Engine(starts=(1, 1)), Engine("other"))
    assert cause is not None
    assert cause.seen.startswith("first reads the start token 1 twice")


def test_nothing_is_explained_where_nothing_differs():
    run = asked(texts("yes"), texts("yes"))
    found = compared({"s": run}, Form("a", Engine()), Form("b", Engine(starts=(1, 1))), None)
    assert (found.same, found.compared, found.causes, found.differences) == (1, 1, [], [])
    run = asked(texts("yes"), texts("no"))
    found = compared({"s": run}, Form("a", Engine()), Form("b", Engine(starts=(1, 1))), None)
    assert [cause.kind for cause in found.causes] == ["start token"]
    assert sum(row.flips for row in found.suites.values()) == 1


def test_engines_in_other_floats_are_told():
    run = asked(texts("yes"), texts("no"))
    forms = [Form("a", Engine()), Form("b", Engine())]
    forms[0].engine.dtype, forms[1].engine.dtype = "float32", "bfloat16"
    found = compared({"s": run}, *forms, None)
    assert [cause.seen for cause in found.causes] == ["a was computed in float32 and b in bfloat16"]


def test_a_form_that_answers_as_the_adapters_base_is_told(tmp_path):
    from harness.models.reference import Adapter, Endpoint, FullModel

    run = asked(texts(*["yes"] * 5), texts(*["no"] * 5))
    base = Engine("base", answers=dict.fromkeys(requests(run), Generated("no", 2)))
    adapter = Adapter("a", tmp_path, FullModel("base", tmp_path))
    forms = [Form("a", Engine(), adapter), Form("served", Engine(), Endpoint("http", "x"))]
    assert compared({"s": run}, *forms, lambda model: base).causes[0].kind == "not applied"
    base.answers = dict.fromkeys(requests(run), Generated("maybe", 5))
    assert compared({"s": run}, *forms, lambda model: base).causes == []
    few = replace(run, suite=replace(run.suite, probes=run.suite.probes[:2]))
    base.answers = dict.fromkeys(requests(run), Generated("no", 2))
    assert compared({"s": few}, *forms, lambda model: base).causes == []


@pytest.mark.parametrize(
    ("number", "seen"),
    [(0, []), (1, ["file.gguf keeps its weights in F16"]), (7, ["file.gguf is quantised: Q8_0"])],
)
def test_a_gguf_file_is_quantised_only_if_it_is(tmp_path, number, seen):
    from gguf import GGUFWriter

    from harness.models.reference import Endpoint

    path = tmp_path / "file.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_file_type(number)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    run = asked(texts("yes"), texts("no"))
    other = Form("file.gguf", Engine(), Endpoint("gguf", str(path)))
    found = compared({"s": run}, Form("a", Engine()), other, None)
    assert [cause.seen for cause in found.causes] == seen


class Folding(Engine):
    """Reads letters whatever their case."""

    def request_tokens(self, request):
        return [[token | 32 for token in row] for row in super().request_tokens(request)]


def test_texts_that_a_tokenizer_reads_alike_part_at_a_character():
    items = differing(asked(texts("The Cat"), texts("The cat")))
    [row] = differences("s", items, Folding(), Folding("other"))
    assert (row.unit, row.place) == ("character", 5)
