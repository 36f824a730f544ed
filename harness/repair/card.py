"""A record in, the card of the repaired model out: what was done to it, and what it gates at."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from harness.repair.record import CandidateRow, EffectRow, RepairRecord
from harness.repair.text import COLUMNS, effect_cells
from harness.reporting.explain import INTERVAL
from harness.sweep.text import escaped
from harness.tables import markdown

RELATION = {"adapter": "adapter", "full": "finetune"}
LIBRARY = {"adapter": "peft", "full": "transformers"}
DONE = {
    None: "what tuning changed is at the strengths below",
    "magnitude": "of what tuning changed, the largest values stay (TIES, arXiv 2306.01708)",
    "forgetting-aware": "of what tuning changed, the values stay that score highest by FAPM (arXiv 2509.08255)",
}


def card(record: RepairRecord, baseline: str) -> str:
    """The card, in Markdown.

    Args:
        baseline: the name of the base, for the front matter.
    """
    chosen = next(row for row in record.candidates if row.name == record.chosen)
    front = {
        "base_model": baseline,
        "base_model_relation": RELATION[chosen.form],
        "library_name": LIBRARY[chosen.form],
        "pipeline_tag": "text-generation",
        "tags": ["forgetting-gate"],
    }
    return (
        f"---\n{yaml.safe_dump(front, allow_unicode=True)}---\n\n" + "\n".join(_body(record, chosen)) + "\n"
    )


def _body(record: RepairRecord, chosen: CandidateRow) -> Iterator[str]:
    assert record.confirmed is not None, "only what was confirmed is written"
    yield "# A repaired model"
    yield ""
    yield (
        f"{escaped(record.model.reference)}, so that it forgets less, without training: {DONE[chosen.pruning]}. The start is "
        f"{escaped(record.baseline.name)}."
    )
    yield ""
    for group, strength in chosen.strengths.items():
        yield f"- {escaped(group)}: {strength:g} of the change"
    if chosen.pruning is not None:
        yield f"- {100 * chosen.keep:g} % of the values of each tensor"
    yield ""
    yield (
        f"Gain on `{escaped(record.target)}` and drop over {escaped(', '.join(record.suites))}, in points, with {INTERVAL}s. The "
        "selection probes chose this model among others; the confirmation probes had no part in that."
    )
    yield ""
    reference = record.candidates[0]
    effects: list[tuple[str, EffectRow]] = [
        ("as tuned, selection", reference.effect),
        ("repaired, selection", chosen.effect),
        ("repaired, confirmation", record.confirmed.effect),
    ]
    rows = [("", *COLUMNS), *((name, *effect_cells(effect)) for name, effect in effects)]
    yield from markdown(rows)
    yield ""
    yield "| gate over the confirmation probes | verdict | outcome |"
    yield "|---|---|---|"
    for gate in record.confirmed.gates:
        yield f"| {escaped(f'{gate.suite} {gate.slice}')} | {gate.verdict or '-'} | {gate.outcome} |"
    yield ""
    yield f"Made with forgetting-gate {record.harness}, seed {record.seed}; every candidate is in `repair.json` and `pareto.svg`."
