"""Does the course work with the newest versions of what it depends on? ``make upgrade`` says, and changes nothing.

It resolves the ranges of pyproject.toml anew, copies the course into a folder that is thrown away, installs the new
versions there and runs the tests. With ``--write`` the new versions go into requirements.lock instead; the next
``make`` installs them.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from course_lib.files import whole_file

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"
RESOLVE = (
    "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--all-extras", "--upgrade",
    "--no-header", "--no-annotate", "--no-emit-index-url", "--output-file",
)  # fmt: skip
OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "VENV"}
FAILED = re.compile(r"(FAILED|ERROR) .+|make: .+ Error \d+ \(ignored\)")


class Change(NamedTuple):
    """A line of the table; a version that is not there is a dash."""

    package: str  # with its marker, where it has one
    locked: str
    newest: str


def changes(locked: str, newest: str) -> list[Change]:
    """What differs between the texts of two lock files, in the order of the names."""
    old, new = versions(locked), versions(newest)
    both = sorted(old.keys() | new.keys())
    return [Change(each, old.get(each, "–"), new.get(each, "–")) for each in both if old.get(each) != new.get(each)]


def versions(lock: str) -> dict[str, str]:
    pins = (re.fullmatch(r"([\w.-]+)==(\S+)(.*)", line).groups() for line in lock.splitlines())
    return {name + marker: version for name, version, marker in pins}


def table(rows: list[Change]) -> str:
    columns = list(zip(Change("package", "locked", "newest"), *rows, strict=True))
    width, middle, _last = (max(map(len, column)) for column in columns)
    return "\n".join(f"{a:{width}}  {b:{middle}}  {c}" for a, b, c in zip(*columns, strict=True))


def resolve(folder: Path) -> str:
    """The text of a lock file with the newest versions that pyproject.toml allows."""
    uv = shutil.which("uv")
    if uv is None:
        subprocess.run([sys.executable, "-m", "venv", folder / "uv"], check=True)
        uv = folder / "uv" / "bin" / "uv"
        subprocess.run([uv.with_name("pip"), "install", "--quiet", "uv"], check=True)
    subprocess.run([uv, *RESOLVE, folder / LOCK, "pyproject.toml"], cwd=ROOT, check=True)
    return (folder / LOCK).read_text()


def copy(folder: Path) -> None:
    """The course as it is now, without what git ignores."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, cwd=ROOT, text=True).split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def failures(folder: Path, tests: list[str]) -> list[str]:
    """Install what is locked in the folder and run its tests, shown as they go; gives a line for each that fails."""
    python = f"PYTHON={Path(sys.base_prefix) / 'bin' / 'python3'}"
    if run(["make", ".venv/ready", python], folder)[0]:
        return ["The newest versions could not be installed together."]
    command = [".venv/bin/pytest", "--quiet", *tests] if tests else ["make", "--ignore-errors", "test", python]
    code, said = run(command, folder)
    failed = [line for line in said if FAILED.fullmatch(line)]
    return [f"{command[0]} ended with the code {code}."] if code and not failed else failed


def run(command: list[str], folder: Path) -> tuple[int, list[str]]:
    """Exit code and the lines of what it says, as if no make were around this one."""
    environment = {name: value for name, value in os.environ.items() if name not in OF_MAKE} | {"LC_ALL": "C.UTF-8"}
    pipe, said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "encoding": "utf-8"}, []
    with subprocess.Popen(command, cwd=folder, env=environment, **pipe) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            said.append(line.rstrip("\n"))
    return process.returncode, said


def main() -> int:
    parser = argparse.ArgumentParser(prog="make upgrade ARGS=", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the new versions into requirements.lock")
    parser.add_argument("--tests", nargs="+", default=[], metavar="TEST", help="run only these; all by default")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        newest = resolve(folder)
        rows = changes((ROOT / LOCK).read_text(), newest)
        if not rows:
            print(f"{LOCK} has the newest versions that pyproject.toml allows.")
            return 0
        if asked.write:
            with whole_file(ROOT / LOCK, "w") as file:
                file.write(newest)
            print(table(rows), f"\n{LOCK} is renewed. Now run: make test", sep="\n")
            return 0
        copy(folder / "course")
        (folder / "course" / LOCK).write_text(newest)
        failed = failures(folder / "course", asked.tests)
    print("", table(rows), "", sep="\n")
    print(*failed, f"With these {len(rows)} changes the tests {'fail' if failed else 'pass'}.", sep="\n")
    print("Nothing was changed here. To take them: make upgrade ARGS=--write")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
