"""The tasks of benchmarks/lm_eval_tasks, asked by lm-evaluation-harness and, as suites, by this harness.

    make bench-parity

makes an environment of its own (.benchmark-venv: this project, lm-eval, the embedded model) and runs this script in it. Both
read the same weights (SmolLM2-135M-Instruct, float32) in one process. Item by item it compares the log-probability of each
choice, the text that is written, and the metric; it exits with 1 where a text or a metric differs or a log-probability is off
by more than 0.001. The times are of asking, without loading; compare them within one run only.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import lm_eval
import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from harness.documents.within import Reach
from harness.engine.prompts import request
from harness.engine.registry import open_engine
from harness.engine.requests import ChoiceLogProbs
from harness.engine.transformers.gguf import ensure_embedded
from harness.models.embedded import embedded_folder
from harness.models.reference import find_local_model
from harness.scoring import SCORERS, score
from harness.suites.read import read_suite

TASKS = Path(__file__).parent / "lm_eval_tasks"
NAMES = ("world_choice", "world_choice_random", "world_answer")
TOLERANCE = 1e-3
BATCH = 16
ROW = "{:<20} {:<12} {:>5} {:>13} {:>8} {:>8} {:>7} {:>8} {:>8} {:>6}"


def main() -> int:
    ensure_embedded(print)
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars
        return ask_both()


def ask_both() -> int:
    print(f"lm-eval {version('lm-eval')}, transformers {version('transformers')}, torch {torch.__version__}, "
          f"{torch.get_num_threads()} threads, float32, lm-eval in batches of {BATCH}")  # fmt: skip
    theirs = HFLM(pretrained=str(embedded_folder()), dtype="float32", device="cpu", batch_size=BATCH)
    ours = open_engine(find_local_model("embedded"))
    columns = (
        "task",
        "metric",
        "items",
        "logprobs off",
        "answers",
        "scores",
        "right",
        "lm-eval",
        "harness",
        "ratio",
    )
    print(ROW.format(*columns))
    good = True
    for name in NAMES:
        samples, seconds = ask_lm_eval(theirs, name)
        for metric in samples[0]["metrics"]:
            good &= compare(name, metric, ours, samples, seconds)
    print("the same" if good else "NOT the same")
    return 0 if good else 1


def ask_lm_eval(model, name):
    """The logged samples of a task, in the order of its documents, and the seconds they took."""
    manager = TaskManager(include_path=str(TASKS), include_defaults=False)
    began = time.perf_counter()
    with contextlib.chdir(TASKS):
        result = lm_eval.simple_evaluate(
            model, tasks=[name], task_manager=manager, log_samples=True, bootstrap_iters=0
        )
    seconds = time.perf_counter() - began
    return sorted(result["samples"][name], key=lambda sample: sample["doc_id"]), seconds


def compare(name, metric, engine, samples, seconds):
    """Ask a task as a suite, print how its items compare, and return whether all are the same."""
    began = time.perf_counter()
    suite = suite_of(name, metric)
    answers = engine.ask([request(suite, probe) for probe in suite.probes])
    ours = time.perf_counter() - began
    n, off, same, equal, right = len(samples), 0.0, 0, 0, 0
    for sample, probe, answer in zip(samples, suite.probes, answers, strict=True):
        judged = score(probe, answer).right
        right, equal = right + judged, equal + (bool(sample[metric]) == judged)
        if isinstance(answer, ChoiceLogProbs):
            there = [float(response[0][0]) for response in sample["resps"]]
            off = max(off, *(abs(a - b) for a, b in zip(there, answer.logprobs, strict=True)))
            same += there.index(max(there)) == answer.logprobs.index(max(answer.logprobs))
        else:
            same += sample["resps"][0][0] == answer.text
    print(ROW.format(
        name, metric, n, f"{off:.1e}", f"{same}/{n}", f"{equal}/{n}", right, f"{seconds:.1f} s", f"{ours:.1f} s",
        f"{seconds / ours:.1f}",
    ))  # fmt: skip
    return same == equal == n and off <= TOLERANCE


def suite_of(name, metric):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "suite.yaml"
        source = f"{{lm_eval: {TASKS / name}.yaml, metric: {metric}}}"
        path.write_text(f"suite: {name}\nfrom: {source}\n", encoding="utf-8")
        return read_suite(path, SCORERS, Reach(anywhere=True))


if __name__ == "__main__":
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    sys.exit(main())
