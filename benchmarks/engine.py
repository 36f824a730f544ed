"""How fast the engine asks, beside transformers' own `generate`, on the embedded model; compare within one run only.

python benchmarks/engine.py [PROBES]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch

from harness.engine.prompts import request
from harness.engine.registry import open_engine
from harness.engine.requests import MultipleChoice, Plain
from harness.engine.transformers.quiet import quiet
from harness.models.reference import find_local_model
from harness.scoring import SCORERS
from harness.suites.read import read_suite

BATCH = 32


def main(probes: int) -> None:
    suite = read_suite(Path(__file__).parents[1] / "suites" / "general_qa.yaml", SCORERS)
    engine = open_engine(find_local_model("embedded"))
    requests = [request(suite, probe) for probe in suite.probes[:probes]]
    shots = "".join(
        f"Question: {p.fields['question']}\nAnswer: {p.answers[0]}\n\n" for p in suite.probes[-5:]
    )
    choices = [
        MultipleChoice(
            Plain(f"{shots}Question: {p.fields['question']}\nAnswer:"),
            (f" {p.answers[0]}", " yes", " no", " maybe"),
        )
        for p in suite.probes[: probes // 4]
    ]
    generate(engine, requests[:2])
    engine.ask(requests[:2])
    rows = [
        ("transformers generate, batches of 32", timed(lambda: generate(engine, requests))),
        ("engine, the same questions", timed(lambda: engine.ask(requests))),
        ("engine, 5-shot four-choice", timed(lambda: engine.ask(choices))),
    ]
    for name, seconds in rows:
        print(f"{name:<40} {seconds:6.1f} s  {seconds / rows[0][1]:5.2f} of the first")


def generate(engine, requests) -> list[str]:
    tokenizer, texts = engine.tokenizer, [engine.render(one.prompt) for one in requests]
    tokenizer.padding_side = "left"
    written = []
    with torch.inference_mode(), quiet():
        for start in range(0, len(texts), BATCH):
            batch = tokenizer(
                texts[start : start + BATCH], padding=True, add_special_tokens=False, return_tensors="pt"
            )
            output = engine.model.generate(
                **batch,
                max_new_tokens=requests[0].max_new_tokens,
                do_sample=False,
                pad_token_id=engine.pad_token,
            )
            written += tokenizer.batch_decode(output[:, batch.input_ids.shape[1] :], skip_special_tokens=True)
    return written


def timed(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
