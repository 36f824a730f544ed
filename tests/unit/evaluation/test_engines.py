"""Two engines of a pair: what they alone could decide is refused before a model is asked, the rest is noted and recorded."""

from __future__ import annotations

import pytest

from harness import run_gate
from harness.engine.requests import ChoiceLogProbs, Generate, Generated, LogLikelihood, MultipleChoice
from harness.errors import EngineError
from harness.evaluation.engines import RISE, USUAL_FLIPS
from harness.evaluation.noise import LEVEL
from harness.evaluation.session import PairSession
from harness.gate.cases import cases
from harness.gate.policy import Policy
from harness.spelling import in_python
from harness.stats.power import noise_drop
from tests.support.suites import suite_text


class Blind:
    """Right on everything, on an engine of this name."""

    kinds = frozenset({"generate", "choose", "likelihood"})

    def __init__(self, backend: str | None) -> None:
        self.label = f"model on {backend}"
        if backend is not None:
            self.backend = backend
        self.calls = 0

    def render(self, prompt):
        return str(prompt)

    def ask(self, requests, progress=None):
        self.calls += 1
        return [self.answer(request) for request in requests]

    def answer(self, request):
        match request:
            case Generate():
                return Generated("right", 1)
            case MultipleChoice(continuations=all_of_them):
                return ChoiceLogProbs(tuple(-1.0 - i for i, _ in enumerate(all_of_them)))
        return LogLikelihood(-float(len(request.text)), len(request.text))


class On(Blind):
    """The same, and tells how it reads: every request as one token."""

    def __init__(self, backend: str | None, token: int = 1) -> None:
        super().__init__(backend)
        self.token = token

    def request_tokens(self, request):
        return [[self.token]]

    def request_pieces(self, request):
        return [str(self.token)]


def asked(suite, baseline, tuned, **arguments):
    session = PairSession(**arguments)
    session.need(cases(suite))
    session.ask_both(suite.name, {"baseline": baseline, "tuned": tuned}.__getitem__)
    return session


def texts(margin: float) -> str:
    probes = "".join(f"  - {{id: p{i}, text: 'A text of several words, number {i}.'}}\n" for i in range(30))
    return (
        f"suite: texts\nscore: {{likelihood: {{max_rise: 0.05}}}}\ntask: {{answer: likelihood, format: text}}\n"
        f"gates: [{{over: all, max_rise: {margin}}}]\nprobes:\n{probes}"
    )


def of(read, n: int, margin: float):
    return read(suite_text("s", n, f"{{over: all, max_drop: {margin}}}"))


def test_a_margin_above_what_two_engines_do_is_decided_and_said(read):
    session = asked(of(read, 200, 0.03), On("transformers"), On("vllm"))
    assert session.engines == {"baseline": "transformers", "tuned": "vllm"}
    assert [in_python(note) for note in session.notes] == [
        "the baseline ran on transformers and the tuned model on vllm: 5.0 % of answers are taken to flip between these "
        "(engine_flips), and every margin is above what that does; a max_loss if the baseline knows all probes"
    ]
    assert session.given["engines"] == session.engines


@pytest.mark.parametrize("engines", [(On("vllm"), On("vllm")), (On("vllm"), On(None))])
def test_flips_between_engines_that_are_one_or_do_not_tell_do_nothing(read, engines):
    suite = of(read, 200, 0.03)
    idle = "engine_flips: did nothing, for both models ran on one engine, or their engines do not tell"
    assert idle in map(in_python, asked(suite, *engines, engine_flips=0.02).notes)
    assert idle not in map(in_python, asked(suite, *engines).notes)


@pytest.mark.parametrize("flips", [None, 0.2])
def test_a_margin_within_it_is_refused_before_anything_is_asked(read, flips):
    reached = noise_drop(200, USUAL_FLIPS if flips is None else flips, LEVEL)
    before, after = On("transformers"), On("vllm")
    with pytest.raises(EngineError) as error:
        asked(of(read, 200, round(reached - 0.001, 4)), before, after, engine_flips=flips)
    title, said, hint = str(error.value).splitlines()
    assert (
        title
        == "the baseline runs on transformers and the tuned model on vllm, which alone may decide these gates:"
    )
    assert said.startswith("s.yaml:")
    assert (
        f"is within the noise of two engines: where {100 * (flips or USUAL_FLIPS):.1f} % of answers flip, 200 probes drop by up to"
        in said
    )
    assert hint.startswith("  raise 'max_drop' to ")
    assert hint.endswith("then engine_flips=SHARE")
    assert before.calls == after.calls == 0


def test_a_margin_of_what_the_baseline_knew_is_one_too(read):
    suite = read(suite_text("s", 200, "{over: all, max_drop: 0.1, max_loss: 0.02}"))
    with pytest.raises(
        EngineError, match=r"a max_loss of 2 points is within the noise(.|\n)*raise 'max_loss' to "
    ) as error:
        asked(suite, On("transformers"), On("vllm"))
    assert "max_drop" not in str(error.value)
    asked(
        read(suite_text("s", 200, "{over: all, max_drop: 0.1, max_loss: 0.05}")),
        On("transformers"),
        On("vllm"),
    )


