"""How a model is to be run, as plain values; decided without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from harness.suites.arguments import Arguments

Template = Literal["own", "baseline", "tuned"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class Settings:
    """Where and how models run.

    Attributes:
        device: "auto" (CUDA, else MPS, else CPU) or a torch device such as "cuda:1".
        dtype: "auto" is float32 on a CPU and what the weights are saved in elsewhere.
        batch_tokens: the tokens a batch may hold, padding included; None chooses by device.
        template: whose tokenizer and chat template both models are asked through; "own" leaves each its own.
        allow_remote_code: run Python code that comes with a model.
        allow_pickle: read weights that are not safetensors.
        allow_keys: keys of an adapter's config that the installed peft does not know and may leave out.
        template_arguments: what chat templates are given, over what suites say.
        thinking_tokens: what reasoning may take before an answer, in tokens, over what suites say.
        allow_conversion: gate a tuned model whose weights are the baseline's, but for the rounding of a smaller float.
    """

    device: str = "auto"
    dtype: Dtype = "auto"
    batch_tokens: int | None = None
    template: Template = "own"
    allow_remote_code: bool = False
    allow_pickle: bool = False
    allow_keys: tuple[str, ...] = ()
    allow_conversion: bool = False
    template_arguments: Arguments = ()
    thinking_tokens: int | None = None
