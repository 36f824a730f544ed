"""python -m benchmarks.speed.metered FILE MODULE [ARGUMENT...]

Runs a module as `python -m` does, and writes to FILE what its model computed while it was asked, as JSON.

Nothing is imported for the sake of counting: classes are wrapped once the program itself has imported them, so that a program
that loads no model loads none here either.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import json
import runpy
import sys
import time
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

FORWARD = {
    "transformers.models.llama.modeling_llama": ("LlamaModel.forward", "LlamaForCausalLM.forward"),
}
"""Methods that compute, by their module; the first counts tokens."""

ASKING = {
    "harness.engine.transformers.engine": ("TorchEngine.ask", "TorchEngine.stream"),
    "lm_eval.models.huggingface": ("HFLM.loglikelihood", "HFLM.generate_until"),
}
"""Methods that are given requests and return answers."""


class Span:
    """The seconds inside some calls, of which one may contain others."""

    def __init__(self) -> None:
        self.depth, self.seconds, self.began = 0, 0.0, 0.0

    def __enter__(self) -> None:
        if not self.depth:
            self.began = time.perf_counter()
        self.depth += 1

    def __exit__(self, *raised: object) -> None:
        self.depth -= 1
        if not self.depth:
            self.seconds += time.perf_counter() - self.began


class Meter(MetaPathFinder):
    """Wraps the methods named above when their modules are imported."""

    def __init__(self) -> None:
        self.asking, self.computing = Span(), Span()
        self.tokens = self.calls = 0
        self.waiting = {*FORWARD, *ASKING}

    def counts(self) -> dict[str, float]:
        """Tokens that the model read, padding included, how often it was called, and the seconds in it and in asking."""
        threads = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else 0
        return {
            "tokens": self.tokens,
            "calls": self.calls,
            "computing": self.computing.seconds,
            "asking": self.asking.seconds,
            "threads": threads,
        }

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module as it is found without us, but with its methods wrapped."""
        if (
            sys.meta_path[0] is not self
        ):  # pytest puts its own before, for it rewrites the assertions of plugins
            sys.meta_path.remove(self)
            sys.meta_path.insert(0, self)
        if name not in self.waiting:
            return None
        self.waiting.discard(name)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def wrapped(module: ModuleType) -> None:
            execute(module)
            self.wrap(module)

        spec.loader.exec_module = wrapped  # type: ignore[method-assign]
        return spec

    def wrap(self, module: ModuleType) -> None:
        """Count and time the methods of a module that has just been imported."""
        for place, name in enumerate(FORWARD.get(module.__name__, ())):
            self._replace(module, name, self._computing if place else self._reading)
        for name in ASKING.get(module.__name__, ()):
            self._replace(module, name, self._asking)

    def _replace(self, module: ModuleType, name: str, around: Callable[[Any], Any]) -> None:
        owner, _, method = name.partition(".")
        function = getattr(getattr(module, owner), method)
        setattr(getattr(module, owner), method, functools.wraps(function)(around(function)))

    def _asking(self, function: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            with self.asking:
                return function(*given, **named)

        return call

    def _computing(self, function: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            if not self.asking.depth:
                return function(*given, **named)  # a proof at loading
            with self.computing:
                return function(*given, **named)

        return call

    def _reading(self, function: Any) -> Any:
        computing = self._computing(function)

        def call(model: Any, input_ids: Any = None, *given: Any, **named: Any) -> Any:
            if self.asking.depth:
                read = named["inputs_embeds"][..., 0] if input_ids is None else input_ids
                self.tokens += read.numel()
                self.calls += 1
            return computing(model, input_ids, *given, **named)

        return call


def main(file: Path, module: str, arguments: Sequence[str]) -> None:
    meter = Meter()
    sys.meta_path.insert(0, meter)
    atexit.register(lambda: file.write_text(json.dumps(meter.counts()), encoding="utf-8"))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
