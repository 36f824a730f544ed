"""Check installed packages against the version ranges in our metadata, without importing any of them."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from harness.digest import bytes_digest, digest
from harness.errors import HarnessError, first_line

OURS = "forgetting-gate"
DEVELOPMENT = "dev"
"""The extra of our own tests."""

CALCULATES = ("jsonschema", "numpy", "pydantic", "pylatexenc", "scipy", "text2num")
"""The packages that verdicts depend on, once the models have answered."""

DOCTOR = "python -m harness doctor"


class VersionError(HarnessError):
    """A package that is missing, or has an untested version."""


@dataclass(frozen=True)
class Package:
    """A package that we or our dependencies require."""

    name: str
    wanted: str
    """The tested versions, such as `>=5.0,<6`; empty for any."""
    seen: str | None
    """The installed version; None if it is not installed."""
    extra: str | None = None
    """The extra that brings it; None if it is required."""
    user: str = OURS
    """The package that requires it."""

    @property
    def fault(self) -> str | None:
        """What is wrong with it, if anything."""
        by = "" if self.user == OURS else f" by {self.user}"
        if self.seen is None:
            return None if self.extra else f"{self.name} is not installed, and is needed{by}"
        if _within(self.seen, self.wanted):
            return None
        return f"{self.name} {self.seen} is installed, and {self.wanted} is needed{by}"

    @property
    def remedy(self) -> str:
        """The command that installs it."""
        return f"python -m pip install '{self.name}{self.wanted}'"


def python() -> Package:
    """The interpreter.

    Raises:
        VersionError: our own metadata is not installed.
    """
    [wanted] = _our_metadata("Requires-Python") or [""]
    return Package("python", wanted, "{}.{}.{}".format(*sys.version_info))


def packages() -> Sequence[Package]:
    """Our requirements, then those of our extras.

    Raises:
        ImportError: `packaging`, which reads versions, is missing.
        VersionError: our own metadata is not installed.
    """
    extras = [extra for extra in _our_metadata("Provides-Extra") if extra != DEVELOPMENT]
    needed = _required(OURS, extras)
    return sorted(needed, key=lambda package: (package.extra or "", package.name))


def disagreements() -> Sequence[Package]:
    """The unmet requirements of our dependencies, where our own ranges find no fault with either package."""
    needed = packages()
    wrong = {package.name for package in needed if package.fault}
    return [
        wanted
        for package in needed
        if package.seen is not None and package.fault is None
        for wanted in _required(package.name)
        if wanted.fault and wanted.name not in wrong
    ]


@contextmanager
def needed() -> Iterator[None]:
    """Explain an error inside the block by missing or untested packages, if there are any.

    Raises:
        VersionError: with the packages to install.
    """
    try:
        yield
    except (HarnessError, OSError):
        raise
    except Exception as error:  # an old package may break a module in any way
        if explanation := explained(error):
            raise VersionError(explanation) from error
        raise


@contextmanager
def needs_extra(extra: str, what: str) -> Iterator[None]:
    """Explain a package that cannot be imported inside the block by the extra of ours that brings it.

    Args:
        what: what the package is needed for, as the subject of a sentence: `the engine vllm`.

    Raises:
        VersionError: with the command that installs it.
    """
    try:
        yield
    except ImportError as error:
        raise VersionError(
            f"{what} cannot run here: {first_line(error)}\n  run: python -m pip install '{OURS}[{extra}]'"
        ) from error


def explained(error: Exception) -> str | None:
    """The packages that may have caused an error, and the command that installs them; None if all are as they should be."""
    try:
        wrong = [package for package in [*packages(), *disagreements()] if package.fault]
    except (ImportError, ValueError, VersionError) as other:  # ValueError: unreadable metadata
        return f"{first_line(error)}\n  {first_line(other)}" if isinstance(error, ImportError) else None
    if not wrong:
        return None
    faults = "; ".join(str(package.fault) for package in wrong)
    specifiers = " ".join(f"'{package.name}{package.wanted}'" for package in wrong)
    return (
        f"{faults}\n  it broke with {type(error).__name__}: {first_line(error)}"
        f"\n  run: python -m pip install {specifiers}\n  and see what else is wrong: {DOCTOR}"
    )


def _our_metadata(key: str) -> Sequence[str]:
    try:
        return metadata(OURS).get_all(key) or ()
    except PackageNotFoundError as error:
        raise VersionError(
            f"{OURS} is not installed: this is its source alone\n  run: python -m pip install ."
        ) from error


def _required(name: str, extras: Sequence[str] = ()) -> Iterator[Package]:
    """The requirements of a package and of its `extras` on this machine; raises PackageNotFoundError."""
    from packaging.requirements import Requirement

    for requirement in map(Requirement, requires(name) or ()):
        marker = requirement.marker
        brings = [extra for extra in ("", *extras) if marker is None or marker.evaluate({"extra": extra})]
        if brings and requirement.name != name:  # an extra may name others of its own package
            wanted = ",".join(sorted(map(str, requirement.specifier), reverse=True))
            yield Package(
                requirement.name, wanted, installed_version(requirement.name), brings[0] or None, name
            )


def installed_version(name: str) -> str | None:
    """The version of a package; None if it is not installed."""
    try:
        return version(name)
    except (PackageNotFoundError, KeyError):  # KeyError: metadata without a version
        return None


@cache
def code_digest(*rooms: str) -> str:
    """Equal where the same code runs: ours in these rooms, or in all, the packages that judging and statistics use, and Python."""
    here = Path(__file__).parent
    files = sorted(path for room in rooms or (".",) for path in (here / room).rglob("*.py"))
    ours = {path.relative_to(here).as_posix(): bytes_digest(path) for path in files}
    return digest(ours, installed_versions(CALCULATES), platform.python_version())


def installed_versions(names: Iterable[str]) -> dict[str, str]:
    """The versions of those packages that are installed."""
    return {name: version for name in names if (version := installed_version(name))}


def _within(seen: str, wanted: str) -> bool:
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion

    try:
        return SpecifierSet(wanted).contains(seen, prereleases=True)
    except InvalidVersion:
        return False
