"""A callback in a training of two processes: one asks, and its stops and errors reach the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TWO = """
import sys
from pathlib import Path
import torch
from transformers import TrainerCallback
from harness.errors import EngineError, HarnessError
from harness.training.callback.callback import ForgettingCallback
from harness.training.callback.checkpoints import BestCheckpoint
sys.path.insert(0, sys.argv[1])
from tests.support.trainings import run

base, suite, out = map(Path, sys.argv[2:])
callback = ForgettingCallback([suite], every=2)
made = run(base, out, [callback], steps=8, ddp_timeout=60)
rank = made.args.process_index

class Spoil(TrainerCallback):
    def on_step_begin(self, args, state, control, model=None, **kwargs):
        with torch.no_grad():
            model.lm_head.weight.fill_(float("nan"))

try:
    run(base, out, [Spoil(), ForgettingCallback([suite], every=2)], steps=8, ddp_timeout=60)
except EngineError as error:
    told = str(error).splitlines()[0]

def fill(best, step, drop, loss, *args):
    if loss is not None:
        raise HarnessError("the disk is full")

BestCheckpoint.offer = fill
often = {"eval_strategy": "steps", "eval_steps": 2}
try:
    best = ForgettingCallback([suite], every=2, stop_on=None, keep_best=out / "best")
    run(base, out, [best], rate=1e-5, steps=8, ddp_timeout=60, **often)
except HarnessError as error:
    offered = str(error).splitlines()[-1].strip()
(out / f"rank-{rank}").write_text(f"{made.state.global_step} {len(callback.history)} {told}\\n{offered}")
torch.distributed.barrier()  # neither goes while the other still listens to it
torch.distributed.destroy_process_group()
"""


def test_a_stop_and_an_error_reach_every_process(base, suite, tmp_path):
    script = tmp_path / "two.py"
    script.write_text(TWO)
    root = str(Path(__file__).parents[2])
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script),
        root, str(base), str(suite), str(tmp_path),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [(tmp_path / f"rank-{rank}").read_text().splitlines() for rank in (0, 1)]
    main, other = (first.split(" ", 2) for first, _ in lines)
    assert main[:2] == ["2", "2"]
    assert other[:2] == ["2", "0"], "the other process went on alone, or gated too"
    assert "the suite 'known' cannot be asked" in main[2]
    assert other[2] == "the main process could not gate the model"
    assert [last for _, last in lines] == ["the disk is full", "HarnessError: the disk is full"]
