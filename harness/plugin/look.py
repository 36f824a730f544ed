"""A look at what an earlier run lost: its record in, an item for each suite that asks the tuned model those probes again.

A look decides nothing, so it never passes: an item fails while a probe is lost, and is skipped once none is. It leaves the
record alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from harness.engine.requests import Engine
from harness.errors import HarnessError, shown_path
from harness.gate.cases import Case
from harness.gate.decide import Decision
from harness.plugin.collect import CaseItem, decided
from harness.plugin.options import RunOptions
from harness.plugin.tally import LOOK
from harness.reporting.explain import MOST_SHOWN, expected
from harness.reporting.record import FILE, read_record
from harness.scoring.why import why_wrong
from harness.spelling import option
from harness.suites.suite import EachGate, Probe, Suite
from harness.visible import visible
from harness.wording import count, one_line, some

SLICE = LOOK.removeprefix("::")


class LookItem(CaseItem):
    """The probes of a suite that an earlier run lost."""

    found: tuple[int, int] | None = None
    """How many are lost still, of how many that were asked."""

    def text(self, decision: Decision) -> tuple[str, bool]:
        """What the look shows, and whether a probe is lost still."""
        wrong = [pair for pair in decision.pairs if not pair.tuned.right]
        self.found = len(wrong), len(decision.pairs)
        of = count(len(decision.pairs), "lost probe")
        if not wrong:
            return f"{self.case.title}: of {of}, none is lost any more; a look decides nothing", False
        lines = [f"{self.case.title}: of {of}, {len(wrong)} still lost (a look, no gate)"]
        for pair in wrong[:MOST_SHOWN]:
            why = why_wrong(pair.probe, pair.tuned)
            lines.append(
                f"  lost  {pair.probe.id}  expected {expected(pair.probe)}  tuned {one_line(pair.tuned.shown)}"
                + (f"  ({why})" if why else "")
            )
        if len(wrong) > MOST_SHOWN:
            lines.append(f"  and {len(wrong) - MOST_SHOWN} more")
        return "\n".join(map(visible, lines)), True


def ask_lost(request: pytest.FixtureRequest, gate_tuned: Engine) -> None:
    """Ask the tuned model what was lost; fail while it is, and skip once it is not."""
    text, is_lost = request.node.text(decided(request, {"tuned": gate_tuned}))
    if is_lost:
        pytest.fail(text, pytrace=False)
    raise pytest.skip.Exception(text, _use_item_location=True)


def looks(cases: Sequence[CaseItem], options: RunOptions) -> tuple[list[LookItem], list[str]]:
    """An item for each suite of the cases that has probes which the record of `--only-lost` lost, and notes for the user.

    Raises:
        HarnessError: the record cannot be read, or has none of the probes as lost.
    """
    assert options.only_lost is not None
    lost = lost_probes(options.only_lost)
    wanted: dict[str, dict[str, Probe]] = defaultdict(dict)
    first: dict[str, CaseItem] = {}
    for item in cases:
        suite = item.case.suite
        first.setdefault(suite.name, item)
        wanted[suite.name] |= {
            probe.id: probe for probe in item.case.probes if probe.id in lost.get(suite.name, ())
        }
    found = [_look(first[name], list(probes.values())) for name, probes in wanted.items()]
    items = [item for item in found if item]
    if not items:
        why = "the collected suites have none of the probes that it lost"
        if any(wanted.values()):
            why = "it lost nothing but texts, which are judged against the baseline's"
        raise HarnessError(f"{option('only_lost', str(options.only_lost))}: {why}\n  it lost {_shown(lost)}")
    return items, list(_notes(lost, wanted))


def lost_probes(path: Path) -> dict[str, list[str]]:
    """The ids of the lost probes in a record, by suite; raises HarnessError if it cannot be read or nothing was lost."""
    file = path / FILE if path.is_dir() else path
    lost: dict[str, list[str]] = defaultdict(list)
    for row in read_record(file).probes:
        if row.change == "lost":
            lost[row.suite].append(row.id)
    if not lost:
        raise HarnessError(f"{option('only_lost', str(path))}: nothing was lost in {shown_path(file)}")
    return dict(lost)


def _look(beside: CaseItem, probes: Sequence[Probe]) -> LookItem | None:
    """The item over the probes whose answers are right or wrong by themselves; a text is only against the baseline's."""
    asked = tuple(probe for probe in probes if probe.scorer.judges != "likelihood")
    if not asked:
        return None
    suite: Suite = beside.case.suite
    case = Case(suite, EachGate("pass"), SLICE, asked, suite.severity, suite.span)
    return LookItem.from_parent(beside.parent, name=SLICE, case=case, callobj=ask_lost)


def _shown(lost: Mapping[str, Sequence[str]]) -> str:
    return some([f"{len(ids)} of '{visible(name)}'" for name, ids in lost.items()], 5)


def _notes(lost: Mapping[str, Sequence[str]], wanted: Mapping[str, Mapping[str, Probe]]) -> Iterator[str]:
    missing = {name: [id for id in ids if id not in wanted.get(name, ())] for name, ids in lost.items()}
    if missing := {name: ids for name, ids in missing.items() if ids}:
        yield f"lost probes that were not collected: {_shown(missing)}"
    texts = [
        id
        for probes in wanted.values()
        for id, probe in probes.items()
        if probe.scorer.judges == "likelihood"
    ]
    if texts:
        yield f"texts are judged against the baseline's, and were not asked: {some(texts)}"


def look_lines(found: Mapping[str, tuple[int, int]], path: Path, notes: Sequence[str]) -> Iterator[str]:
    """The summary of a look, by the node ids of its items."""
    still, of = (sum(numbers[place] for numbers in found.values()) for place in (0, 1))
    by_suite = ", ".join(
        f"{visible(id.partition('::')[0])} {wrong} of {asked}" for id, (wrong, asked) in found.items()
    )
    yield f"of {count(of, 'probe')} that {shown_path(path)} lost, {still} still lost: {by_suite}"
    yield from (f"note: {visible(note)}" for note in notes)
    yield f"a look decides nothing and writes no record: to gate the model, leave {option('only_lost')} out"
