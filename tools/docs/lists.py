"""Make the lists of docs/ and of the README: commands, options, exit codes, the suites that ship, the cookbook."""

from __future__ import annotations

from argparse import ArgumentParser
from functools import cache
from pathlib import Path

from harness.authoring.gate_power import Assumed
from harness.authoring.power import RunPower, run_power
from harness.cli.main import COMMANDS
from harness.engine.speeds import ASSUMED
from harness.evaluation.suites import read_suites
from harness.plugin.option_list import OPTIONS
from harness.spelling import on_command_line
from harness.suites.suite import Suite
from harness.wording import points
from tools.docs.format_tables import table

ROOT = Path(__file__).parents[2]
COOKBOOK = ROOT / "docs" / "cookbook"


class Listed:
    """Collects the commands of `python -m harness` with what `--help` says of them."""

    def __init__(self) -> None:
        self.helps: dict[str, str] = {}

    def add_parser(self, name: str, *, help: str) -> ArgumentParser:
        self.helps[name] = help
        return ArgumentParser(prog=f"python -m harness {name}")


def commands() -> str:
    """The commands, in the words of `--help`."""
    rows = [(f"`python -m harness {name}`", help) for name, help in command_helps().items()]
    return "\n".join(table(("command", "what it does"), rows))


def command_helps() -> dict[str, str]:
    """What `--help` says of each command."""
    listed = Listed()
    for command in COMMANDS:
        command.add_parser(listed)
    return listed.helps


def options() -> str:
    """The options that the plugin adds to pytest, in the words of `pytest --help`."""
    rows = []
    for option in OPTIONS:
        value = f"={option.keywords['metavar']}" if "metavar" in option.keywords else ""
        rows.append((f"`{option.names[0]}{value}`", on_command_line(option.help)))
    return "\n".join(table(("option", "what it does"), rows))


def shipped() -> str:
    """The suites that ship, with their sizes."""
    sizes = {size.suite: size for size in _power().sizes}
    rows = [
        (
            f"`{suite.name}`",
            suite.about,
            str(len(suite.probes)),
            str(len(suite.categories())),
            f"{round(sizes[suite.name].tokens, -3):,}",
        )
        for suite in shipped_suites()
    ]
    total = sum(size.tokens for size in sizes.values())
    rows.append(("all", "", f"{_probes():,}", "", f"{round(total, -3):,}"))
    heading = ("suite", "protects", "probes", "categories", "tokens of one model, at most")
    return "\n".join(table(heading, rows))


def shipped_in_short() -> str:
    """How many there are, and what they catch."""
    found = _power()
    assert found.overall is not None
    assert found.overall.catches is not None
    alone = [gate for gate in found.gates if gate.catches is not None and not gate.of_texts]
    suites = _range([gate.catches for gate in alone if gate.catches and gate.slice == "all"])
    categories = _range(
        [gate.catches for gate in alone if gate.catches and gate.slice.startswith("category")]
    )
    return (
        f"{len(shipped_suites())} suites with {_probes():,} probes. Pooled, they catch a drop of {points(found.overall.catches)} points in "
        f"80 % of runs at 5 % flips; if one suite alone is hurt, its gate catches {suites} points; one category alone, {categories}."
    )


def _range(drops: list[float]) -> str:
    """ "7 to 14", in points."""
    return f"{100 * min(drops):.0f} to {100 * max(drops):.0f}"


def cookbook(name: str) -> str:
    """A file of the cookbook, as a block of code."""
    path = COOKBOOK / name
    return f"```{path.suffix[1:]}\n{path.read_text(encoding='utf-8').strip()}\n```"


def cookbook_files() -> list[str]:
    """The names of its files."""
    return sorted(path.name for path in COOKBOOK.iterdir() if path.suffix in (".yaml", ".csv"))


@cache
def shipped_suites() -> tuple[Suite, ...]:
    """Those of this checkout."""
    return tuple(read_suites([ROOT / "suites"]))


@cache
def _power() -> RunPower:
    return run_power(shipped_suites(), Assumed(), ASSUMED)


def _probes() -> int:
    return sum(len(suite.probes) for suite in shipped_suites())
