"""python -m benchmarks.speed.same_tokens SUITE LM_EVAL_RUN MODEL

Prints as JSON of how many items both harnesses show a model the same tokens, and the tokens of each item's rows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lm_eval.models.huggingface import HFLM

from harness.engine.prompts import request
from harness.engine.registry import open_engine
from harness.models.reference import find_local_model
from harness.scoring import SCORERS
from harness.suites.read import read_suite

Rows = list[list[int]]


def main(suite_file: Path, run: Path, reference: str) -> None:
    suite = read_suite(suite_file, SCORERS)
    engine: Any = open_engine(find_local_model(reference))
    ours: list[Rows] = [engine.request_tokens(request(suite, probe)) for probe in suite.probes]
    theirs = HFLM(pretrained=engine.model, tokenizer=engine.tokenizer, batch_size=1)
    items = json.loads(run.read_text(encoding="utf-8"))["prompts"]
    same = sum(rows == rows_of(theirs, prompts) for rows, prompts in zip(ours, items, strict=True))
    print(json.dumps({"same": same, "rows": ours}))


def rows_of(model: Any, prompts: Sequence[Sequence[str]]) -> Rows:
    """What lm-evaluation-harness reads of an item: a row for each choice, or that of the prompt."""
    if len(prompts[0]) == 1:
        return [model.tok_batch_encode([text])[0][0].tolist() for (text,) in prompts]
    return [[*context, *choice] for context, choice in (model._encode_pair(*pair) for pair in prompts)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
