"""Clusters that nobody wrote out: probes about one passage, and probes of one generator."""

from __future__ import annotations

import pytest

from harness.scoring import SCORERS
from harness.suites.clusters import PASSAGE, with_passages
from harness.suites.suite import Probe
from tests.support.suites import suite_with

LONG, OTHER, SHORT = "x" * PASSAGE, "y" * (PASSAGE + 50), "z" * (PASSAGE - 1)


def probe(id: str, cluster: str | None = None, **fields: str) -> Probe:
    return Probe(id, SCORERS["mentions"](), fields=fields, cluster=cluster)


def clusters(*probes: Probe) -> list[str | None]:
    return [found.cluster for found in with_passages(probes)]


def test_probes_about_one_passage_belong_together():
    a, b, c, d = clusters(
        probe("a", passage=LONG, question="Who?"),
        probe("b", passage=LONG, question="Where?"),
        probe("c", passage=OTHER, question="Who?"),
        probe("d", question="Who?"),
    )
    assert a == b
    assert a.startswith("passage ")
    assert (c, d) == (None, None)


@pytest.mark.parametrize(
    "probes",
    [
        [probe("a", passage=SHORT), probe("b", passage=SHORT)],
        [probe("a", passage=LONG), probe("b", passage=LONG + " ")],
        [probe("a", passage=LONG), probe("b", context=LONG)],  # another field of the prompt
        [probe("a", passage=LONG)],
        [],
    ],
)
def test_probes_without_a_passage_in_common(probes):
    assert set(clusters(*probes)) <= {None}


def test_of_several_passages_the_longest_that_is_shared_counts():
    ab, ba, c, d = clusters(
        probe("a", rules=LONG, passage=OTHER),
        probe("b", rules=LONG, passage=OTHER),
        probe("c", rules=LONG, passage="y" * 500),
        probe("d", rules=LONG),
    )
    assert ab == ba
    assert c == d
    assert ab != c


def test_a_cluster_that_was_written_stays():
    assert (
        clusters(probe("a", "mine", passage=LONG), probe("b", passage=LONG), probe("c", passage=LONG))[0]
        == "mine"
    )


def test_it_does_not_depend_on_the_order_or_on_other_probes():
    one, two, three = (probe(id, passage=LONG) for id in "abc")
    assert set(clusters(one, two)) == set(clusters(three, two, one))


GENERATED = """\
suite: s
score: number
gates: [{over: all, max_drop: 0.1}]
generators:
  - count: 3
    draw: {a: {whole: [1, 99]}}
    probe: {question: "{a} + 1?", answer: "{a + 1}"}
  - count: 2
    draw: {a: {whole: [1, 99]}}
    probe: {question: "{a} - 1?", answer: "{a - 1}"%s}
probes:
  - {id: own, question: 1 + 1?, answer: 2}
  - {id: mine, question: 2 + 1?, answer: 3, cluster: sums}
"""


@pytest.mark.parametrize(
    ("key", "second"),
    [
        ("", ["generated-2", "generated-2"]),
        (', cluster: "less {a % 2}"', None),
        (", cluster: differences", ["differences", "differences"]),
    ],
)
def test_a_generator_is_a_cluster(read, key, second):
    probes = read(GENERATED % key).probes
    by_id = {probe.id: probe.cluster for probe in probes}
    assert [by_id[f"generated-1-{i}"] for i in (1, 2, 3)] == ["generated-1"] * 3
    found = [by_id[f"generated-2-{i}"] for i in (1, 2)]
    assert found == second if second else {name[:5] for name in found} == {"less "}
    assert (by_id["own"], by_id["mine"]) == (None, "sums")


def test_passages_of_a_file(read):
    text = suite_with(
        f"{{id: a, question: Who?, passage: '{LONG}', answer: b}}",
        task="{prompt: '{passage} {question}'}",
        more=f"  - {{id: b, question: Where?, passage: '{LONG}', answer: b}}\n",
    )
    a, b = read(text).probes
    assert a.cluster == b.cluster is not None


@pytest.mark.parametrize(
    ("cluster", "saw"), [("''", "empty text"), ("[a]", "a list"), ('"a: b"', "text 'a: b'")]
)
def test_a_cluster_is_a_name(problems, cluster, saw):
    message = problems(suite_with(f"{{id: a, question: Why?, answer: b, cluster: {cluster}}}"))
    assert message.startswith("6:49: 'cluster' must be ")
    assert message.splitlines()[0].endswith(f", saw {saw}")
