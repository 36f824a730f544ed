"""Two engines that are ready to be asked, where they run, and what the user should hear about them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.engine.requests import Engine, Side


@dataclass(frozen=True)
class EnginePair:
    """Both models; `device` and `dtype` are None where their engines do not say."""

    baseline: Engine
    tuned: Engine
    device: str | None = None
    dtype: str | None = None
    notes: tuple[str, ...] = ()

    def of(self, side: Side) -> Engine:
        """The engine of one side."""
        return self.baseline if side == "baseline" else self.tuned
