"""The tasks of benchmarks/lm_eval_tasks, asked by lm-evaluation-harness and, as suites, by this harness.

    make bench-parity

makes an environment of its own (.benchmark-venv: this project, lm-eval, the embedded model) and runs this script in it. Both
read the same weights (SmolLM2-135M-Instruct, float32) in one process. Item by item it compares the log-probability of each
choice, the text that is written, and the metric; it exits with 1 where a text or a metric differs or a log-probability is off
by more than 0.001. `make bench` measures speed.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import lm_eval
import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from benchmarks.speed.agreement import Item, agreement
from benchmarks.speed.lm_eval_run import item
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
BATCH = 16
ROW = "{:<20} {:<12} {:>5} {:>13} {:>8} {:>8} {:>7}"


def main() -> int:
    ensure_embedded(print)
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars
        return ask_both()


def ask_both() -> int:
    print(f"lm-eval {version('lm-eval')}, transformers {version('transformers')}, torch {torch.__version__}, "
          f"{torch.get_num_threads()} threads, float32, lm-eval in batches of {BATCH}")  # fmt: skip
    theirs = HFLM(pretrained=str(embedded_folder()), dtype="float32", device="cpu", batch_size=BATCH)
    ours = open_engine(find_local_model("embedded"))
    print(ROW.format("task", "metric", "items", "logprobs off", "answers", "scores", "right"))
    good = True
    for name in NAMES:
        samples = ask_lm_eval(theirs, name)
        for metric in samples[0]["metrics"]:
            good &= compare(name, metric, ours, samples)
    print("the same" if good else "NOT the same")
    return 0 if good else 1


def ask_lm_eval(model, name):
    """The logged samples of a task, in the order of its documents."""
    manager = TaskManager(include_path=str(TASKS), include_defaults=False)
    with contextlib.chdir(TASKS):
        result = lm_eval.simple_evaluate(
            model, tasks=[name], task_manager=manager, log_samples=True, bootstrap_iters=0
        )
    return sorted(result["samples"][name], key=lambda sample: sample["doc_id"])


def compare(name, metric, engine, samples):
    """Ask a task as a suite, print how its items compare, and return whether all are the same."""
    suite = suite_of(name, metric)
    answers = engine.ask([request(suite, probe) for probe in suite.probes])
    right = [score(probe, answer).right for probe, answer in zip(suite.probes, answers, strict=True)]
    equal = sum(bool(sample[metric]) == judged for sample, judged in zip(samples, right, strict=True))
    found = agreement(list(map(item, samples)), list(map(item_of, answers)))
    n = found.items
    print(ROW.format(
        name, metric, n, f"{found.off:.1e}", f"{found.same}/{n}", f"{equal}/{n}", sum(right)
    ))  # fmt: skip
    return found.holds and equal == n


def item_of(answer):
    return Item(answer.logprobs) if isinstance(answer, ChoiceLogProbs) else Item(text=answer.text)


def suite_of(name, metric):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "suite.yaml"
        source = f"{{lm_eval: {TASKS / name}.yaml, metric: {metric}}}"
        path.write_text(f"suite: {name}\nfrom: {source}\n", encoding="utf-8")
        return read_suite(path, SCORERS, Reach(anywhere=True))


if __name__ == "__main__":
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    sys.exit(main())
