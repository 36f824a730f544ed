"""The result of a run as a versioned JSON record, with everything that is needed to render any report again.

`gates` has a row for each case, `probes` both models' answers to each probe, `run` the models, versions and options.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness import __version__
from harness.documents.text_file import read_bytes
from harness.engine.answers import request_key
from harness.engine.prompts import request
from harness.errors import HarnessError, reason, shown_path
from harness.gate.cases import Case
from harness.gate.compare import Comparison, Pair
from harness.gate.decide import Decision
from harness.limits import MOST_RECORD_BYTES
from harness.reporting.rows import VERSION, AgainRow, AnswerRow, GateRow, ProbeRow, Record
from harness.scoring.why import why_wrong
from harness.suites.suite import EachGate, FlipsGate, OverallGate, RiseGate, Suite
from harness.visible import visible_json
from harness.writing import write_whole, writing_report

FILE = "record.json"
COMPARED = (
    "n", "kept", "lost", "gained", "missed", "baseline_accuracy", "tuned_accuracy", "drop", "interval", "mid_p", "loss",
    "clusters", "design_effect",
)  # fmt: skip
"""The keys of a GateRow that a Comparison has too."""

R = TypeVar("R", bound=BaseModel)

ANOTHER = "name another, or run again what wrote it"


def gate_row(decision: Decision) -> GateRow:
    """The row of a decided case."""
    case, comparison = decision.case, decision.comparison
    common = {
        "suite": case.suite.name,
        "slice": case.slice,
        "over": case.gate.over,
        "severity": case.severity,
        "place": f"{shown_path(case.span.path)}:{case.span.line}" if case.span else "",
        "verdict": decision.verdict,
        "outcome": decision.outcome,
        "needs": case.needs,
        "holm_mid_p": decision.adjusted_p,
        "tests": decision.tests or None,
        "accepted": decision.accepted or None,
        "without_accepted": decision.without_accepted,
        "more_probes_to_settle": decision.settling,
        "undecided": None if decision.verdict == "RETAINED" else decision.why or None,
        "baseline_cut": decision.cut and decision.cut.baseline,
        "tuned_cut": decision.cut and decision.cut.tuned,
        **_rule(case),
    }
    if rise := decision.rise:
        common |= {"rise": rise.mean, "rise_interval": rise.interval, "rise_p": rise.p}
    if flips := decision.flips:
        common |= {"flips": flips.share, "flips_interval": flips.interval}
    if comparison is not None:
        return GateRow(**common, **compared(comparison))
    n = len(decision.pairs)
    right = sum(pair.tuned.right for pair in decision.pairs)
    return GateRow(**common, n=n, tuned_accuracy=right / n if n else 0.0)


def compared(comparison: Comparison) -> dict[str, Any]:
    """The values of a GateRow that its comparison gives."""
    return {name: getattr(comparison, name) for name in COMPARED}


def _rule(case: Case) -> dict[str, Any]:
    """The rule of a gate."""
    gate = case.gate
    if isinstance(gate, EachGate):
        return {"require": gate.require}
    if isinstance(gate, OverallGate):
        return {"max_drop": gate.max_drop}
    if isinstance(gate, FlipsGate):
        return {"max_flips": gate.max_flips}
    whole = len(case.probes) == len(gate.slices(case.suite).get(case.slice, ()))
    margins = (
        {"max_rise": gate.max_rise}
        if isinstance(gate, RiseGate)
        else {"max_drop": gate.max_drop, "max_loss": gate.max_loss}
    )
    return {
        **margins,
        "on_inconclusive": gate.on_inconclusive,
        "probes": None if whole else [probe.id for probe in case.probes],
    }


def probe_row(suite: Suite, pair: Pair, again: Sequence[Pair]) -> ProbeRow:
    """The row of a probe that was asked; `again` are its further attempts."""
    probe = pair.probe
    tuned = AnswerRow.of(pair.tuned)
    if pair.change == "lost" or pair.baseline is None:
        tuned = tuned.model_copy(update={"why": why_wrong(probe, pair.tuned)})
    return ProbeRow(
        suite=suite.name,
        id=probe.id,
        category=probe.category,
        cluster=probe.cluster,
        severity=probe.severity,
        fields=dict(probe.fields) if probe.text is None else {"text": probe.text},
        expected=list(probe.answers),
        score=probe.scorer.name,
        scoring=probe.scorer.written(),
        choices=list(probe.choices),
        asked=request_key(request(suite, probe)),
        baseline=None if pair.baseline is None else AnswerRow.of(pair.baseline),
        tuned=tuned,
        change=pair.change,
        accepted=pair.accepted,
        again=[AgainRow.of(attempt) for attempt in again],
    )


def render(record: BaseModel) -> str:
    """A record itself, as JSON."""
    return visible_json(record.model_dump_json(indent=1))


def write_out(record: BaseModel, path: Path) -> None:
    """Write a record into the folder of `--out`, whole or not at all; raises HarnessError."""
    with writing_report(path.parent, by="out"):
        write_json(path, record)


def write_record(record: Record, folder: Path) -> Path:
    """Write `record.json` into `folder`, whole or not at all; returns its path; raises HarnessError."""
    path = folder / FILE
    with writing_report(folder):
        write_json(path, record)
    return path


def read_record(path: Path) -> Record:
    """Read a record; raises HarnessError as `read_back` does."""
    return read_back(path, Record, "the record of a run", VERSION)


def write_json(path: Path, record: BaseModel) -> None:
    """Write a JSON document, whole or not at all; raises OSError."""
    write_whole(path, render(record) + "\n")


def read_back(path: Path, kind: type[R], what: str, version: int) -> R:
    """Read a JSON document.

    Args:
        what: the name of the document, for the error.

    Raises:
        HarnessError: the file cannot be read, is damaged, was written by a newer gate, or is something else.
    """
    place = shown_path(path)
    try:
        return kind.model_validate_json(read_bytes(path, MOST_RECORD_BYTES))
    except OSError as error:
        raise HarnessError(f"{place}: {what} cannot be read: {reason(error)}\n  {ANOTHER}") from error
    except ValidationError as error:
        faults = error.errors(include_url=False)
        first = f"{'.'.join(map(str, faults[0]['loc']))}: {faults[0]['msg']}".removeprefix(": ")
        if all(_is_newer(fault, version) for fault in faults):
            raise HarnessError(
                f"{place}: {what} was written by a newer version than {__version__}: {first}\n"
                "  upgrade: python -m pip install --upgrade forgetting-gate"
            ) from error
        if faults[0]["type"] == "json_invalid":
            raise HarnessError(
                f"{place}: not {what}, version {version}, or cut off or damaged: {first}\n  {ANOTHER}"
            ) from error
        raise HarnessError(f"{place}: not {what}, version {version}: {first}") from error


def _is_newer(fault: ErrorDetails, version: int) -> bool:
    """Whether a fault is what a later version has that this one does not know: a key, or its own number."""
    number = fault["loc"] == ("version",) and isinstance(fault["input"], int) and fault["input"] > version
    return number or fault["type"] == "extra_forbidden"
