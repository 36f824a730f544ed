"""The gate's options of pytest."""

from __future__ import annotations

from collections.abc import Sequence

from harness.command_line import OneOf, count, fraction, rate, share, share_or_off, text, whole
from harness.engine.settings import ENGINE_OPTIONS
from harness.engine.settings import Option as EngineOption
from harness.suites.severity import SEVERITIES


class Option(EngineOption):
    """An option and its names in pytest."""

    @property
    def names(self) -> Sequence[str]:
        """The short names, used where they are free; `--strict` is pytest's own, which the gate obeys too."""
        return [f"--gate-{self.name}"] if self.name == "strict" else [f"--{self.name}", f"--gate-{self.name}"]

    @property
    def dest(self) -> str:
        """Its attribute in `config.option`."""
        return f"forgetting_{self.key}"

    @property
    def takes_a_value(self) -> bool:
        """Whether the next argument may be its value."""
        return self.keywords.get("action") != "store_true"


ENGINE = tuple(Option(option.name, option.help, option.keywords) for option in ENGINE_OPTIONS)

DEFAULTS = {option.name: option.keywords.get("default") for option in ENGINE}

OPTIONS: Sequence[Option] = (
    Option(
        "model",
        "the tuned model: a folder with a model or a PEFT adapter, a hub id (org/name@revision), 'embedded', "
        "SCHEME:NAME for an engine of that scheme, or a recipe (fixtures/lora.yaml), which is trained first",
        {"metavar": "REF"},
    ),
    Option(
        "baseline",
        "the model before tuning; by default the one that the adapter, the model card or the recipe names; 'same' "
        "compares a model with itself on purpose",
        {"metavar": "REF"},
    ),
    *ENGINE,
    Option(
        "strict",
        "fail inconclusive gates; pytest's own --strict does too, and makes pytest strict as well",
        {"action": "store_true"},
    ),
    Option(
        "fail-on",
        "the lowest severity that fails the run: low (the default, so all), medium, high or critical; a failed gate "
        "below it is a warning, and one without evidence decides nothing",
        {"default": "low", "type": OneOf(*SEVERITIES), "metavar": "SEVERITY"},
    ),
    Option(
        "max-drop-overall",
        "the margin of the gate over all suites together, a fraction (0.03 where there are several suites), or off",
        {"type": share_or_off, "metavar": "DROP"},
    ),
    Option(
        "max-flips",
        "also gate the answers that flip, to wrong or to right: the largest acceptable share, a fraction, for a model that should be "
        "the same as the baseline, such as a merged adapter",
        {"type": fraction, "metavar": "SHARE"},
    ),
    Option(
        "no-accepted",
        "let the losses that accepted.yaml names count like all others",
        {"action": "store_true"},
    ),
    Option(
        "suite",
        "run only the suite of this name, from the paths or from those that ship; beside paths, a shipped suite is added "
        "to theirs; may be repeated",
        {"action": "append", "type": text, "metavar": "NAME"},
    ),
    Option(
        "sample",
        "ask only N probes in all, a proportional share of each suite and category; gates over each probe keep theirs",
        {"type": count, "metavar": "N"},
    ),
    Option(
        "sample-seed",
        "the random seed of the sample, and of the order of a sequential run (0)",
        {"type": int, "default": 0, "metavar": "SEED"},
    ),
    Option(
        "sequential",
        "ask a suite only until its gate over all probes is decided, with at most four looks; its other gates then decide "
        "nothing",
        {"action": "store_true"},
    ),
    Option(
        "noise-floor",
        "ask the baseline K more times in other batches, show how many answers flip, and refuse margins within that noise",
        {"type": whole, "default": 0, "metavar": "K"},
    ),
    Option(
        "engine-flips",
        "where the baseline runs on another engine, the share of answers that flip between the two on one model, as `calibrate "
        "--beside` measures it (taken to be 0.05); margins within that noise are refused",
        {"type": rate, "metavar": "SHARE"},
    ),
    Option(
        "report",
        "the folder for record.json (reports/latest)",
        {"default": "reports/latest", "type": text, "metavar": "DIR"},
    ),
    Option(
        "history",
        "the file in which every run is kept, for `python -m harness history`, or off (history.db beside the report's folder)",
        {"type": text, "metavar": "FILE"},
    ),
    Option(
        "report-html",
        "also write the run as one page for a browser, with both answers to every probe; it needs no network",
        {"type": text, "metavar": "FILE"},
    ),
    Option(
        "report-markdown",
        "also write the run as Markdown for a pull request: the verdict, a table and the most telling lost answers",
        {"type": text, "metavar": "FILE"},
    ),
    Option(
        "diagnose",
        "ask both models the lost probes in other ways at the end, and say for each suite why they were lost; no gate depends "
        "on it",
        {"action": "store_true"},
    ),
    Option(
        "only-lost",
        "ask the tuned model only the probes that this record (a record.json, or its folder) lost, and show which it still "
        "gets wrong: a look, which decides nothing and never exits with 0",
        {"type": text, "metavar": "RECORD"},
    ),
    Option(
        "allow-code",
        "run code that a model wrote, for suites with the score 'python'; it runs confined (no network, no other "
        "process, no file but its own), on Linux only",
        {"action": "store_true"},
    ),
    Option(
        "allow-outside",
        "read files outside the project's folder that a suite names",
        {"action": "store_true"},
    ),
    Option(
        "lm-eval",
        "gate these tasks of lm-evaluation-harness, by name or by task file, each as a suite; without other paths, only these",
        {"metavar": "TASK,..."},
    ),
    Option(
        "lm-eval-fewshot",
        "few-shot examples of the tasks of --lm-eval (by default the task's own number, else 0)",
        {"type": whole, "metavar": "N"},
    ),
    Option(
        "lm-eval-limit",
        "only the first N documents of each task of --lm-eval",
        {"type": count, "metavar": "N"},
    ),
    Option(
        "lm-eval-margin",
        "the margin of the gate over each of --lm-eval, a fraction (0.05; three times that over each task of a group)",
        {"type": share, "metavar": "DROP"},
    ),
    Option(
        "allow-task-code",
        "run Python that comes with tasks of lm-evaluation-harness (!function, metrics from a hub, tasks marked unsafe), "
        "unconfined; the package's own tasks need no permission for its own code",
        {"action": "store_true"},
    ),
)
