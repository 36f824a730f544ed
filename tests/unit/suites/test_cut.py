"""What YAML may have cut out of a text: told by `lint` at the text's line, and never of what is plainly a comment."""

from __future__ import annotations

import pytest

from harness.authoring.lint_rules import weaknesses

SUITE = """\
# suite
suite: s # name
about: x # y
severity: high # z
task: # how
  prompt: "{{question}}" # quoted
  system: {system}
  max_new_tokens: 5 # few
score: mentions # whole words
gates:
  - {{over: each}} # each
probes:
  # first
  - id: a # id
    category: c # category
    question: {question}
    answer: [lang] # list
    note: old # note
  - {{id: b, question: "What # is it?", answer: 'yes'}} # flow
generators:
  - count: 1 # one
    draw: {{x: {{choice: [red]}}}} # drawn
    probe: # made
      question: {made}
      answer: 5 # number
    probes: # several
      - id: of-one # id
        question: {listed}
"""
REMEDY = "quote the text if that is part of it: {}, or put the comment on its own line"


def told(read, system="Be brief.", question="What is it?", made="How {x}?", listed="Why {x}?"):
    suite = read(SUITE.format(system=system, question=question, made=made, listed=listed))
    return [str(problem) for problem in weaknesses(suite) if "YAML takes" in problem.message]


def test_plain_comments_are_no_matter(read):
    assert told(read) == []


@pytest.mark.parametrize(
    ("where", "text", "place", "key"),
    [
        ("question", "What is C {}", "s.yaml:16:15", "question"),
        ("question", "What is\n      C {}", "s.yaml:16:15", "question"),
        ("system", "You are {}", "s.yaml:7:11", "system"),
        ("made", "Is {{x}} {}", "s.yaml:24:17", "question"),
        ("listed", "Is {{x}} {}", "s.yaml:28:19", "question"),
    ],
)
@pytest.mark.parametrize("comment", ["# used for?", "   # used for?", "\t#used for?"])
def test_a_text_that_is_followed_by_one(read, where, text, place, key, comment):
    written = text.format(comment)
    shown = written.replace("\t", "\\t")
    whole = f'{key}: "{shown}"' if "\n" not in written else None
    remedy = REMEDY.format(whole) if whole else REMEDY.replace(": {}", "")
    assert told(read, **{where: written}) == [
        f"{place}: YAML takes '# used for?' for a comment, so '{key}' ends before it\n  {remedy}"
    ]


def test_quotes_keep_the_whole_text(read):
    assert told(read, question='"What is C # used for?"') == []


def test_a_long_comment_is_shortened(read):
    assert f"'# {'x' * 40}...'" in told(read, question=f"What is C # {'x' * 100}")[0]
