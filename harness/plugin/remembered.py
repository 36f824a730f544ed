"""What pytest's cache remembers of the last gated model in; whether this run may leave gates out by it, out.

`--lf` and `--stepwise` leave out what passed before. A gate that passed for other weights says nothing of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin.tally import is_case_id

if TYPE_CHECKING:
    from harness.reporting.record import ModelRow

KEY = "forgetting-gate/tuned"

FullModel = Sequence[str | None]
"""SHA-256 of the tuned model, its base, the baseline, its base; None where there is no such thing."""


def weights_of(tuned: ModelRow | None, baseline: ModelRow | None) -> FullModel | None:
    """Both sides by content; None where that is not known of the tuned model."""
    if tuned is None or not tuned.weights:
        return None
    return [found for side in (tuned, baseline) if side for found in (side.weights, side.base_weights)]


def option_that_leaves_out(config: pytest.Config) -> str | None:
    """The option by which this run leaves out what an earlier one passed."""
    option = config.option
    if getattr(option, "lf", False):
        return "--lf"
    stepwise = getattr(option, "stepwise", False) or getattr(option, "stepwise_skip", False)
    return "--stepwise" if stepwise and not option.stepwise_reset else None


def check_model(config: pytest.Config, reference: str, weights: FullModel | None) -> None:
    """Refuse to leave gates out, unless the last run gated this model; `weights` are None while they are not known.

    Raises:
        pytest.UsageError: it gated another, or nobody knows which.
    """
    if (option := option_that_leaves_out(config)) is None:
        return
    kept = _kept(config)
    known, remembered = kept.get("weights"), _remembered(config, option)
    if not kept and not remembered:
        return  # there was no run before, so nothing will be left out
    same = bool(known) and (known == list(weights) if weights else kept.get("reference") == reference)
    if not same:
        raise pytest.UsageError(refusal(option, kept.get("reference") if known else None, reference))
    failed = set(kept["failed"])
    if remembered - failed or (option == "--stepwise" and remembered and failed - remembered):
        raise pytest.UsageError(refusal(option, None, reference))


def refusal(option: str, before: str | None, now: str) -> str:
    """Why gates are not left out, and what to do."""
    by = f"{before}, as it was then" if before == now else before or "a model that is not known"
    return (
        f"{option} leaves out gates that passed before, and they passed for {by}; that says nothing of {now}\n"
        f"  run it with --cache-clear instead of {option}"
    )


def remember(
    config: pytest.Config, reference: str | None, weights: FullModel | None, failed: set[str], seen: set[str]
) -> None:
    """Note what this run gated, and which of the cases seen pytest will remember as failed."""
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
    """The cases by which pytest chooses; it mixes the failures of all runs, whatever they gated."""
    assert config.cache is not None, "the option is its plugin's"
    if option == "--lf":
        return set(filter(is_case_id, config.cache.get("cache/lastfailed", {})))
    last = (config.cache.get("cache/stepwise", None) or {}).get("last_failed")
    return {last} if last and is_case_id(last) else set()
