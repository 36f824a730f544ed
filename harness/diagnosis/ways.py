"""The probes of a suite in, the same asked in other ways out: as choices, with shots, restated, and with the answer begun."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random

from harness.diagnosis.keys import is_right, key_of, with_choices
from harness.engine.abilities import Reasons, Remembers
from harness.engine.prompts import request
from harness.engine.requests import Chat, ChatText, Engine, Generate, Message, Plain, Request
from harness.errors import EngineError
from harness.reporting.diagnosis_rows import WayName
from harness.reporting.rows import ProbeRow
from harness.scoring.check import Check
from harness.suites.suite import Probe, Shot, Suite, Task

SHOTS = 3
KEYS_SHOWN = 5
"""Examples before choices, each a right answer and no more: as choices are."""

LONGEST_SHOT = 1_500
"""Characters of a shot with its answer."""

FIRST_WORDS = 6
"""Words of the baseline's answer that begin an answer, at most; they end before the right answer."""

DIRECT = "Answer directly and briefly, in the form that is asked for, and add nothing else."
"""The system prompt of the way `restated`."""

ONE_OF = "One of these is right: {}. Answer with that one alone."

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Way:
    """Probes of a suite as they are asked in one way, by the ids of the probes.

    Attributes:
        requests: what is asked; `judges` has the probe that judges the answer, and `begun` what the answer begins with.
        swapped: the same choices after the question of another probe, which shows how often they are right by luck.
    """

    name: WayName
    suite: Suite
    requests: Mapping[str, Request]
    judges: Mapping[str, Probe]
    begun: Mapping[str, str] = field(default_factory=dict)
    swapped: Mapping[str, Request] = field(default_factory=dict)

    def guess(self, id: str) -> float:
        """The chance of a guess."""
        choices = self.judges[id].choices
        return 1 / len(choices) if choices else 0.0


def shots_of(suite: Suite, kept: Sequence[ProbeRow], lost: Sequence[Probe], seed: int) -> tuple[Shot, ...]:
    """Up to three kept probes with the baseline's answers, as examples; those whose right answer no lost probe has come first."""
    if suite.task.answer == "likelihood":
        return ()
    taken = {answer.casefold() for probe in lost for answer in probe.answers}
    order = Random(f"shots {seed} {suite.name}").sample(list(kept), len(kept))
    order.sort(key=lambda row: any(answer.casefold() in taken for answer in row.expected))
    made = (Shot(row.fields, row.baseline.answer.strip()) for row in order if row.baseline)
    return tuple(islice(filter(_fits, made), SHOTS))


def keys_shown(suite: Suite, asked: Sequence[Probe], seed: int) -> tuple[Shot, ...]:
    """Up to five probes of the suite that are not asked, with their right answers alone; those of asked probes come last."""
    ids = {probe.id for probe in asked}
    taken = {answer.casefold() for probe in asked for answer in probe.answers}
    others = [probe for probe in suite.probes if probe.id not in ids and probe.item is None]
    order = Random(f"keys {seed} {suite.name}").sample(others, len(others))
    order.sort(key=lambda probe: any(answer.casefold() in taken for answer in probe.answers))
    made = (Shot(probe.fields, key) for probe in order if (key := key_of(probe)))
    return tuple(islice(filter(_fits, made), KEYS_SHOWN))


def _fits(shot: Shot) -> bool:
    length = len(shot.answer) + sum(map(len, shot.fields.values()))
    return bool(shot.answer) and length <= LONGEST_SHOT


def with_shots(suite: Suite, probes: Sequence[Probe], shots: Sequence[Shot]) -> Way | None:
    """The probes after more examples."""
    if not shots:
        return None
    return _asked("shots", _with_task(suite, shots=(*suite.task.shots, *shots)), probes)


def restated(suite: Suite, probes: Sequence[Probe]) -> Way:
    """The probes under a plain system prompt, after the suite's own; in text, before the prompt."""
    task = suite.task
    if task.format == "text":
        literal = DIRECT.replace("{", "{{").replace("}", "}}")
        return _asked("restated", _with_task(suite, prompt=f"{literal}\n\n{task.prompt}"), probes)
    system = f"{task.system}\n{DIRECT}" if task.system else DIRECT
    return _asked("restated", _with_task(suite, system=system), probes)


