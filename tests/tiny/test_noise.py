"""--noise-floor with a real engine: other batches, and in float32 hardly a flip."""

from __future__ import annotations

from harness.engine.transformers.forward import Forward
from tests.support.project import said


def test_other_batches_flip_hardly_anything_in_float32_on_a_cpu(gate, base, monkeypatch):
    widths, read = [], Forward.at

    def noted(forward, tokens, positions, kept):
        widths.append(len(tokens))
        return read(forward, tokens, positions, kept)

    monkeypatch.setattr(Forward, "at", noted)
    result = gate.run(base, "--noise-floor", "2", "--device", "cpu", baseline="same")
    assert result.ret == 0, said(result)
    first, *_, last = widths
    assert first > 4 * last, "the baseline was asked in other shapes"
    noise = gate.record()["run"]["noise"]["colours"]
    assert (noise["conditions"], noise["probes"]) == (3, 60)
    assert noise["flipped"] <= 1
    assert "answers of the baseline flipped over 3 conditions" in said(result)
