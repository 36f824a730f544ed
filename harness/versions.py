"""The installed packages in, what is wrong with their versions out, by the ranges in our own metadata; nothing is imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from harness.errors import HarnessError, first_line

OURS = "forgetting-gate"
DEVELOPMENT = "dev"
"""The extra that brings what our own tests need."""

DOCTOR = "python -m harness doctor"


class VersionError(HarnessError):
    """A package that is missing, or whose version is none that this was tested with."""


@dataclass(frozen=True)
class Package:
    """A package that we use."""

    name: str
    wanted: str
    """The versions that were tested, as in `>=5.0,<6`; empty for any."""
    seen: str | None
    """The version that is installed; None where there is none."""
    extra: str | None = None
    """The extra that brings it; None where we cannot do without."""
    user: str = OURS
    """The package that needs it."""

    @property
    def fault(self) -> str | None:
        """What is wrong with it; None where nothing is."""
        by = "" if self.user == OURS else f" by {self.user}"
        if self.seen is None:
            return None if self.extra else f"{self.name} is not installed, and is needed{by}"
        if _within(self.seen, self.wanted):
            return None
        return f"{self.name} {self.seen} is installed, and {self.wanted} is needed{by}"

    @property
    def remedy(self) -> str:
        """The command that brings it."""
        return f"python -m pip install '{self.name}{self.wanted}'"


def python() -> Package:
    """The interpreter.

    Raises:
        VersionError: our own metadata is not installed.
    """
    try:
        [wanted] = metadata(OURS).get_all("Requires-Python") or [""]
    except PackageNotFoundError as error:
        raise _not_installed() from error
    return Package("python", wanted, "{}.{}.{}".format(*sys.version_info))


def packages() -> Sequence[Package]:
    """What we need, then what extras bring, each as it is installed.

    Raises:
        ImportError: `packaging`, which reads versions, is not there.
        VersionError: our own metadata is not installed.
    """
    try:
        extras = metadata(OURS).get_all("Provides-Extra") or ()
        needed = list(_required(OURS, [extra for extra in extras if extra != DEVELOPMENT]))
    except PackageNotFoundError as error:
        raise _not_installed() from error
    return sorted(needed, key=lambda package: (package.extra or "", package.name))


def disagreements() -> Sequence[Package]:
    """What the packages that we need want of others and do not find, where we find nothing wrong with either."""
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
    """While modules are loaded that need other packages.

    Raises:
        VersionError: something broke, and a package is missing or has another version than those that were tested.
    """
    try:
        yield
    except (HarnessError, OSError):
        raise
    except Exception as error:  # an old package may break a module in any way
        if told := explained(error):
            raise VersionError(told) from error
        raise


def explained(error: Exception) -> str | None:
    """What to do about an error that an old or a missing package may be the reason of; None where none is to be seen."""
    try:
        wrong = [package for package in [*packages(), *disagreements()] if package.fault]
    except (ImportError, ValueError, VersionError) as other:  # ValueError: metadata that nobody can read
        return f"{first_line(error)}\n  {first_line(other)}" if isinstance(error, ImportError) else None
    if not wrong:
        return None
    faults = "; ".join(str(package.fault) for package in wrong)
    specifiers = " ".join(f"'{package.name}{package.wanted}'" for package in wrong)
    return (
        f"{faults}\n  it broke with {type(error).__name__}: {first_line(error)}"
        f"\n  run: python -m pip install {specifiers}\n  and see what else is wrong: {DOCTOR}"
    )


def _not_installed() -> VersionError:
    return VersionError(f"{OURS} is not installed: this is its source alone\n  run: python -m pip install .")


def _required(name: str, extras: Sequence[str] = ()) -> Iterator[Package]:
    """What a package requires on this machine, and what `extras` of it do; raises PackageNotFoundError."""
    from packaging.requirements import Requirement

    for requirement in map(Requirement, requires(name) or ()):
        marker = requirement.marker
        brings = [extra for extra in ("", *extras) if marker is None or marker.evaluate({"extra": extra})]
        if brings and requirement.name != name:  # an extra may name others of its own package
            wanted = ",".join(sorted(map(str, requirement.specifier), reverse=True))
            yield Package(requirement.name, wanted, _version(requirement.name), brings[0] or None, name)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except (PackageNotFoundError, KeyError):  # it has no version at all
        return None


def _within(seen: str, wanted: str) -> bool:
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion

    try:
        return SpecifierSet(wanted).contains(seen, prereleases=True)
    except InvalidVersion:
        return False
