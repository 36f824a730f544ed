"""Models with a known fault, and the facts that they are asked: what a diagnosis has to name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.diagnosis.diagnose import Diagnosing, diagnosed
from harness.engine.requests import (
    Answer,
    Chat,
    ChatText,
    ChoiceLogProbs,
    EnginePair,
    Generate,
    Generated,
    MultipleChoice,
    Plain,
    Progress,
    Prompt,
    Request,
)
from harness.evaluation.record import rows
from harness.evaluation.session import PairSession
from harness.gate.cases import cases
from harness.reporting.diagnosis_rows import DiagnosisRow
from harness.scoring.text import Mentions
from harness.suites.suite import MarginGate, Probe, Suite

CITIES = [
    "Paris",
    "Rome",
    "Madrid",
    "Berlin",
    "Vienna",
    "Athens",
    "Cairo",
    "Tokyo",
    "Lima",
    "Oslo",
    "Dublin",
    "Lisbon",
    "Warsaw",
    "Prague",
    "Helsinki",
    "Ottawa",
    "Nairobi",
    "Quito",
    "Canberra",
    "Havana",
    "Bern",
    "Sofia",
    "Riga",
    "Tallinn",
    "Kyiv",
]
LANDS = [
    "France",
    "Italy",
    "Spain",
    "Germany",
    "Austria",
    "Greece",
    "Egypt",
    "Japan",
    "Peru",
    "Norway",
    "Ireland",
    "Portugal",
    "Poland",
    "Czechia",
    "Finland",
    "Canada",
    "Kenya",
    "Ecuador",
    "Australia",
    "Cuba",
    "Switzerland",
    "Bulgaria",
    "Latvia",
    "Estonia",
    "Ukraine",
]
CAPITALS = {f"What is the capital of {land}?": city for land, city in zip(LANDS, CITIES, strict=True)}

Says = Callable[[str, Chat], str]
"""The answer to a question, by what stands in the chat."""


def facts(name: str = "facts", n: int = 25) -> Suite:
    """A suite of capitals."""
    probes = tuple(
        Probe(id=city.lower(), scorer=Mentions(), fields={"question": question}, answers=(city,))
        for question, city in list(CAPITALS.items())[:n]
    )
    return Suite(name, gates=(MarginGate(over="all", max_drop=0.1),), probes=probes)


def plainly(question: str, chat: Chat | None = None) -> str:
    """What the baseline says."""
    return f"The capital of {question.removeprefix('What is the capital of ').rstrip('?')} is {CAPITALS[question]}."


@dataclass(eq=False)
class Faulty:
    """Says what its fault is; among choices it takes the right one, unless it lost the fact."""

    says: Says = plainly
    lost: frozenset[str] = frozenset()
    """The questions to which it knows no answer any more."""
    label: str = "faulty"
    kinds: frozenset[str] = frozenset({"generate", "choose"})
    asked: list[Request] = field(default_factory=list)

    def render(self, prompt: Prompt) -> str:
        assert isinstance(prompt, Chat)
        begun = prompt.begun if isinstance(prompt, ChatText) else ""
        return f"{prompt.messages[-1].content} {begun}"

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        self.asked += requests
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Answer:
        assert isinstance(request, Generate | MultipleChoice)
        if isinstance(request, MultipleChoice):
            assert isinstance(request.prompt, Plain)
            question = request.prompt.text.rpartition("Question: ")[2].removesuffix("\nAnswer:")
            right = "" if question in self.lost else f" {CAPITALS[question]}"
            return ChoiceLogProbs(tuple(
                -1.0 if choice == right else -9.0 - place for place, choice in enumerate(request.continuations)
            ))  # fmt: skip
        assert isinstance(request.prompt, Chat)
        question = request.prompt.messages[-1].content
        text = self.says(question.split("\n")[0], request.prompt)
        return Generated(text, min(len(text.split()), request.max_new_tokens), "turn")


def pair(says: Says, lost: Sequence[str] = (), **values: object) -> EnginePair:
    """A baseline without a fault, and a model that says so."""
    engine = Faulty(says, frozenset(lost), "tuned")
    for name, value in values.items():
        setattr(engine, name, value)
    return EnginePair(Faulty(label="baseline", kinds=engine.kinds), engine)


def diagnosis(engines: EnginePair, *suites: Suite, how: Diagnosing = Diagnosing()) -> dict[str, DiagnosisRow]:
    """What is found of these suites, after a gate over them."""
    suites = suites or (facts(),)
    session = PairSession()
    asked = [case for suite in suites for case in cases(suite)]
    session.need(asked)
    for suite in suites:
        session.ask_both(suite.name, engines.of)
    _, probes = rows(session.decide(asked))
    return diagnosed(probes, {suite.name: suite for suite in suites}, engines, how)
