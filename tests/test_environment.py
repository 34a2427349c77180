"""The lock file is the one source of versions: for make, for conda, and for the ranges that pyproject promises."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RANGES = [
    Requirement(text)
    for text in [*PROJECT["dependencies"], *(r for extra in PROJECT["optional-dependencies"].values() for r in extra)]
]
LOCK = [Requirement(line) for line in (ROOT / "requirements.lock").read_text().splitlines()]


def pinned(requirement):
    (pin,) = requirement.specifier
    assert pin.operator == "==", f"{requirement} is not pinned"
    return pin.version


def test_the_lock_holds_names_and_versions_only():
    assert not re.search(r"https?:|@|--|hash", (ROOT / "requirements.lock").read_text())
    assert all(pinned(requirement) for requirement in LOCK)


@pytest.mark.parametrize("requirement", RANGES, ids=str)
def test_every_promised_range_is_locked_inside_the_range(requirement):
    pins = [pinned(r) for r in LOCK if canonicalize_name(r.name) == canonicalize_name(requirement.name)]
    assert pins and all(requirement.specifier.contains(pin) for pin in pins)


def test_what_is_installed_is_what_is_locked():
    wanted = {r.name: pinned(r) for r in LOCK if r.marker is None or r.marker.evaluate()}
    assert {name: version(name) for name in wanted} == wanted


def test_conda_installs_the_same_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert pip == ["--requirement requirements.lock", "--editable ."]
    (python,) = (entry for entry in environment["dependencies"] if str(entry).startswith("python="))
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(python.split("=")[1])


def test_the_changelog_begins_with_the_version_of_the_package():
    newest = re.search(r"^## \[(.+?)\] – (unreleased|\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest[1] == PROJECT["version"]
