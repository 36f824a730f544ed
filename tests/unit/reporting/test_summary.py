from __future__ import annotations

from typing import Any

import pytest

from harness.reporting.bars import CELLS
from harness.reporting.rows import Record
from harness.reporting.summary import render, summary
from harness.reporting.view import View, plain
from harness.spelling import on_command_line

GATE: dict[str, Any] = {
    "suite": "facts", "slice": "all", "over": "all", "severity": "high", "place": "facts.yaml:3:5", "n": 10,
    "kept": 1, "lost": 9, "gained": 0, "missed": 0, "baseline_accuracy": 1.0, "tuned_accuracy": 0.1, "drop": 0.9,
    "interval": (0.7, 0.95), "mid_p": 0.001, "max_drop": 0.1, "verdict": "FORGOTTEN", "outcome": "failed",
}  # fmt: skip
RUN: dict[str, Any] = {
    "harness": "0", "started": "now", "seconds": 1.0, "command": [], "exit_status": 1, "errors": [], "versions": {},
    "strict": False, "fail_on": "low", "baseline": {"reference": "base", "name": "base"},
    "tuned": {"reference": "lora", "name": "lora", "weights": "b", "base_weights": "a"},
}  # fmt: skip


def told(gate: dict[str, Any] | None = None, **run: Any) -> str:
    record = {"run": {**RUN, **run}, "gates": [{**GATE, **(gate or {})}], "probes": []}
    return render(Record.model_validate(record))


def test_forgetting_under_an_adapter_is_said_to_be_removable_and_real():
    assert (
        "The tuned model is an adapter, so the forgetting is removable: with the adapter off, the base is unchanged. "
        "With it on, the model has forgotten."
    ) in told()


def test_forgetting_in_the_weights_themselves_is_not():
    assert "removable" not in told(tuned={"reference": "full", "name": "full", "weights": "b"})


def test_what_the_recipe_has_not_tried_is_named():
    assert "Mitigations that this recipe has not tried, the least costly first: a lower rate, EWC." in told(
        untried=["a lower rate", "EWC"]
    )
    assert "has not tried" not in told()


@pytest.mark.parametrize(
    "gate", [{"outcome": "warned"}, {"verdict": "RETAINED", "outcome": "passed"}, {"verdict": "VACUOUS"}]
)
def test_nothing_is_advised_where_nothing_was_forgotten(gate):
    assert "removable" not in told(gate, untried=["EWC"])
    assert "mitigation" not in told(gate)


def test_a_model_against_itself_is_told_so():
    itself = {"reference": "same", "name": "lora", "weights": "b"}
    assert "lora against itself\n" in told(baseline=itself)
    assert "lora against base\n" in told()


def table(*gates: dict[str, Any], **run: Any) -> list[str]:
    """The lines of the summary after its head, each with single spaces and without its bar."""
    record = Record.model_validate({
        "run": {**RUN, **run}, "gates": [{**GATE, **gate} for gate in gates], "probes": [],
    })  # fmt: skip
    lines = on_command_line(plain(summary(record, View(width=200)))).splitlines()
    lines = lines[lines.index("") + 1 :]
    start = lines[0].index("   0 margin")
    end = lines.index("") if "" in lines else len(lines)
    cells = [*(line[:start] + line[start + CELLS :] for line in lines[:end]), *lines[end:]]
    return [" ".join(line.split()) for line in cells]


RETAINED = {
    "verdict": "RETAINED", "outcome": "passed", "kept": 10, "lost": 0, "drop": 0.0, "tuned_accuracy": 1.0,
    "interval": (-0.0721, 0.0721),
}  # fmt: skip
OVERALL = {"suite": "overall", "over": "overall", "max_drop": 0.03, "severity": "critical"}
SMALL = {
    **RETAINED, "slice": "category[maths]", "over": "category", "n": 5, "verdict": "INCONCLUSIVE", "outcome": "skipped",
    "undecided": "not gated, 5 probes: a margin of 20 points needs 11", "interval": (-0.35, 0.35), "max_drop": 0.2,
    "more_probes_to_settle": 6,
}  # fmt: skip
RISE = {
    **RETAINED, "suite": "texts", "n": 132, "max_drop": None, "max_rise": 0.02, "rise": 0.0131, "rise_p": 0.001,
    "rise_interval": (0.0101, 0.0162),
}  # fmt: skip
EACH = {
    "suite": "list",
    "over": "each",
    "n": 1,
    "max_drop": None,
    "interval": (-0.7, 0.9),
    "baseline_accuracy": 1.0,
}
LOST = {**EACH, "kept": 0, "lost": 1, "drop": 1.0, "tuned_accuracy": 0.0, "verdict": "FORGOTTEN"}
KEPT = {
    **EACH,
    "kept": 1,
    "lost": 0,
    "drop": 0.0,
    "tuned_accuracy": 1.0,
    "verdict": "RETAINED",
    "outcome": "passed",
}


