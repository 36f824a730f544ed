"""Questions as plain dicts in, a Suite that asks them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.documents.validate import describe
from harness.documents.written import text_of
from harness.errors import NoEvidenceError, did_you_mean
from harness.suites.scorer import Scorer
from harness.suites.suite import Probe, Suite, Task
from harness.visible import visible

ANSWERS = ("answer", "correct_answer")
"""The keys that may hold the right answer."""

KEYS = ("question", *ANSWERS, "category", "id")

Questions = Iterable[Mapping[str, Any]] | Mapping[str, Any]
"""Dicts that each hold a question; lists of them by category; or a single dict."""


@dataclass(frozen=True)
class _Question:
    """One dict, its place, and the category under which it is listed."""

    place: str
    item: Any
    category: str | None = None


def suite_of_questions(questions: Questions, scorer: Scorer, max_new_tokens: int) -> Suite:
    """A suite that asks each question.

    Raises:
        NoEvidenceError: there are none, one has no question or answer, two have the same id, or the score cannot judge
            them.
    """
    probes = tuple(_probe(question, scorer) for question in _listed(questions))
    if not probes:
        raise NoEvidenceError("no questions: an accuracy of nothing would mean nothing")
    id, times = Counter(probe.id for probe in probes).most_common(1)[0]
    if times > 1:
        raise NoEvidenceError(
            f"two questions have the same id: {id[:60]!r}\n"
            "  give each an 'id' of its own; without one, the question's text is its id"
        )
    return Suite("questions", (), probes, task=Task(max_new_tokens=max_new_tokens))


def _listed(questions: Questions) -> Iterator[_Question]:
    if not isinstance(questions, Iterable):
        raise NoEvidenceError(f"questions must be a list of dicts, saw {describe(questions)}")
    if not isinstance(questions, Mapping):
        for index, item in enumerate(questions):
            yield _Question(f"question {index}", item)
    elif any(key in questions for key in KEYS[:3]):
        yield _Question("question 0", questions)
    else:
        for category, listed in questions.items():
            if isinstance(listed, str) or not isinstance(listed, Iterable):
                raise NoEvidenceError(
                    f"questions by category: '{category}' must hold a list of dicts, saw {describe(listed)}"
                )
            for index, item in enumerate([listed] if isinstance(listed, Mapping) else listed):
                yield _Question(f"question {index} of '{category}'", item, str(category))


def _probe(question: _Question, scorer: Scorer) -> Probe:
    if not isinstance(question.item, Mapping):
        raise NoEvidenceError(
            f"{question.place} must be a dict with 'question' and 'answer', saw {describe(question.item)}\n"
            "  of a DataFrame: frame.to_dict('records')"
        )
    item = {key: value for key, value in question.item.items() if not _is_missing(value)}
    asked = item.get("question")
    if not isinstance(asked, str) or not asked.strip():
        raise NoEvidenceError(
            f"{question.place} has no text under 'question'{_seen(question.item, 'question')}"
        )
    place = f"{question.place} ({asked[:40]!r})"
    asked = _text(asked, place, "question")
    answers = _answers(item, place)
    if not answers or not all(answer.strip() for answer in answers):
        raise NoEvidenceError(
            f"{place} has no answer, or an empty one, which matches anything{_seen(question.item, *ANSWERS)}"
        )
    for answer in answers:
        if wrong := scorer.expected_problem(answer):
            raise NoEvidenceError(f"{place}: {wrong}")
    return Probe(
        id=_text(item.get("id", asked), place, "id"),
        scorer=scorer,
        fields={"question": asked},
        answers=tuple(answers),
        category=_category(item, question.category, place),
    )


def _answers(item: Mapping[str, Any], place: str) -> list[str]:
    """The right answers of a dict; both keys may give them, if they agree."""
    given = {key: _texts(item[key], place, key) for key in ANSWERS if key in item}
    first, *others = given.values() or [[]]
    if any(sorted(other) != sorted(first) for other in others):
        raise NoEvidenceError(
            f"{place}: 'answer' and 'correct_answer' differ: {' or '.join(first)}, and {' or '.join(others[0])}\n"
            "  give one of them; where several answers are right, a list"
        )
    return first


def _texts(value: Any, place: str, key: str) -> list[str]:
    """One answer or several, as text."""
    value = _plain(value)
    if not isinstance(value, list | tuple | set | frozenset):
        return [_text(value, place, key)]
    return ["" if _is_missing(answer) else _text(answer, place, key) for answer in value]


def _text(value: Any, place: str, key: str) -> str:
    try:
        text = text_of(_plain(value))
    except ValueError as error:
        raise NoEvidenceError(f"{place}: '{key}' is {error}") from error
    if not isinstance(text, str):
        raise NoEvidenceError(f"{place}: '{key}' must be text or a number, saw {describe(value)}")
    return text


def _category(item: Mapping[str, Any], listed_under: str | None, place: str) -> str | None:
    own = _text(item["category"], place, "category") if "category" in item else None
    if own and listed_under and own != listed_under:
        raise NoEvidenceError(f"{place}: its 'category' is '{own}', but it is listed under '{listed_under}'")
    return own or listed_under


def _plain(value: Any) -> Any:
    """A number or an array of NumPy as Python's own."""
    return value.tolist() if hasattr(value, "tolist") else value


def _is_missing(value: Any) -> bool:
    """Whether a value is None, or NaN, which is None in a data frame."""
    value = _plain(value)
    return value is None or (isinstance(value, float) and value != value)


def _seen(item: Mapping[str, Any], *wanted: str) -> str:
    """A second line with the keys of a dict that has none of those wanted."""
    keys = [visible(str(key)) for key in item]
    if any(key in wanted for key in keys):
        return ""
    hints = (f"; '{key}': {near}" for key in keys if key not in KEYS and (near := did_you_mean(key, wanted)))
    return f"\n  its keys: {', '.join(keys[:10]) or 'none'}{next(hints, '')}"
