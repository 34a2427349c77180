"""A Dockerfile's steps without an engine: one after the other in bubblewrap, in the order and as the user it says.

The system of the host stands in for the base image, read-only and without a network; ``/home`` is new. What root does
to the system (``apt-get``, ``useradd``) is recorded. pip finds the packages of the tests' own environment installed,
so that a requirement that is not exactly there fails.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

INSTRUCTION = re.compile(r"([A-Z]+) +(.+)")
RECORDS = '#!/bin/sh\necho "$(basename "$0") $*" >> /home/tmp/record\n'


def instructions(dockerfile):
    """Pairs (instruction, argument), with continued lines joined and comments left out."""
    lines = [line for line in dockerfile.read_text().splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r" *\\\n *", " ", "\n".join(lines))
    return [INSTRUCTION.fullmatch(line).groups() for line in joined.splitlines()]


def context(root, folder):
    """What the engine is sent: the folder without what .dockerignore names."""
    ignored = [line for line in (root / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    anywhere = shutil.ignore_patterns(*(pattern.removeprefix("**/") for pattern in ignored if "**/" in pattern))

    def left_out(path, names):
        here = Path(path).relative_to(root)
        top = {name for name in names for pattern in ignored if (here / name).match(pattern) and "/" in pattern}
        return top | anywhere(path, names) | ({*ignored} & {*names} if here == Path() else set())

    return shutil.copytree(root, folder, ignore=left_out, symlinks=True)


def packages(folder):
    """All packages of the tests' environment but the course: on ``PYTHONPATH`` pip finds them installed."""
    folder.mkdir(parents=True)
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "course_lib" not in path.name:
            (folder / path.name).symlink_to(path)
    return folder


class Container:
    """What a build has made so far. ``home`` on the host is ``/home`` inside."""

    def __init__(self, folder):
        self.home, self.commands = folder / "home", folder / "commands"
        for each in (self.home / "tmp", self.commands):
            each.mkdir(parents=True)
        for name in ("apt-get", "useradd"):
            (self.commands / name).write_text(RECORDS)
            (self.commands / name).chmod(0o755)
        path = f"/usr/local/sbin:{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin"
        packages(self.home / "packages")
        self.environment = {
            "PATH": path, "TMPDIR": "/home/tmp", "PIP_NO_INDEX": "1", "PYTHONPATH": "/home/packages"
        }  # fmt: skip
        self.base, self.user, self.folder, self.command, self.port = "", "root", Path("/"), [], 0

    def build(self, dockerfile, context):
        for instruction, argument in instructions(dockerfile):
            match instruction:
                case "FROM":
                    self.base = argument
                case "USER":
                    self.user = argument
                case "WORKDIR":
                    self.folder = self.folder / argument
                case "EXPOSE":
                    self.port = int(argument)
                case "CMD":
                    self.command = json.loads(argument)
                case "ENV":
                    self._set(argument)
                case "COPY":
                    self._copy(argument, context)
                case "RUN":
                    self.run(argument)
                case _:
                    raise ValueError(f"{instruction} is not known here.")

    def run(self, command):
        """Standard output of the shell's command; where it fails, an error with all that it said."""
        uid = "0" if self.user == "root" else "1000"
        sandbox = [
            "bwrap", "--unshare-all", "--die-with-parent", "--uid", uid, "--gid", uid, "--ro-bind", "/", "/",
            "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/var/lib/apt/lists", "--bind", self.home, "/home",
            "--ro-bind", self.commands, "/usr/local/sbin", "--chdir", self.folder,
        ]  # fmt: skip
        environment = self.environment | {"HOME": "/root" if uid == "0" else f"/home/{self.user}"}
        done = subprocess.run([*sandbox, "/bin/sh", "-c", command], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        if "useradd" in command:
            (self.home / shlex.split(command)[-1]).mkdir()
        return done.stdout

    def on_host(self, path):
        """Where a path of the container is to be found outside of it."""
        return self.home / (self.folder / path).relative_to("/home")

    def _set(self, argument):
        for setting in shlex.split(argument):
            name, value = setting.split("=", 1)
            self.environment[name] = value.replace(f"${name}", self.environment.get(name, ""))

    def _copy(self, argument, context):
        owner, *sources, target = shlex.split(argument)
        assert owner == f"--chown={self.user}", "what is copied belongs to root unless it says so"
        for source in sources:
            if (context / source).is_dir():
                shutil.copytree(context / source, self.on_host(target), dirs_exist_ok=True, symlinks=True)
            else:
                shutil.copy(context / source, self.on_host(target))
