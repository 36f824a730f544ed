"""The task of a suite as it is written in, a Task and the fields of its prompt out, or the problems with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

from harness.documents.document import Place
from harness.documents.validate import validate
from harness.limits import MOST_PROMPTED, MOST_STOPS, MOST_TOKENS
from harness.suites.arguments import argument_problem, arguments_of
from harness.suites.format import ProbeFormat, TaskFormat
from harness.suites.parts import PARTS, PartReader
from harness.suites.suite import Probe, Shot, Task
from harness.suites.template import template_fields

SHOT = 100
"""Characters that a shot takes beside its text."""


class TaskReader(PartReader):
    """Checks the task of a suite."""

    def read(self, data: Any) -> tuple[Task | None, tuple[str, ...] | None]:
        """The task, or None if too little of it is known, and the fields of its prompt, or None if they are unknown."""
        written = self.valid(TaskFormat, data, ("task",))
        prompt_known = True
        if written is None and isinstance(data, dict):  # read the sound keys, so that probes can be checked
            sound = {key: value for key, value in data.items() if self.is_sound(key, value)}
            prompt_known = "prompt" in sound
            written = self.valid(TaskFormat, sound, ("task",))
        if written is None:
            return None, None
        fields = self.fields(written) if prompt_known else None
        self.check_keys(written)
        self.check_size(written)
        shots = () if fields is None or written.answer == "likelihood" else self.shots(written, fields)
        task = Task(
            format=written.format,
            system=written.system,
            prompt=written.prompt,
            shots=tuple(shots),
            answer=written.answer,
            max_new_tokens=written.max_new_tokens,
            stop=tuple(written.stop),
            template=arguments_of(written.template),
            thinking_tokens=written.thinking.max_tokens if written.thinking else None,
        )
        return task, fields

    def is_sound(self, key: str, value: Any) -> bool:
        """Whether a key of the task is valid by itself."""
        found, _ = validate(TaskFormat, {key: value}, self.document, PARTS, ("task",), hints=False)
        return found is not None

    def fields(self, task: TaskFormat) -> tuple[str, ...] | None:
        """The fields of the prompt; None if they cannot be known."""
        if task.answer == "likelihood":
            return ()
        place: Place = ("task", "prompt")
        try:
            fields = template_fields(task.prompt)
        except ValueError as error:
            self.problem(place, str(error))
            return None
        taken = [name for name in fields if name in ProbeFormat.model_fields]
        for name in taken:
            message = f"the prompt uses '{{{name}}}', but '{name}' has a meaning of its own in a probe"
            self.problem(place, message, "give the field another name")
        return None if taken else fields

    def check_keys(self, written: TaskFormat) -> None:
        """Check the keys that only chats, or only some kinds of answer, can have."""
        given = written.model_fields_set
        if written.format == "text" and written.system is not None:
            self.problem(("task", "system"), "a system message needs 'format: chat'")
        if written.format == "text" and written.template:
            self.problem(("task", "template"), "arguments of the chat template need 'format: chat'")
        for name, value in written.template.items():
            if wrong := argument_problem(name, value):
                self.problem(("task", "template", name), wrong)
        if written.answer == "likelihood":
            if written.format != "text":
                message = "'answer: likelihood' measures plain text"
                self.problem(("task", "answer"), message, "write 'format: text'")
            for key in sorted(given & {"prompt", "shots"}):
                self.problem(("task", key), f"'answer: likelihood' takes no '{key}'; its probes have 'text'")
        if written.answer != "generate":
            for key in sorted(given & {"max_new_tokens", "stop", "thinking"}):
                self.problem(("task", key), f"'{key}' has a meaning only under 'answer: generate'")

    def check_size(self, written: TaskFormat) -> None:
        tokens: dict[Place, int] = {("max_new_tokens",): written.max_new_tokens}
        if written.thinking:
            tokens["thinking", "max_tokens"] = written.thinking.max_tokens
        for place, number in tokens.items():
            if number > MOST_TOKENS:
                self.problem(("task", *place), f"'{place[-1]}' must be at most {MOST_TOKENS:,}, saw {number}")
        if len(written.stop) > MOST_STOPS:
            message = f"a task may have at most {MOST_STOPS} stop texts, saw {len(written.stop):,}"
            self.problem(("task", "stop"), message, "use what they have in common")

    def shots(self, written: TaskFormat, fields: tuple[str, ...]) -> Iterator[Shot]:
        known = (*fields, "answer")
        for index, shot in enumerate(written.shots):
            place: Place = ("task", "shots", index)
            for key, value in shot.items():
                if key in known:
                    self.check_text(value, (*place, key))
                else:
                    hint = self.problems.near(key, known)
                    self.problem((*place, key), f"unknown key '{key}' in a shot", hint)
            if missing := [name for name in known if name not in shot]:
                self.problem(place, f"a shot needs '{missing[0]}'")
                continue
            yield Shot({name: str(shot[name]) for name in fields}, str(shot["answer"]))

    def check_extent(self, task: Task, probes: Sequence[Probe]) -> None:
        """Check that the prompts of a suite fit in memory together."""
        characters = prompted(task, probes)
        if characters > MOST_PROMPTED:
            self.problem(
                ("task", "shots" if task.shots else "prompt"),
                f"the prompts of a suite may have {MOST_PROMPTED:,} characters together, saw {characters:,}",
                "use fewer shots: every prompt begins with all of them" if task.shots
                else "use shorter texts or fewer probes",
            )  # fmt: skip


def prompted(task: Task, probes: Sequence[Probe]) -> int:
    """The characters of all prompts together, each with its system message and shots, without making the prompts."""
    uses = Counter(name for _, name, _, _ in Formatter().parse(task.prompt) if name is not None)

    def filled(fields: Mapping[str, str]) -> int:
        lengths = (times * len(fields[name]) for name, times in uses.items() if name in fields)
        return len(task.prompt) + sum(lengths)

    shots = sum(SHOT + filled(shot.fields) + len(shot.answer) for shot in task.shots)
    before = len(task.system or "") + shots
    return sum(
        before + filled(probe.fields) + len(probe.text or "") + sum(map(len, probe.choices))
        for probe in probes
    )
