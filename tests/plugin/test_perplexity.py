"""`max_rise`: texts are gated on the mean rise of their bits per byte, from the suite to the record."""

from __future__ import annotations

import pytest

from tests.support.project import not_green, said
from tests.support.runs import ALL

SUITE = """\
suite: perplexity
task: {{format: text, answer: likelihood}}
gates: {gates}
probes:
"""
ENGINES = """
import pytest
from harness.engine.requests import LogLikelihood

class Scripted:
    kinds = frozenset({"likelihood"})

    def __init__(self, label, rises):
        self.label, self.rises = label, rises

    def render(self, prompt):
        return prompt.text

    def ask(self, requests, progress=None):
        answers = []
        for request in requests:
            number = int(request.text.split()[1])
            answers.append(LogLikelihood(-(20 + number) * (1 + self.rises[number % len(self.rises)]), 10))
        return answers

@pytest.fixture(scope="session")
def baseline():
    return Scripted("before", [0.0])

@pytest.fixture(scope="session")
def tuned():
    return Scripted("after", RISES)
"""
GATE = "[{over: all, max_rise: 0.02}]"


def perplexity(project, rises, gates=GATE, n=40):
    texts = "".join(f"  - {{id: t{number}, text: Text {number} is of some length.}}\n" for number in range(n))
    project.write("perplexity.yaml", SUITE.format(gates=gates) + texts)
    project.write("conftest.py", ENGINES.replace("RISES", repr(rises)))


@pytest.mark.parametrize(
    ("rises", "code", "verdict", "outcome"),
    [
        ([0.0], 0, "RETAINED", "passed"),
        ([0.01, 0.012], 0, "RETAINED", "passed"),
        ([-0.1, -0.12], 0, "RETAINED", "passed"),
        ([0.04, 0.05], 1, "FORGOTTEN", "failed"),
        ([0.15, -0.09], 0, "INCONCLUSIVE", "warned"),
        ([0.0, 0.0, 0.0, 0.1], 1, "INCONCLUSIVE", "failed"),
    ],
)
def test_the_mean_rise_decides(project, rises, code, verdict, outcome):
    perplexity(project, rises)
    assert project.run().ret == code
    assert project.outcomes() == {"perplexity all": (verdict, outcome)}


def test_it_is_described_in_percent(project):
    perplexity(project, [0.04, 0.05])
    result = project.run()
    text = said(result)
    assert (
        "perplexity · all: FORGOTTEN, bits per byte up by 4.5 % (margin 2 %; 90 % interval 4.4 to 4.6 %)\n"
        in text
    )
    assert "no accident: p = " in text
    assert "40 probes: 40 measured as texts.\n" in text
    assert "\nForgotten: perplexity, bits per byte up by 4.5 %\n" in text
    assert "\nBits per byte up by 4.5 % (90 % interval 4.4 to 4.6 %; margin 2 %).\n" in text
    assert "right before tuning" not in text
    [line] = [line for line in result.outlines if line.startswith("perplexity  ")]
    assert " ".join(line.split()) == "perplexity +4.5 % · │ ● 2 % 5 0 FORGOTTEN"


def test_one_that_cannot_be_told_is_a_warning_that_says_why(project):
    perplexity(project, [0.15, -0.09], GATE.replace("0.02", "0.04"))
    text = said(project.run())
    assert "INCONCLUSIVE, bits per byte up by 2.3 % (margin 4 %; " in text
    assert "what was observed is within the margin, but on too few texts to be sure" in text


def test_the_claim_of_a_retained_one_is_its_bound(project):
    perplexity(project, [0.01, 0.012])
    [line] = [line for line in project.run().outlines if line.startswith("perplexity  ")]
    assert " ".join(line.split()) == "perplexity +1.1 % · ● │ 2 % 0 0 RETAINED"


def test_the_record_has_the_rise(project):
    perplexity(project, [0.04, 0.05])
    project.run()
    [row] = project.record()["gates"]
    assert (row["max_rise"], row["max_drop"], row["max_loss"], row["n"]) == (0.02, None, None, 40)
    assert row["rise"] == pytest.approx(0.045, abs=1e-4)
    low, high = row["rise_interval"]
    assert 0.04 < low < row["rise"] < high < 0.05
    assert row["rise_p"] == row["holm_mid_p"] < 1e-6


def test_texts_count_among_the_gates_of_the_run_and_are_not_pooled(project):
    """The engines of the other suites answer no likelihood, so both suites are of texts."""
    perplexity(project, [0.01, 0.012])
    text = (project.path / "perplexity.yaml").read_text()
    project.write("more.yaml", text.replace("suite: perplexity", "suite: more"))
    assert project.run().ret == 0
    rows = project.record()["gates"]
    assert [(row["suite"], row["tests"]) for row in rows] == [("more", 2), ("perplexity", 2)]


def test_one_text_has_no_mean(project):
    perplexity(project, [0.0], n=1)
    assert project.run().ret == 5
    [row] = project.record()["gates"]
    assert (row["outcome"], row["undecided"]) == ("skipped", "not gated, 1 text: a mean needs 2")


def test_accuracy_is_no_measure_of_texts(project):
    perplexity(project, [0.0], gates=ALL)
    result = project.run()
    assert result.ret == 2
    assert "max_rise" in not_green(result)
