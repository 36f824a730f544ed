"""`python -m harness lint`: its warnings and exit codes, with the battery of replies and without."""

from __future__ import annotations

import pytest

from harness.cli.main import main

SUITE = """\
suite: NAME
score: {check: {min_words: 3, mentions: rain}}
gates: [{over: each}]
probes: [{id: a, question: Explain an umbrella.}]
"""
KNOWN = 'lint_ignore: {shuffled: "only one word is looked for", one_word: "the same", narrow: "the same"}\n'


@pytest.fixture
def lint(tmp_path, monkeypatch, capsys):
    """Lint suites with these texts; gives the exit code and the lines of the output and the errors."""
    monkeypatch.chdir(tmp_path)

    def run(*texts: str, options: tuple[str, ...] = ()) -> tuple[int, list[str]]:
        names = [f"s{number}.yaml" for number, _ in enumerate(texts)]
        for name, text in zip(names, texts, strict=True):
            (tmp_path / name).write_text(text.replace("NAME", name[:2]), encoding="utf-8")
        code = main(["lint", *options, *names])
        captured = capsys.readouterr()
        return code, [*captured.out.splitlines(), *captured.err.splitlines()]

    return run


def test_a_misjudged_reply_is_a_warning(lint):
    code, lines = lint(SUITE)
    assert code == 0
    assert lines[0] == "s0.yaml: s0, 1 probe, high; gates over each (retained)"
    assert lines[1].startswith(
        "s0.yaml:4:10: warning: the score of the probe 'a' judges right one word, again and again: \"rain rain"
    )
    assert lines[-1] == "2 warnings"


def test_strict_fails_on_it(lint):
    assert lint(SUITE, options=("--strict",))[0] == 1


def test_without_the_battery(lint):
    code, lines = lint(SUITE, options=("--strict", "--no-battery"))
    assert (code, len(lines)) == (0, 1)


def test_a_suite_that_says_why(lint):
    code, lines = lint(SUITE + KNOWN.replace(', narrow: "the same"', ""), options=("--strict",))
    assert (code, len(lines)) == (0, 1)


def test_a_reason_that_is_not_needed(lint):
    code, lines = lint(SUITE + KNOWN, options=("--strict",))
    assert code == 1
    assert lines[1:] == [
        "s0.yaml:1:1: warning: 'lint_ignore' of the suite 's0' names 'narrow', which lint does not find",
        "  remove it",
        "1 warning",
    ]


def test_ids_over_suites(lint):
    _, lines = lint(SUITE, SUITE, options=("--no-battery",))
    assert "s1.yaml:4:10: warning: the id 'a' is in the suite 's0' too" in lines
