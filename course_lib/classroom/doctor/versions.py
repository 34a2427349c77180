"""The versions of Python and of its packages, against what the course declares and against its lock file."""

import sys
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from course_lib.classroom.language import _

__all__ = ["PIP", "locked", "packages", "python"]

DISTRIBUTION = "course-lib"
EXTRAS = ("", "toolkit")  # chapter 05 uses TensorFlow's toolkit
PIP = f"{sys.executable} -m pip install"  # the pip of this Python, also where that of another comes first on PATH


def python() -> str:
    version, wanted = "{}.{}.{}".format(*sys.version_info), metadata.metadata(DISTRIBUTION)["Requires-Python"]
    if version not in SpecifierSet(wanted):
        raise RuntimeError(
            _("{version} is not {wanted}. Install one that is, then: make PYTHON=/path/to/it").format(
                version=version, wanted=wanted
            )
        )
    return version


def packages() -> str:
    """Those that the lessons import are there, in the ranges that the course declares."""
    environments = [{**default_environment(), "extra": extra} for extra in EXTRAS]
    declared = map(Requirement, metadata.requires(DISTRIBUTION) or ())
    needed = [r for r in declared if r.marker is None or any(map(r.marker.evaluate, environments))]
    if wrong := _unmet(needed):
        raise RuntimeError(
            _("{wrong}. Run: {pip} {requirements}").format(
                wrong=_list(wrong.values()), pip=PIP, requirements=" ".join(f"'{r.name}{r.specifier}'" for r in wrong)
            )
        )
    return _("{count} that the lessons import, in their ranges").format(count=len(needed))


def locked(lock: Path) -> str:
    if not lock.is_file():
        raise RuntimeError(_("there is no {name} here to compare with").format(name=lock.name))
    pins = [r for r in map(Requirement, lock.read_text().splitlines()) if r.marker is None or r.marker.evaluate()]
    if wrong := _unmet(pins):
        raise RuntimeError(
            _("{count} differ from {name}: {wrong}. To get the tested ones: {pip} --requirement {lock}").format(
                count=len(wrong), name=lock.name, wrong=_list(wrong.values()), pip=PIP, lock=lock
            )
        )
    return _("all {count} as in {name}").format(count=len(pins), name=lock.name)


def _unmet(requirements: list[Requirement]) -> dict[Requirement, str]:
    """What is installed of each requirement that is not met, or that it is missing."""
    found = {}
    for requirement in requirements:
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            found[requirement] = _("{package} is missing").format(package=requirement.name)
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            found[requirement] = _("{package} is {version}, not {wanted}").format(
                package=requirement.name, version=version, wanted=str(requirement.specifier).removeprefix("==")
            )
    return found


def _list(sentences, most: int = 4) -> str:
    shown = list(sentences)
    return ", ".join(shown[:most]) + (" …" if len(shown) > most else "")
