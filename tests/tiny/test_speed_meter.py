"""benchmarks/speed/metered.py counts what a model of transformers reads when the gate's own engine asks it, and nothing else."""

from __future__ import annotations

from benchmarks.speed.processes import run
from tests.support.models import save_model

ASKS = """
from harness.engine.registry import open_engine
from harness.engine.requests import Generate, Plain
from harness.models.reference import find_local_model

def test_asking():
    engine = open_engine(find_local_model("model"))
    (answer,) = engine.ask([Generate(Plain("abcdefgh"), 5)])
    assert answer.tokens == 5
"""


def test_the_gates_engine_is_metered_under_pytest(tmp_path):
    """Which loads the modules of its plugins by itself."""
    save_model(tmp_path / "model")
    (tmp_path / "test_asks.py").write_text(ASKS, encoding="utf-8")
    taken = run("pytest", "-q", folder=tmp_path)
    assert taken.tokens == 8 + 4  # of the five that it writes, the last one is not read
    assert 0 < taken.computing < taken.asking < taken.wall
