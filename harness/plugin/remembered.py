"""pytest's memory of failed tests in, the option by which a run leaves out gates out: such a run is never a pass.

Gates are decided together, and pytest remembers neither for which model a test passed, nor by which suite and options, nor
that it was asked at all. So what `--lf` or `--stepwise` leave out is no evidence.
"""

from __future__ import annotations

import pytest

from harness.plugin.tally import LOOK, is_case_id


def option_that_leaves_out(config: pytest.Config) -> str | None:
    """The option by which this run leaves out gates, if it has one; ask before pytest forgets what failed."""
    option, cache = config.option, getattr(config, "cache", None)  # none with -p no:cacheprovider
    if cache is None:
        return None
    if getattr(option, "lf", False) and any(map(_is_gate, cache.get("cache/lastfailed", None) or ())):
        return "--lf"
    stepwise = getattr(option, "stepwise", False) or getattr(option, "stepwise_skip", False)
    if stepwise and not getattr(option, "stepwise_reset", False):
        last = (cache.get("cache/stepwise", None) or {}).get("last_failed")
        return "--stepwise" if last and not last.endswith(LOOK) else None
    return None


def why_no_pass(option: str) -> str:
    """What to tell of such a run."""
    return (
        f"no pass: {option} leaves out gates, which may have passed for another model or suite, or were never asked; run it "
        f"without {option}: answers that are kept are not asked again"
    )


def _is_gate(nodeid: str) -> bool:
    return is_case_id(nodeid) and not nodeid.endswith(LOOK)
