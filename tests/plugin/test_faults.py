"""What pytest says of a case that there is not, and of a suite that may mean something else than its author."""

from __future__ import annotations

import pytest

SUITE = """\
suite: lamps
score: mentions
gates: [{over: all, max_drop: 0.5}, {over: category, max_drop: 0.5}]
probes:
  - {id: a, category: policy, question: "Why?", answer: b}
  - {id: b, category: hardware, question: "Who?", answer: c}
"""


@pytest.fixture
def run(pytester):
    """Collect a suite with these arguments; gives the result."""

    def run(*arguments: str, text: str = SUITE):
        (pytester.path / "s.yaml").write_text(text, encoding="utf-8")
        return pytester.runpytest("--collect-only", *arguments)

    return run


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("category[maths]", "there are: all, category[policy], category[hardware]"),
        ("category[polcy]", "did you mean 'category[policy]'? there are: all, category[policy], category[hardware]"),
        ("each", "there are: all, category[policy], category[hardware]"),
    ],
)  # fmt: skip
def test_a_case_that_there_is_not(run, case, said):
    result = run(f"s.yaml::{case}")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        [f"ERROR: s.yaml: there is no case '{case}'".replace("[", "[[]"), f"  {said}".replace("[", "[[]")]
    )


def test_a_category_is_found(run):
    run("s.yaml::category[policy]").assert_outcomes()


def test_a_word_of_k_that_matches_nothing(project):
    project.capability("[{over: each}]", (1, 1, 0, 0))
    result = project.run(*project.folders(), "-k", "maths")
    assert result.ret == 5
    assert any("-k 'maths' matches no case; there are: probe[" in line for line in result.outlines)


def test_a_text_that_may_be_cut_is_noted_once(project):
    project.capability("[{over: each}]", (1, 1, 0, 0))
    path = next((project.path if hasattr(project, "path") else project.pytester.path).rglob("*.yaml"))
    path.write_text(path.read_text().replace("\nprobes:", "\nabout: ''\nprobes:"))
    result = project.run(*project.folders())
    assert sum("'about' is empty" in line for line in result.outlines) == 1
