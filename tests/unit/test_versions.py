"""What is wrong with the versions of an environment, and what an error says that comes of it."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from harness import versions
from harness.errors import HarnessError, ModelError
from harness.versions import OURS, VersionError, disagreements, explained, needed, packages, python
from tests.support.packages import install


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """Installs packages in front of those that are really there."""
    monkeypatch.syspath_prepend(tmp_path)
    return lambda *arguments, **more: install(tmp_path, *arguments, **more)


def faults():
    return [package.fault for package in packages() if package.fault]


@pytest.mark.parametrize(
    ("wanted", "seen", "fault"),
    [
        (">=5.0,<6", "5.23.0", None),
        (">=5.0,<6", "5.0.0", None),
        (">=5.0,<6", "4.57.6", "alpha 4.57.6 is installed, and >=5.0,<6 is needed"),
        (">=5.0,<6", "6.0.0", "alpha 6.0.0 is installed, and >=5.0,<6 is needed"),
        ("<6,>=5.0", "6.1", "alpha 6.1 is installed, and >=5.0,<6 is needed"),
        (">=2.11", "2.13.0+cpu", None),
        (">=2.11", "2.14.0.dev20261101+cu130", None),
        (">=2.11", "2.11.0rc1", "alpha 2.11.0rc1 is installed, and >=2.11 is needed"),
        (">=2.11", "banana", "alpha banana is installed, and >=2.11 is needed"),
        ("", "0.1", None),
    ],
)
def test_a_version_is_held_against_the_range_in_our_metadata(environment, wanted, seen, fault):
    environment(OURS, "0.1.0", f"alpha{wanted}")
    environment("alpha", seen)
    assert faults() == ([fault] if fault else [])


def test_what_is_missing(environment):
    environment(OURS, "0.1.0", "alpha-not-there>=1", 'beta-not-there>=1; extra == "data"', extras=("data",))
    assert faults() == ["alpha-not-there is not installed, and is needed"]
    assert [(one.name, one.extra) for one in packages()] == [
        ("alpha-not-there", None),
        ("beta-not-there", "data"),
    ]


def test_what_an_extra_brings_must_fit_where_it_is_there(environment):
    environment(OURS, "0.1.0", 'beta>=3; extra == "data"', extras=("data",))
    environment("beta", "2.21.0")
    assert faults() == ["beta 2.21.0 is installed, and >=3 is needed"]


def test_what_our_own_tests_need_and_other_systems_do_not_count(environment):
    environment(
        OURS, "0.1.0", 'alpha>=1; sys_platform == "plan9"', 'ruff-not-there>=1; extra == "dev"',
        f'{OURS}[data]; extra == "dev"', extras=("data", "dev"),
    )  # fmt: skip
    assert packages() == []


def test_what_packages_want_of_each_other(environment):
    environment(OURS, "0.1.0", "alpha>=1", "old>=2")
    environment("alpha", "1.0", "beta>=0.22,<0.24", 'gamma>=1; extra == "all"', "old>=3")
    environment("beta", "0.21.0")
    environment("old", "1.0", "beta<0.1")
    assert [one.fault for one in disagreements()] == [
        "beta 0.21.0 is installed, and >=0.22,<0.24 is needed by alpha"
    ]


def test_python_is_held_against_its_range_too(environment):
    environment(OURS, "0.1.0")
    assert (python().wanted, python().fault) == (">=3.11", None)


@pytest.mark.parametrize(
    "error",
    [
        ImportError("cannot import name 'X'"),
        TypeError("unexpected keyword"),
        AttributeError("no attribute 'x'"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_an_old_package_broke_is_explained(environment, error):
    environment(OURS, "0.1.0", "alpha>=5.0,<6", "beta-not-there>=2")
    environment("alpha", "4.57.6")
    with pytest.raises(VersionError) as caught, needed():
        raise error
    assert str(caught.value) == (
        "alpha 4.57.6 is installed, and >=5.0,<6 is needed; beta-not-there is not installed, and is needed\n"
        f"  it broke with {type(error).__name__}: {error}\n"
        "  run: python -m pip install 'alpha>=5.0,<6' 'beta-not-there>=2'\n"
        "  and see what else is wrong: python -m harness doctor"
    )
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [ModelError("no such folder"), OSError("disk full"), BrokenPipeError()])
def test_what_has_a_reason_of_its_own_stays(environment, error):
    environment(OURS, "0.1.0", "alpha-not-there")
    with pytest.raises(type(error)) as caught, needed():
        raise error
    assert caught.value is error


def test_where_every_version_fits_an_error_stays_our_bug(environment):
    environment(OURS, "0.1.0", "alpha>=1")
    environment("alpha", "1.0")
    with pytest.raises(ImportError, match="ours") as caught, needed():
        raise ImportError("ours")
    assert not isinstance(caught.value, HarnessError)


def test_metadata_that_nobody_can_read_hides_no_error(environment):
    environment(OURS, "0.1.0", "alpha >= >= 1")
    assert explained(TypeError("ours")) is None
    assert (explained(ImportError("no module 'x'")) or "").startswith("no module 'x'\n  ")


def test_the_lowest_versions_are_those_that_are_tested(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lowest = {
        requirement.name: next(part.version for part in requirement.specifier if part.operator == ">=")
        for requirement in map(
            Requirement, project["dependencies"] + extras["data"] + extras["parallel"] + extras["embedded"]
        )
    }
    lines = (root / "constraints-lowest.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    del lowest["torch"]  # a lower one brings gigabytes of CUDA along
    assert {name: Version(pinned[name]) for name in lowest} == {
        name: Version(of) for name, of in lowest.items()
    }


@pytest.mark.parametrize("rooms", [(), ("scoring", "normalise")])
def test_changed_code_has_another_digest(monkeypatch, rooms):
    found, read = versions.code_digest.__wrapped__, versions.bytes_digest
    before = found(*rooms)
    assert found(*rooms) == before
    for changed in ("scoring/text.py", "normalise/plain.py"):
        with monkeypatch.context() as patched:
            patched.setattr(
                versions,
                "bytes_digest",
                lambda path, name=changed: "new" if path.match(f"*/{name}") else read(path),
            )
            assert found(*rooms) != before
    monkeypatch.setattr(versions, "installed_versions", lambda names: {"scipy": "0.1"})
    assert found(*rooms) != before
