"""From a fork of the zygote to a worker: namespaces of its own, limits, and no way back.

Runs inside the sandbox that bubblewrap made, after the fork and before anything of a submission. Each worker has its
own process numbers, files in memory, network without a device, and semaphores; it sees neither the zygote nor another
worker, and whatever it starts ends with it.
"""

import os
import signal
import struct

from course_lib.classroom.inside import LIMITS, limit_resources
from course_lib.classroom.sandbox.libc import libc
from course_lib.classroom.sandbox.syscalls import close_system_calls

__all__ = ["HIDDEN", "SHARED", "TEMPORARY", "become_first_process", "give_up_rights", "own_namespaces"]

NEWNS, NEWUTS, NEWIPC = 0x00020000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_BIND = 2, 4, 4096
TEMPORARY, SHARED = 64 * 2**20, 32 * 2**20  # bytes of /tmp, which is the worker's folder, and of /dev/shm
HIDDEN = "/course/hidden.py"  # the empty module
NO_PROC = "/etc/proc"  # stands for /proc, and holds what TensorFlow reads: self/exe, self/cmdline, cpuinfo
STRICT_LIMITS = LIMITS | {
    "AS": 8 * 2**30,  # TensorFlow reserves more than it uses: 2.7 GB for a small net
    "DATA": 2 * 2**30,
    "NOFILE": 256,
    "NPROC": 64,  # threads are counted, and TensorFlow starts a few
    "MSGQUEUE": 0,
    "MEMLOCK": 0,
}
NO_CAPABILITIES = struct.pack("Ii", 0x20080522, 0), bytes(24)


def own_namespaces(hidden: list[str]) -> None:
    """Leave the zygote's namespaces; the next fork is the first process of the new ones.

    ``/proc`` becomes a folder with nothing of it, terminals go, and an empty module covers each file of the library
    that is ``hidden``.
    """
    uid, gid = os.getuid(), os.getgid()
    libc("unshare", NEWUSER | NEWNS | NEWPID | NEWIPC | NEWUTS | NEWNET)
    for name, text in {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}.items():
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    for folder, size in {"/tmp": TEMPORARY, "/dev/shm": SHARED}.items():
        _mount(b"tmpfs", folder, b"tmpfs", MS_NOSUID | MS_NODEV, b"size=%d,nr_inodes=4096,mode=700" % size)
    for path, cover in ({"/proc": NO_PROC, "/dev/pts": NO_PROC} | dict.fromkeys(hidden, HIDDEN)).items():
        _mount(cover.encode(), path, None, MS_BIND, None)
    os.chdir("/tmp")


def give_up_rights() -> None:
    """Limits, no capabilities, fewer system calls: for this process and all that it will start."""
    os.setsid()
    limit_resources(STRICT_LIMITS)
    libc("capset", *NO_CAPABILITIES)
    close_system_calls()


def become_first_process() -> None:
    """Fork, and return in the child. The parent, the first process of its namespace, ends when the child has ended.

    The kernel then kills what else there is in the namespace. The first process of a namespace cannot be killed,
    stopped or traced from inside it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        return
    os.closerange(0, 256)
    while os.wait()[0] != child:
        pass
    os._exit(0)


def _mount(source: bytes, target: str, kind: bytes | None, flags: int, options: bytes | None) -> None:
    libc("mount", source, target.encode(), kind, flags, options)