@pytest.mark.parametrize(
    ("gate", "line"),
    [
        ({}, "facts 10 100.0 10.0 90.0 70 to 95 10 1 9 0 0 FORGOTTEN"),
        ({"verdict": "INCONCLUSIVE"}, "facts 10 100.0 10.0 90.0 70 to 95 10 1 9 0 0 INCONCLUSIVE"),
        (RETAINED, "facts 10 100.0 100.0 0.0 -7.2 to 7.2 10 10 0 0 0 RETAINED at most 7.2 points lost"),
        (
            {**RETAINED, "interval": (-0.3, -0.01)},
            "facts 10 100.0 100.0 0.0 -30 to -1 10 10 0 0 0 RETAINED at most 0 points lost",
        ),
        ({**RETAINED, **OVERALL}, "all suites 10 100.0 100.0 0.0 -7.2 to 7.2 3 10 0 0 0 RETAINED at most 7.2 points lost"),
        (SMALL, "facts · maths 5 100.0 100.0 0.0 -35 to 35 20 10 0 0 0 not gated"),
        (
            {**SMALL, "undecided": "no number of probes can show that nothing at all was lost", "max_drop": 0.0},
            "facts · maths 5 100.0 100.0 0.0 -35 to 35 0 10 0 0 0 undecided",
        ),
        (RISE, "texts 132 - - +1.3 % 1 to 1.6 % 2 % 10 0 0 0 RETAINED up by at most 1.6 %"),
        (
            {**RISE, "rise": -0.004, "rise_interval": (-0.01, -0.001)},
            "texts 132 - - -0.4 % -1 to -0.1 % 2 % 10 0 0 0 RETAINED up by at most 0 %",
        ),
        (
            {**RISE, "rise": 0.05, "rise_interval": (0.04, 0.06), "verdict": "FORGOTTEN", "outcome": "failed"},
            "texts 132 - - +5.0 % 4 to 6 % 2 % 10 0 0 0 FORGOTTEN",
        ),
        (
            {**RISE, "rise": None, "rise_interval": None, "verdict": "INCONCLUSIVE", "outcome": "skipped",
             "undecided": "not gated, 1 text: a mean needs 2", "n": 1},
            "texts 1 - - - - 2 % 10 0 0 0 not gated",
        ),
    ],
)  # fmt: skip
def test_a_row(gate, line):
    rows = table(gate)[1:3]
    assert rows[0] == line if gate.get("over") == "overall" else rows[1] == line


def test_overall_comes_first_and_then_the_worst():
    rows = table(RETAINED, SMALL, {}, {**RETAINED, **OVERALL}, {**RISE, "outcome": "warned"}, LOST)[1:11]
    assert [" ".join(word for word in row.split()[:3] if not word[:1].isdigit()) for row in rows] == [
        "all suites", "failed", "list · each", "facts", "warned", "texts -", "decided nothing", "facts · maths", "passed", "facts",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([LOST, LOST, KEPT], "1 2 0 0 FORGOTTEN"),
        ([{**LOST, "outcome": "warned"}, KEPT], "1 1 0 0 FORGOTTEN"),
        ([KEPT, KEPT], "2 0 0 0 RETAINED"),
        # lost once, and not by majority
        ([{**LOST, "verdict": "RETAINED", "outcome": "passed"}, KEPT], "1 0 0 0 RETAINED"),
        ([LOST, {**LOST, "verdict": "RETAINED", "outcome": "passed"}], "0 1 0 0 FORGOTTEN"),
    ],
)
def test_single_probes_share_a_row(rows, verdict):
    (line,) = [line for line in table(*({**row, "slice": f"probe[p{i}]"} for i, row in enumerate(rows)))
               if line.startswith("list · each")]  # fmt: skip
    assert line.startswith(f"list · each {len(rows)} 100.0 ")
    assert line.endswith(f" - {verdict}")


@pytest.mark.parametrize(
    ("sample", "rest"),
    [
        (300, "and 2 more; ask enough with a larger --sample, or none"),
        (None, "and 2 more, which record.json has"),
    ],
)
def test_what_decided_nothing_is_listed(sample, rest):
    lines = table(RETAINED, *({**SMALL, "slice": f"category[c{i}]"} for i in range(7)), sample=sample)
    at = lines.index("7 gates of 8 decided nothing, for lack of probes:")
    assert lines[at + 1 : at + 7] == [
        *(f"facts category[c{i}]: not gated, 5 probes: a margin of 20 points needs 11" for i in range(5)),
        rest,
    ]


@pytest.mark.parametrize(
    "why",
    [
        "no number of probes can show that nothing at all was lost",
        "not gated, it needs a model of 1B: the baseline is right on none of the 9 probes asked",
        "lost once, and the baseline is wrong in each further attempt (2), so none could show a loss",
        "the first form knows too little of it",
    ],
)
def test_what_more_probes_would_not_decide_is_not_for_lack_of_them(why):
    other = {**SMALL, "undecided": why, "more_probes_to_settle": None}
    few = [{**SMALL, "slice": f"category[c{i}]"} for i in range(5)]
    lines = table(RETAINED, *few, other, sample=300)
    at = lines.index("6 gates of 7 decided nothing:")
    assert lines[at + 6] == "and 1 more, which record.json has"
    lines = table(RETAINED, other)
    assert lines[lines.index("1 gate of 2 decided nothing:") + 1] == f"facts category[maths]: {why}"


@pytest.mark.parametrize(
    ("gates", "named", "said"),
    [
        ([RETAINED, {**SMALL, "suite": "b"}], [], "b"),
        ([RETAINED, {**SMALL, "suite": "b"}, {**RETAINED, **OVERALL}], [], None),
        ([RETAINED, {**SMALL, "suite": "b"}, {**RETAINED, **OVERALL}], ["b"], "b"),
        ([RETAINED, SMALL], ["facts"], None),
        ([SMALL], ["facts"], None),  # the run decided nothing at all, which is said elsewhere
    ],
)
def test_a_suite_of_which_nothing_was_decided_is_no_pass(gates, named, said):
    lines = [line for line in table(*gates, named=named) if line.startswith("nothing was decided about")]
    assert lines == (
        []
        if said is None
        else [f"nothing was decided about {said}, which is no pass: ask more of it, or leave it out"]
    )
