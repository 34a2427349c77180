"""Why no sandbox works on this machine, and what the instructor can do about it."""

import shutil
import sys
from pathlib import Path

from course_lib.classroom.language import _

__all__ = ["NoSandbox", "remedy"]

PROFILE = "abi <abi/4.0>, include <tunables/global> profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }"


class NoSandbox(RuntimeError):
    """Student code is not run here; the message says why and names the remedy."""


def remedy(failure: str, platform: str = sys.platform, root: Path = Path("/")) -> str:
    """The whole message: refused, why, what to do, and how to decide otherwise.

    Parameters
    ----------
    failure
        What was said when a sandbox was tried.
    platform, root
        The system, as in ``sys.platform``, and the folder that its settings are read below.
    """
    failure = failure.strip().rpartition("\n")[2].rstrip(".")
    return "\n".join(
        [
            _("Student code was not run: no sandbox works on this machine."),
            _linux(failure, root) if platform == "linux" else _another(platform),
            _("To run it with your own rights instead, so that it may do whatever you may do: --unsafe."),
        ]
    )


def _another(platform: str) -> str:
    name = {"darwin": "macOS", "win32": "Windows"}.get(platform, platform)
    return _(
        "The sandbox is made of namespaces, which Linux has and {name} does not. Grade on a Linux machine, on Windows "
        "in WSL 2 (wsl --install), on macOS in a Linux virtual machine."
    ).format(name=name)


def _linux(failure: str, root: Path) -> str:
    if not shutil.which("bwrap"):
        return _(
            "bubblewrap is not installed. On Debian and Ubuntu: apt-get install bubblewrap; on Fedora: "
            "dnf install bubblewrap."
        )
    said = _("What was said: {failure}.").format(failure=failure)
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        do = _(
            "This is a container, and its engine forbids namespaces. Start it with: docker run --security-opt "
            "seccomp=unconfined --security-opt apparmor=unconfined; or grade on the machine itself."
        )
    elif _setting(root, "kernel/apparmor_restrict_unprivileged_userns") == "1":
        do = _(
            "AppArmor lets only programs with a profile make user namespaces (Ubuntu 23.10 and later). Give "
            "bubblewrap one: echo '{profile}' | sudo tee /etc/apparmor.d/bwrap && "
            "sudo apparmor_parser --replace /etc/apparmor.d/bwrap"
        ).format(profile=PROFILE)
    elif _setting(root, "kernel/unprivileged_userns_clone") == "0":
        do = _("User namespaces are closed here. Open them: sudo sysctl kernel.unprivileged_userns_clone=1")
    elif _setting(root, "user/max_user_namespaces") == "0":
        do = _("User namespaces are closed here. Open them: sudo sysctl user.max_user_namespaces=10000")
    else:
        do = _("See whether bubblewrap itself works: bwrap --unshare-user --ro-bind / / true")
    return f"{said}\n{do}"


def _setting(root: Path, name: str) -> str:
    try:
        return (root / "proc/sys" / name).read_text().strip()
    except OSError:
        return ""
