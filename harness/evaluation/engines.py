"""Two engines and the gates of a run in, an error out where the engines alone could decide a gate, and what to note of them.

Engines round differently, so a model in one and the same model in another answer some probes differently, which is no loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.engine.abilities import Backed, Tokenizes
from harness.engine.prompts import request
from harness.engine.requests import Engine
from harness.errors import EngineError, Problem, listed
from harness.evaluation.noise import LEVEL, above
from harness.evaluation.suite_run import SuiteRun
from harness.gate.cases import Case
from harness.spelling import option
from harness.stats.paired import ROUNDING, least_to_retain
from harness.stats.power import noise_drop
from harness.suites.suite import MarginGate, RiseGate
from harness.wording import count, percent, points

USUAL_FLIPS = 0.05
"""The share of answers that are taken to flip between two engines, where nobody measured it."""

RISE = 0.01
"""The same of texts: the rise of the bits per byte that two engines reach on the same model."""


def backends(baseline: Engine, tuned: Engine) -> tuple[str, str] | None:
    """What computes the answers of each, if that differs; None if it is the same, or one cannot tell."""
    if not (isinstance(baseline, Backed) and isinstance(tuned, Backed)) or baseline.backend == tuned.backend:
        return None
    return baseline.backend, tuned.backend


def check_engines(
    runs: Iterable[SuiteRun],
    baseline: Engine,
    tuned: Engine,
    flips: float | None,
    max_flips: float | None,
) -> list[str]:
    """Check that every gate has a margin above what two engines do, and that texts are read alike; returns notes.

    Args:
        flips: the share of answers that flip between the engines on the same model, as measured; None for USUAL_FLIPS.
        max_flips: the margin of the gate over answers that flip; None for no such gate.

    Raises:
        EngineError: some gates could be decided by the engines; lists all of them.
    """
    found = backends(baseline, tuned)
    runs = [run for run in runs if run.compared]
    if found is None:
        _check_one_tells(runs, baseline, tuned)
        idle = f"{option('engine_flips')}: did nothing, for both models ran on one engine, or their engines do not tell"
        return [] if flips is None else [idle]
    before, after = found
    rate = USUAL_FLIPS if flips is None else flips
    problems = [problem for run in runs for problem in _problems(run, baseline, tuned, rate)]
    if max_flips is not None and max_flips <= rate + ROUNDING:
        problems.append(
            Problem(
                None, f"{option('max_flips', f'{max_flips:g}')}: two engines alone flip {percent(rate)} of answers",
                f"raise it above {rate:g}, or run both models on one engine",
            )
        )  # fmt: skip
    if problems:
        title = f"the baseline runs on {before} and the tuned model on {after}, which alone may decide these gates:"
        raise EngineError(title, *listed(problems))
    said = "taken" if flips is None else "measured"
    notes = [
        f"the baseline ran on {before} and the tuned model on {after}: {percent(rate)} of answers are {said} to flip "
        f"between these ({option('engine_flips')}), and every margin is above what that does{_beyond(runs)}"
    ]
    return notes + [
        f"{run.suite.name}: its choices are compared by log-probabilities of two engines, which round differently"
        for run in runs
        if run.suite.task.answer == "choose"
    ]


def _problems(run: SuiteRun, baseline: Engine, tuned: Engine, flips: float) -> Iterator[Problem]:
    if problem := _of_texts(run, baseline, tuned):
        yield problem
        return
    for case in run.gated.values():
        match case.gate:
            case MarginGate() as gate:
                yield from _within(case, gate, flips)
            case RiseGate(max_rise=margin) if margin <= RISE + ROUNDING:
                yield Problem(
                    case.span, f"{case.title}: a margin of {100 * margin:.3g} % is within the {100 * RISE:.3g} % that bits per byte "
                    "differ by on two engines", f"raise 'max_rise' above {RISE}, or run both models on one engine",
                )  # fmt: skip


def _of_texts(run: SuiteRun, baseline: Engine, tuned: Engine) -> Problem | None:
    """The problem of a suite of texts that two engines do not read as the same tokens."""
    if not run.suite.is_of_texts or not (why := _read_otherwise(run, baseline, tuned)):
        return None
    return Problem(
        run.suite.span, f"{run.suite.name}: texts are measured token by token, and {why}",
        "name the tokenizer of a model behind a server (?tokenizer=FOLDER), run both models on one engine, or leave this suite out",
    )  # fmt: skip


def _check_one_tells(runs: Sequence[SuiteRun], baseline: Engine, tuned: Engine) -> None:
    """Refuse texts where one engine runs both models and tells the tokens of only one, as of a server; raises EngineError."""
    both = isinstance(baseline, Backed) and isinstance(tuned, Backed)
    if not both or isinstance(baseline, Tokenizes) == isinstance(tuned, Tokenizes):
        return
    if problems := [problem for run in runs if (problem := _of_texts(run, baseline, tuned))]:
        raise EngineError(
            "nothing shows that both models read the same tokens, which alone may decide these gates:",
            *listed(problems),
        )


def _beyond(runs: Sequence[SuiteRun]) -> str:
    """What the margins do not hold of two engines, for a note."""
    gates = [case.gate for run in runs for case in run.gated.values()]
    beyond = [
        "a max_loss if the baseline knows all probes"
        if any(isinstance(gate, MarginGate) and gate.max_loss < 1 for gate in gates)
        else None,
        "a gate over each probe has none" if any(run.single for run in runs) else None,
    ]
    return "".join(f"; {text}" for text in beyond if text)


def _within(case: Case, gate: MarginGate, flips: float) -> Iterator[Problem]:
    """The margins of a gate that are within the noise; of the loss, as if the baseline knew all probes, which is the least noise."""
    n = len(case.probes)
    if n < (least_to_retain(gate.max_drop) or 0):
        return
    reached = noise_drop(n, flips, LEVEL)
    if gate.max_drop <= reached + ROUNDING:
        yield _margin_within(case, "max_drop", gate.max_drop, reached, flips)
    if gate.max_loss <= reached + ROUNDING:
        yield _margin_within(case, "max_loss", gate.max_loss, reached, flips)


def _margin_within(case: Case, key: str, margin: float, reached: float, flips: float) -> Problem:
    named = f"a {'margin' if key == 'max_drop' else key} of {points(margin)} points"
    return Problem(
        case.span,
        f"{case.title}: {named} is within the noise of two engines: where {percent(flips)} of answers "
        f"flip, {count(len(case.probes), 'probe')} drop by up to {points(reached)} points in 95 % of runs",
        f"raise '{key}' to {above(reached, 3)} or more, add probes, run both models on one engine, or measure how many answers "
        f"of one model flip: python -m harness calibrate SUITE --model=BASE --beside=BASE_ON_THE_OTHER_ENGINE; then "
        f"{option('engine_flips', 'SHARE')}",
    )


def _read_otherwise(run: SuiteRun, baseline: Engine, tuned: Engine) -> str | None:
    """Why two engines do not read the texts of a suite as the same tokens; None if they do."""
    if not (isinstance(baseline, Tokenizes) and isinstance(tuned, Tokenizes)):
        silent = tuned if isinstance(baseline, Tokenizes) else baseline
        return f"{silent.label} cannot tell the tokens that it reads"
    asked = [request(run.suite, probe) for probe in run.suite.probes if probe.id in run.needed]
    unlike = sum(baseline.request_tokens(text) != tuned.request_tokens(text) for text in asked)
    return f"the two engines read other tokens in {unlike} of {count(len(asked), 'text')}" if unlike else None
