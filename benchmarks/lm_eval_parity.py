"""The tasks of benchmarks/lm_eval_tasks, asked by lm-evaluation-harness and, imported as suites, by this harness.

    make bench-parity

makes an environment of its own (.benchmark-venv: this project, lm-eval 0.4.13, the embedded model) and runs this
script in it. Both read the same weights (SmolLM2-135M-Instruct, float32) in one process. Item by item it compares the
exact text that the model is shown, the log-probability of each choice, the text that is written, and every score; it
exits with 1 where a prompt, a text or a score differs or a log-probability is off by more than 0.001. The times are
of asking, without loading; compare them within one run only.
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

from harness.authoring.lm_eval.convert import convert
from harness.authoring.lm_eval.read import read_task
from harness.authoring.lm_eval.task import METRICS
from harness.engine.prompts import request
from harness.engine.registry import open_engine
from harness.engine.requests import ChoiceLogProbs, MultipleChoice
from harness.engine.transformers.gguf import ensure_embedded
from harness.models.embedded import embedded_folder
from harness.models.reference import find_local_model
from harness.scoring import SCORERS, score
from harness.suites.read import read_suite

TASKS = Path(__file__).parent / "lm_eval_tasks"
NAMES = ("world_choice", "world_choice_random", "world_answer")
TOLERANCE = 1e-3
BATCH = 16
ROW = "{:<20} {:>5} {:>8} {:>13} {:>8} {:>26} {:>8} {:>8} {:>6}"


def main() -> int:
    ensure_embedded(print)
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars
        return ask_both()


def ask_both() -> int:
    print(f"lm-eval {version('lm-eval')}, transformers {version('transformers')}, torch {torch.__version__}, "
          f"{torch.get_num_threads()} threads, float32, lm-eval in batches of {BATCH}")  # fmt: skip
    theirs = HFLM(pretrained=str(embedded_folder()), dtype="float32", device="cpu", batch_size=BATCH)
    ours = open_engine(find_local_model("embedded"))
    print(
        ROW.format(
            "task", "items", "prompts", "logprobs off", "answers", "scores", "lm-eval", "harness", "ratio"
        )
    )
    good = True
    for name in NAMES:
        samples, seconds_theirs = ask_lm_eval(theirs, name)
        suites, requests, answers, seconds_ours = ask_harness(ours, name)
        good &= compare(name, ours, samples, suites, requests, answers, seconds_theirs, seconds_ours)
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


def ask_harness(engine, name):
    """A suite for each metric, the requests, the answers, and the seconds from task file to answers."""
    path = TASKS / f"{name}.yaml"
    began = time.perf_counter()
    kind = read_task(path).kind
    suites = {metric: imported(path, metric) for metric in METRICS[kind]}
    requests = [request(next(iter(suites.values())), probe) for probe in next(iter(suites.values())).probes]
    answers = engine.ask(requests)
    return suites, requests, answers, time.perf_counter() - began


def imported(path, metric):
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "suite.yaml"
        suite.write_text(convert(read_task(path, metric)).text, encoding="utf-8")
        return read_suite(suite, SCORERS)


def compare(name, engine, samples, suites, requests, answers, seconds_theirs, seconds_ours):
    n = len(samples)
    assert n == len(answers), f"{name}: {n} samples, {len(answers)} answers"
    prompts = same = 0
    off = 0.0
    for sample, asked, answer in zip(samples, requests, answers, strict=True):
        shown = engine.render(asked.prompt)
        if isinstance(asked, MultipleChoice):
            assert isinstance(answer, ChoiceLogProbs)
            pairs = [(one[0], one[1]) for one in sample["arguments"]]
            prompts += [context + after for context, after in pairs] == [
                shown + one for one in asked.continuations
            ]
            there = [float(resps[0][0]) for resps in sample["resps"]]
            off = max(off, *(abs(a - b) for a, b in zip(there, answer.logprobs, strict=True)))
            same += max(range(len(there)), key=there.__getitem__) == max(
                range(len(there)), key=answer.logprobs.__getitem__
            )
        else:
            prompts += sample["arguments"][0][0] == shown
            same += sample["resps"][0][0] == answer.text
            if sample["resps"][0][0] != answer.text:
                print(f"  {name} {sample['doc_id']}: {sample['resps'][0][0]!r} there, {answer.text!r} here")
    scores, right = [], []
    for metric, suite in suites.items():
        here = [score(probe, answer).right for probe, answer in zip(suite.probes, answers, strict=True)]
        scores.append(sum(bool(sample[metric]) == one for sample, one in zip(samples, here, strict=True)))
        right.append(f"{metric} {sum(here)}/{n}")
    print(ROW.format(
        name, n, f"{prompts}/{n}", f"{off:.1e}" if isinstance(requests[0], MultipleChoice) else "-", f"{same}/{n}",
        " ".join(f"{each}/{n}" for each in scores), f"{seconds_theirs:.1f} s", f"{seconds_ours:.1f} s",
        f"{seconds_theirs / seconds_ours:.1f}",
    ))  # fmt: skip
    print(f"  right: {', '.join(right)}")
    return prompts == same == n and off <= TOLERANCE and all(each == n for each in scores)


if __name__ == "__main__":
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    sys.exit(main())