def as_choices(
    suite: Suite, probes: Sequence[Probe], shots: Sequence[Shot], compared: bool, draw: str
) -> Way | None:
    """The probes as choices, whose log-probabilities are compared; a model that has none is shown them, and writes one.

    A chat becomes plain text with examples: of general questions, SmolLM2-135M-Instruct has 46 of 48 right so, each of two
    times, as a chat with the same examples 42, and 27 as a chat without; after a LoRA that writes nothing but cards 40, 26 and 14.

    Args:
        shots: examples before the question, in the form of the choices and not that of the tuning.
        compared: whether both models have log-probabilities.
        draw: another one draws other wrong answers.
    """
    if suite.task.answer != "generate":
        return None
    chosen = with_choices(suite, probes, draw)
    if not chosen:
        return None
    if not compared:
        return _listed(suite, chosen) if suite.task.format == "chat" else None
    asked = _with_task(_in_text(suite), answer="choose", shots=(*suite.task.shots, *shots))
    way = _asked("choices", asked, chosen)
    return replace(way, swapped=_swapped(asked, chosen))


def _in_text(suite: Suite) -> Suite:
    """The suite without the chat template, in which tuning took place: its prompt as a plain question, to be answered."""
    if suite.task.format == "text":
        return suite
    return _with_task(
        suite, format="text", system=None, template=(), prompt=f"Question: {suite.task.prompt}\nAnswer:"
    )


def _swapped(suite: Suite, chosen: Sequence[Probe]) -> dict[str, Request]:
    """The choices of each probe after the question of the next one that has another right answer."""
    found: dict[str, Request] = {}
    for place, probe in enumerate(chosen):
        others = (*chosen[place + 1 :], *chosen[:place])
        other = next((other for other in others if other.answers != probe.answers), None)
        if other is not None:
            found[probe.id] = request(suite, replace(probe, fields=other.fields))
    return found


def _listed(suite: Suite, chosen: Sequence[Probe]) -> Way:
    """The choices in the question; right is an answer that mentions the right one and no other."""
    asked: dict[str, Request] = {}
    judges: dict[str, Probe] = {}
    for probe in chosen:
        whole = request(suite, replace(probe, choices=()))
        assert isinstance(whole, Generate)
        assert isinstance(whole.prompt, Chat)
        *before, turn = whole.prompt.messages
        question = f"{turn.content}\n\n{ONE_OF.format('; '.join(probe.choices))}"
        turns = (*before, Message(turn.role, question))
        asked[probe.id] = replace(whole, prompt=replace(whole.prompt, messages=turns))
        wrong = [choice for choice in probe.choices if choice not in probe.answers]
        rule = Check.model_validate({"mentions": [*probe.answers], "not": {"mentions": wrong}})
        judges[probe.id] = replace(probe, scorer=rule, answers=())
    return Way("choices", suite, asked, judges)


def begun(suite: Suite, probes: Sequence[Probe], rows: Mapping[str, ProbeRow]) -> Way | None:
    """The probes with the answer begun by the baseline's first words, which end before the right answer."""
    asked: dict[str, Request] = {}
    judges: dict[str, Probe] = {}
    words: dict[str, str] = {}
    for probe in probes:
        row = rows[probe.id]
        first = beginning(probe, row.baseline.answer) if row.baseline else ""
        if not first:
            continue
        whole = request(suite, probe)
        assert isinstance(whole, Generate)
        given = whole.prompt
        if isinstance(given, Plain):
            asked[probe.id] = replace(whole, prompt=replace(given, text=f"{given.text} {first}"))
        else:
            asked[probe.id] = replace(whole, prompt=ChatText(given.messages, given.arguments, first))
        judges[probe.id], words[probe.id] = probe, first
    return Way("begun", suite, asked, judges, words) if asked else None


def beginning(probe: Probe, answer: str) -> str:
    """The first words of the baseline's answer, which tell nothing of the right one; empty if there are none, or no key."""
    if key_of(probe) is None:
        return ""
    text, found = answer.strip()[:400], ""
    keys = [key.casefold() for key in probe.answers]
    for word in list(_WORD.finditer(text))[:FIRST_WORDS]:
        longer = text[: word.end()]
        if any(key in longer.casefold() for key in keys) or is_right(probe, longer):
            break
        found = longer
    return found if len(found) < len(text) else ""


BEGUN = "It begins so"


def continues(engine: Engine, task: Task) -> bool:
    """Whether an engine can go on with an answer that has begun; one of a model that reasons first is not asked to."""
    if task.format == "text":
        return True
    if isinstance(engine, Reasons) and engine.marks_reasoning:
        return False

    def tried() -> bool:
        try:
            return engine.render(ChatText((Message("user", "Hello"),), task.template, BEGUN)).endswith(BEGUN)
        except EngineError:
            return False

    if isinstance(engine, Remembers):
        return bool(engine.remember(["continues", engine.text_identity, list(task.template)], tried))
    return tried()


def _asked(name: WayName, suite: Suite, probes: Sequence[Probe]) -> Way:
    return Way(
        name,
        suite,
        {probe.id: request(suite, probe) for probe in probes},
        {probe.id: probe for probe in probes},
    )


def _with_task(suite: Suite, **changes: object) -> Suite:
    return replace(suite, task=replace(suite.task, **changes))  # type: ignore[arg-type]
