"""The text of a suite of so many probes, of which "right" is the answer."""

from __future__ import annotations


def suite_text(
    name: str, n: int, gates: str = "{over: all, max_drop: 0.1}", ids: str = "", **more: str
) -> str:
    """Probes alternate between the categories a and b.

    Args:
        ids: what the ids begin with, in place of the name.
        more: other keys of the suite.
    """
    probes = "\n".join(
        f"  - {{id: {ids or f'{name}-'}{i}, category: {'ab'[i % 2]}, question: {name} {i}?, answer: right}}"
        for i in range(n)
    )
    extra = "".join(f"{key}: {value}\n" for key, value in more.items())
    return f"suite: {name}\n{extra}score: equals\ngates: [{gates}]\nprobes:\n{probes}\n"


NAME = "a name without spaces, colons, slashes, backslashes and square brackets"


def suite_with(
    probe: str = "{id: a, question: Why?, answer: b}",
    gates: str = "[{over: all, max_drop: 0.1}]",
    score: str | None = "mentions",
    task: str = "{}",
    more: str = "",
) -> str:
    """A suite with its gates in line 2 from column 8, its task in 3 from 7, its score in 4 from 8,
    and its first probe in line 6 (5 without a score) from column 5.
    """
    scored = "" if score is None else f"score: {score}\n"
    return f"suite: s\ngates: {gates}\ntask: {task}\n{scored}probes:\n  - {probe}\n{more}"
