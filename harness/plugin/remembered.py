"""Remember the last gated model in pytest's cache, and refuse `--lf` and `--stepwise` for another one.

These options leave out gates that passed before, which is no evidence about other weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.plugin.tally import LOOK, is_case_id

if TYPE_CHECKING:
    from harness.reporting.rows import ModelRow

KEY = "forgetting-gate/tuned"

Weights = Sequence[str | None]
"""The SHA-256 of the tuned model, its base, the baseline and its base; None for one that does not exist."""


def weights_of(tuned: ModelRow | None, baseline: ModelRow | None) -> Weights | None:
    """The hashes of both sides; None if the tuned model's are unknown."""
    if tuned is None or not tuned.weights:
        return None
    return [weights for side in (tuned, baseline) if side for weights in (side.weights, side.base_weights)]


def option_that_leaves_out(config: pytest.Config) -> str | None:
    """The option by which this run leaves out gates that passed before, if any."""
    option = config.option
    if getattr(option, "lf", False):
        return "--lf"
    stepwise = getattr(option, "stepwise", False) or getattr(option, "stepwise_skip", False)
    return "--stepwise" if stepwise and not option.stepwise_reset else None


def check_model(config: pytest.Config, reference: str, weights: Weights | None) -> None:
    """Refuse to leave gates out unless the last run gated this model; `weights` are None while they are unknown.

    Raises:
        HarnessError: it gated another model, or an unknown one.
    """
    if (option := option_that_leaves_out(config)) is None:
        return
    kept = _kept(config)
    known, remembered = kept.get("weights"), _remembered(config, option)
    if not kept and not remembered:
        return  # this is the first run, so nothing will be left out
    same = bool(known) and (known == list(weights) if weights else kept.get("reference") == reference)
    if not same:
        raise refusal(option, kept.get("reference") if known else None, reference)
    failed = set(kept["failed"])
    if remembered - failed or (option == "--stepwise" and remembered and failed - remembered):
        raise refusal(option, None, reference)


def refusal(option: str, before: str | None, now: str) -> HarnessError:
    """The error of a run that would leave out gates that passed for another model."""
    passed = f"{before}, as it was then" if before == now else before or "an unknown model"
    return HarnessError(
        f"{option} leaves out gates that passed before, and they passed for {passed}; that is no evidence about {now}\n"
        f"  run it with --cache-clear instead of {option}"
    )


def remember(
    config: pytest.Config, reference: str | None, weights: Weights | None, failed: set[str], seen: set[str]
) -> None:
    """Keep the model of this run, and the cases that pytest will remember as failed."""
    cache = getattr(config, "cache", None)  # -p no:cacheprovider
    if cache is None:
        return
    kept = _kept(config)
    before = set(kept["failed"]) if weights and kept.get("weights") == list(weights) else set()
    value = {
        "reference": reference,
        "weights": weights and list(weights),
        "failed": sorted(before - seen | failed),
    }
    cache.set(KEY, value)


def _kept(config: pytest.Config) -> dict[str, Any]:
    cache = getattr(config, "cache", None)
    value = cache.get(KEY, None) if cache else None
    return value if isinstance(value, dict) and isinstance(value.get("failed"), list) else {}


def _remembered(config: pytest.Config, option: str) -> set[str]:
    """The failed cases that pytest remembers, of all runs and models alike."""
    assert config.cache is not None, "pytest's cache plugin has the option"
    if option == "--lf":
        return set(filter(_is_gate, config.cache.get("cache/lastfailed", {})))
    last = (config.cache.get("cache/stepwise", None) or {}).get("last_failed")
    return {last} if last and _is_gate(last) else set()


def _is_gate(nodeid: str) -> bool:
    return is_case_id(nodeid) and not nodeid.endswith(LOOK)
