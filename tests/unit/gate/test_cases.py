"""One case for each gate and slice, in the order of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import Span
from harness.gate.cases import cases, shown_slice
from harness.scoring import SCORERS
from harness.suites.suite import EachGate, Gate, MarginGate, Probe, Suite

MENTIONS = SCORERS["mentions"]()
GATE_SPAN, PROBE_SPAN = Span(Path("s.yaml"), 3, 5), Span(Path("s.yaml"), 9, 5)
PROBES = (
    Probe("a", MENTIONS, category="x", severity="low", span=PROBE_SPAN),
    Probe("b", MENTIONS, category="y"),
    Probe("c", MENTIONS, category="x"),
    Probe("d", MENTIONS),
)


def suite_gated_by(*gates: Gate) -> Suite:
    return Suite("s", gates, PROBES, severity="critical")


def test_a_gate_over_all_is_one_case():
    (case,) = cases(suite_gated_by(MarginGate(over="all", max_drop=0.1, span=GATE_SPAN)))
    assert (case.slice, case.probes, case.severity, case.span) == ("all", PROBES, "critical", GATE_SPAN)
    assert case.title == "s · all"
    assert not case.tuned_alone


def test_a_gate_over_category_is_a_case_for_each():
    x, y = cases(suite_gated_by(MarginGate(over="category", max_drop=0.1, span=GATE_SPAN)))
    assert (x.slice, [probe.id for probe in x.probes], x.span) == ("category[x]", ["a", "c"], GATE_SPAN)
    assert (y.slice, [probe.id for probe in y.probes], y.title) == ("category[y]", ["b"], "s · y")


def test_a_gate_over_each_is_a_case_for_each_probe_with_its_own_severity_and_line():
    a, b, _, _ = cases(suite_gated_by(EachGate()))
    assert (a.slice, a.probes, a.severity, a.span, a.title) == (
        "probe[a]",
        PROBES[:1],
        "low",
        PROBE_SPAN,
        "s · a",
    )
    assert (b.slice, b.severity) == ("probe[b]", "high")


@pytest.mark.parametrize(
    ("gate", "alone"),
    [
        (EachGate(require="pass"), True),
        (EachGate(require="retained"), False),
        (MarginGate(over="all", max_drop=0.1), False),
    ],
)
def test_only_require_pass_asks_the_tuned_model_alone(gate, alone):
    assert next(case.tuned_alone for case in cases(suite_gated_by(gate))) is alone


def test_cases_keep_the_order_of_the_gates():
    slices = [
        case.slice
        for case in cases(
            suite_gated_by(
                EachGate(), MarginGate(over="all", max_drop=0.1), MarginGate(over="category", max_drop=0.2)
            )
        )
    ]
    assert slices == ["probe[a]", "probe[b]", "probe[c]", "probe[d]", "all", "category[x]", "category[y]"]


def test_many_categories_are_no_matter():
    probes = tuple(Probe(f"p{n}", MENTIONS, category=f"c{n // 2}") for n in range(40_000))
    found = list(cases(Suite("s", (MarginGate(over="category", max_drop=0.1),), probes)))
    assert len(found) == 20_000
    assert found[7].slice == "category[c7]"
    assert found[7].probes == probes[14:16]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("all", "all"), ("each", "each"), ("category[math]", "math"), ("probe[json-object]", "json-object")],
)
def test_a_slice_as_people_read_it(name, shown):
    assert shown_slice(name) == shown
