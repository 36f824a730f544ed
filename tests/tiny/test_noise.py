"""--noise-floor with a real engine: other batches, and in float32 hardly a flip."""

from __future__ import annotations

from harness.engine.batching import make_batches
from tests.support.project import said


def test_other_batches_flip_hardly_anything_in_float32_on_a_cpu(gate, base, monkeypatch):
    shapes = []

    def noted(lengths, budget):
        batches = make_batches(lengths, budget)
        shapes.append(sorted(map(len, batches)))
        return batches

    monkeypatch.setattr("harness.engine.transformers.engine.make_batches", noted)
    result = gate.run(base, "--noise-floor", "2", "--device", "cpu", baseline="same")
    assert result.ret == 0, said(result)
    assert len({tuple(sizes) for sizes in shapes if sizes}) == 3, "the baseline was asked in three shapes"
    noise = gate.record()["run"]["noise"]["colours"]
    assert (noise["conditions"], noise["probes"]) == (3, 60)
    assert noise["flipped"] <= 1
    assert "answers of the baseline flipped over 3 conditions" in said(result)
