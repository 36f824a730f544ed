"""The gates of a suite as they are written in, Gate values or the problems with them out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from harness.documents.document import Place
from harness.suites.format import MAX_LOSS, WHOLE, GateFormat
from harness.suites.parts import PartReader
from harness.suites.suite import EachGate, Gate, MarginGate, RiseGate, SliceGate, Task


class GateReader(PartReader):
    """Checks the gates of a document."""

    def gates(
        self, written: Sequence[tuple[Place, GateFormat]], categories: bool, task: Task | None
    ) -> tuple[Gate, ...]:
        lines: dict[str, int] = {}
        gates: list[Gate] = []
        for place, gate in written:
            span = self.document.span(place)
            if gate.over in lines:
                hint = f"line {lines[gate.over]} has one already"
                self.problem(place, f"a second gate over '{gate.over}'", hint)
            lines.setdefault(gate.over, span.line)
            if gate.over == "category" and not categories:
                self.problem((*place, "over"), "a gate over 'category', but no probe has a category")
            if gate.require == "pass" and task is not None and task.answer == "likelihood":
                message = "'require: pass' cannot judge a likelihood: only a comparison can"
                self.problem((*place, "require"), message)
            if gate.over == "each":
                gates.append(EachGate(gate.require or "retained", span))
                continue
            if wrong := _wrong_margin(gate, task):
                self.problem((*place, wrong[0]), *wrong[1:])
            common: dict[str, Any] = {
                "over": gate.over, "on_inconclusive": gate.on_inconclusive, "span": span,
            }  # fmt: skip
            if gate.max_rise is not None:
                gates.append(RiseGate(max_rise=gate.max_rise, **common))
            elif gate.max_drop is not None:
                max_loss = MAX_LOSS[gate.over] if gate.max_loss is None else gate.max_loss
                gates.append(MarginGate(max_drop=gate.max_drop, max_loss=max_loss, **common))
        return tuple(gates)

    def needs(
        self,
        written: Mapping[str, str],
        gates: Sequence[Gate],
        categories: Collection[str],
        task: Task | None,
    ) -> dict[str, str]:
        """By slice, the size of model that it takes."""
        if not written:
            return {}
        place: Place = ("needs",)
        over = {gate.over for gate in gates if isinstance(gate, SliceGate)}
        if task is not None and task.answer == "likelihood":
            self.problem(place, "'needs' has no meaning under 'answer: likelihood': any model predicts texts")
        elif not over or (WHOLE not in written and "category" not in over):
            self.problem(
                place,
                "'needs' has no meaning without a gate over 'category'"
                + (" or 'all'" if WHOLE in written else ""),
                "under 'over: each', a probe that the baseline misses is skipped anyway",
            )
        for name in written.keys() - set(categories) - {WHOLE}:
            hint = self.problems.near(name, categories)
            self.problem((*place, name), f"'needs' names '{name}', and no probe has that category", hint)
        if size := written.get(WHOLE):
            return {"all": size, **{f"category[{name}]": size for name in categories}}
        return {f"category[{name}]": size for name, size in written.items()}


def _wrong_margin(gate: GateFormat, task: Task | None) -> tuple[str, str, str] | None:
    """The key of a gate that does not fit what the suite asks, the message and the hint; None if both fit."""
    likelihood = task is not None and task.answer == "likelihood"
    if gate.max_drop is not None and likelihood:
        return (
            "max_drop",
            "'max_drop' cannot judge a likelihood, which is neither right nor wrong",
            "write 'max_rise', the largest acceptable mean rise of bits per byte, such as 0.02 for 2 %",
        )
    if gate.max_rise is not None and task is not None and not likelihood:
        return (
            "max_rise",
            f"'max_rise' has no meaning under 'answer: {task.answer}'",
            "write 'max_drop', the largest acceptable drop in accuracy",
        )
    return None