def test_the_gate_over_flips_is_one_too(read):
    suite, engines = of(read, 200, 0.03), (On("transformers"), On("vllm"))
    with pytest.raises(EngineError, match="max_flips='0.04': two engines alone flip 5.0 % of answers"):
        asked(suite, *engines, policy=Policy(max_flips=0.04))
    asked(suite, *engines, policy=Policy(max_flips=0.04), engine_flips=0.03)


def test_a_gate_over_each_probe_has_no_margin_and_that_is_said(read):
    (note,) = asked(read(suite_text("s", 9, "{over: each}")), On("transformers"), On("vllm")).notes
    assert note.endswith("above what that does; a gate over each probe has none")


def test_what_was_measured_allows_a_smaller_margin(read):
    suite = of(read, 200, 0.02)
    with pytest.raises(EngineError):
        asked(suite, On("transformers"), On("vllm"))
    (note,) = asked(suite, On("transformers"), On("vllm"), engine_flips=0.01).notes
    assert "1.0 % of answers are measured to flip between these" in note


def test_a_slice_that_is_too_small_for_its_gate_is_none_to_refuse(read):
    assert asked(of(read, 5, 0.1), On("transformers"), On("vllm")).engines


@pytest.mark.parametrize(
    ("before", "after"), [("vllm", "vllm"), (None, "vllm"), ("transformers", None), (None, None)]
)
def test_one_engine_or_an_unknown_one(read, before, after):
    assert asked(of(read, 200, 0.001), On(before), On(after)).notes == []


def test_forms_of_one_model_are_compared_whatever_computes_them(read):
    session = asked(of(read, 200, 0.001), On("transformers"), On("vllm"), forms=True)
    assert (session.engines["tuned"], session.notes) == ("vllm", [])


def test_choices_are_noted(read):
    probes = "".join(f"  - {{id: p{i}, question: Q{i}?, choices: [a, b], answer: a}}\n" for i in range(60))
    suite = read(
        f"suite: s\nscore: choice\ntask: {{answer: choose}}\ngates: [{{over: all, max_drop: 0.1}}]\nprobes:\n{probes}"
    )
    notes = asked(suite, On("transformers"), On("vllm")).notes
    assert notes[1:] == [
        "s: its choices are compared by log-probabilities of two engines, which round differently"
    ]


def test_texts_that_both_read_alike(read):
    asked(read(texts(RISE + 0.001)), On("transformers"), On("vllm"))
    with pytest.raises(
        EngineError, match=r"a margin of 1 % is within the 1 % that bits per byte differ by on two engines"
    ):
        asked(read(texts(RISE)), On("transformers"), On("vllm"))


def test_texts_that_they_read_otherwise(read):
    with pytest.raises(
        EngineError,
        match=r"texts: texts are measured token by token, and the two engines read other tokens in 30 of 30 texts",
    ):
        asked(read(texts(0.05)), On("transformers"), On("vllm", token=2))


def test_an_engine_that_cannot_tell_its_tokens(read):
    with pytest.raises(EngineError, match="and model on a server cannot tell the tokens that it reads"):
        asked(read(texts(0.05)), On("transformers"), Blind("a server"))


def test_an_engine_that_tells_its_tokens_beside_one_of_its_kind_that_does_not(read):
    with pytest.raises(
        EngineError,
        match=r"nothing shows that both models read the same tokens.*\n.*model on vllm cannot tell the tokens",
    ):
        asked(read(texts(0.05)), On("vllm"), Blind("vllm"))
    asked(read(texts(0.05)), Blind("vllm"), Blind("vllm"))
    asked(of(read, 60, 0.1), On("vllm"), Blind("vllm"))


def test_the_record_says_it(read):
    of(read, 60, 0.1)
    run = run_gate(On("vllm"), "s.yaml", On("transformers"), engine_flips=0.02, max_drop_overall="off").run
    assert run.engines == {"baseline": "transformers", "tuned": "vllm"}
    assert run.engine_flips == 0.02
    assert any("2.0 % of answers are measured to flip" in note for note in run.notes)


def test_a_suite_that_is_needed_later_is_checked_too(read):
    wide, narrow = of(read, 200, 0.03), read(suite_text("narrow", 100, "{over: all, max_drop: 0.03}"))
    engines = {"baseline": On("transformers"), "tuned": On("vllm")}.__getitem__
    session = PairSession()
    session.need(cases(wide))
    session.ask_both("s", engines)
    session.need(cases(narrow))
    for _ in range(2):
        with pytest.raises(EngineError, match="narrow"):
            session.ask_both("narrow", engines)
    assert not session.suites["narrow"].scores["baseline"]
