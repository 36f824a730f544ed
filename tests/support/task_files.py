"""Task files of lm-evaluation-harness, one of each output type, with their documents; and the suites that ask them."""

from __future__ import annotations

import json
from pathlib import Path

from harness.documents.within import Reach
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from harness.suites.suite import Suite

WORDS = ["red", "blue", "green", "yellow", "north", "south", "cat", "dog", "horse", "bird", "one", "two"]
HEAD = """\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: docs.jsonl}}}}
test_split: test
output_type: {output_type}
"""
CHOICE = """\
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: gold
doc_to_choice: "{{choices}}"
num_fewshot: 1
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
"""
MUTUAL = CHOICE.replace("{metric: acc,", "{metric: acc_mutual_info,")
TEXT = """\
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: answer
generation_kwargs: {until: ["\\n", "Question:"], max_gen_toks: 10}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true}
filter_list:
  - {name: whole, filter: [{function: take_first}]}
  - {name: words, filter: [{function: regex, regex_pattern: "(\\\\w+)"}, {function: take_first}]}
"""
LAST_WORD = """\
doc_to_text: "Question: {{question}}"
doc_to_target: "{{answer}}"
metric_list:
  - {metric: perplexity, aggregation: perplexity, higher_is_better: false}
  - {metric: acc, aggregation: mean, higher_is_better: true}
"""
ROLLING = """\
doc_to_text: ""
doc_to_target: "{{text}}"
metric_list:
  - {metric: word_perplexity, aggregation: weighted_perplexity, higher_is_better: false}
  - {metric: bits_per_byte, aggregation: bits_per_byte, higher_is_better: false}
"""
BLANKS = """\
doc_to_text: gold
doc_to_target: " was {{answer}}."
doc_to_choice: "{{choices}}"
target_delimiter: ""
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
"""
"""Several prompts and one continuation, as winogrande has them."""

TASKS = {
    "choice": ("multiple_choice", CHOICE),
    "mutual": ("multiple_choice", MUTUAL),
    "blanks": ("multiple_choice", BLANKS),
    "written": ("generate_until", TEXT),
    "last-word": ("loglikelihood", LAST_WORD),
    "rolling": ("loglikelihood_rolling", ROLLING),
}
GROUP = "group: all-of-it\ntask: [choice, blanks]\n"
CODE = "task: code\ninclude: choice.yaml\nprocess_docs: !function own.keep\n"


def document(index: int) -> dict[str, object]:
    choices = [WORDS[(index + step) % len(WORDS)] for step in (0, 1, 5)]
    gold = index % 3
    return {
        "question": f"Which of the words is number {index}, {choices[gold]}?",
        "choices": choices,
        "gold": gold,
        "answer": choices[gold],
        "text": " ".join(WORDS[(index * step) % len(WORDS)] for step in range(5 if index % 2 else 90)),
    }


def write_tasks(folder: Path, documents: int = 12) -> Path:
    """Every task, a group, and one with a function of its own."""
    rows = "".join(json.dumps(document(index)) + "\n" for index in range(documents))
    texts = {name: HEAD.format(name=name, output_type=kind) + text for name, (kind, text) in TASKS.items()}
    files = {f"{name}.yaml": text for name, text in {**texts, "group": GROUP, "code": CODE}.items()}
    for name, text in {**files, "docs.jsonl": rows, "own.py": "def keep(docs):\n    return docs\n"}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def suite_of(folder: Path, source: str, *, code: bool = False, more: str = "") -> Suite:
    """The suite `from: {lm_eval: SOURCE}`."""
    path = folder / "suite.yaml"
    path.write_text(f"suite: mine\nfrom: {{lm_eval: {source}}}\n{more}", encoding="utf-8")
    return read_suite(path, SCORERS, Reach(folder, code=code))
