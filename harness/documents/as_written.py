"""The values of a suite file in, the same with every number and boolean that is meant as text as its author wrote it out."""

from __future__ import annotations

from typing import Any

from harness.documents.document import Document, Place
from harness.documents.written import number_as_written, whole_as_written

VALUES = ("score", "severity")
"""The keys of a probe that are no text."""


def with_text_as_written(data: dict[str, Any], document: Document) -> dict[str, Any]:
    """The suite with text in its probes and shots, and numbers that know their text among what is drawn."""
    reader = _Reader(document)
    task, probes, generators = data.get("task"), data.get("probes"), data.get("generators")
    found = dict(data)
    if isinstance(task, dict) and "shots" in task:
        found["task"] = {**task, "shots": reader.text(task["shots"], ("task", "shots"))}
    if isinstance(probes, list):
        found["probes"] = [reader.probe(probe, ("probes", at)) for at, probe in enumerate(probes)]
    if isinstance(generators, list):
        found["generators"] = [
            reader.generator(each, ("generators", at)) for at, each in enumerate(generators)
        ]
    return found


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document

    def probe(self, probe: Any, place: Place) -> Any:
        if not isinstance(probe, dict):
            return probe
        return {
            key: value if key in VALUES else self.text(value, (*place, key)) for key, value in probe.items()
        }

    def generator(self, generator: Any, place: Place) -> Any:
        if not isinstance(generator, dict):
            return generator
        found = dict(generator)
        if "probe" in found:
            found["probe"] = self.probe(found["probe"], (*place, "probe"))
        if isinstance(draws := found.get("draw"), dict):
            found["draw"] = {name: self.draw(draw, (*place, "draw", name)) for name, draw in draws.items()}
        return found

    def draw(self, draw: Any, place: Place) -> Any:
        """Numbers to choose from are both: numbers to compute with, and as written where they are shown."""
        if not isinstance(draw, dict) or not isinstance(draw.get("choice"), list):
            return draw
        chosen = [self.number(value, (*place, "choice", at)) for at, value in enumerate(draw["choice"])]
        return {**draw, "choice": chosen}

    def text(self, value: Any, place: Place) -> Any:
        if isinstance(value, list):
            return [self.text(item, (*place, index)) for index, item in enumerate(value)]
        if isinstance(value, dict):
            return {key: self.text(item, (*place, key)) for key, item in value.items()}
        return self.document.written.get(place, value)

    def number(self, value: Any, place: Place) -> Any:
        match value, self.document.written.get(place):
            case int(), str(text) if not isinstance(value, bool):
                return whole_as_written(text, value)
            case float(), str(text):
                return number_as_written(text, value)
        return value
