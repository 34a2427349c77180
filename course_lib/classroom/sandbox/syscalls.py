"""System calls that a submission has no use for, closed by a seccomp filter.

Closed are: other namespaces and mounts, and their listing, which would show the host's paths; reading other processes;
memory that no limit of a worker counts (``memfd_create``, System V's shared memory and queues); sockets of other
families than the network's and Unix's, of which some, such as a virtual machine's, know no namespaces; and parts of
the kernel that are large, rarely needed and often had holes (``bpf``, ``io_uring``, ``userfaultfd``, keyrings).

The filter is a program of the classic BPF: instructions of (operation, jump if true, jump if false, operand).
Source: Linux, Documentation/userspace-api/seccomp_filter.rst.
"""

import ctypes
import errno
import platform
import struct

from course_lib.classroom.sandbox.libc import libc

__all__ = ["close_system_calls"]

X86_64, AARCH64 = "x86_64", "aarch64"
AUDIT_ARCH = {X86_64: 0xC000003E, AARCH64: 0xC00000B7}
CLOSED = {  # numbers on (x86_64, aarch64)
    "add_key": (248, 217),
    "bpf": (321, 280),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "keyctl": (250, 219),
    "listmount": (458, 458),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmget": (29, 194),
    "statmount": (457, 457),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)
FAMILIES = 1, 2, 10  # AF_UNIX, AF_INET and AF_INET6
NEW_NAMESPACES = 0x7E020000  # the flags CLONE_NEW* of clone
OF_X32 = 0x40000000  # numbers of the third interface that an x86_64 kernel may have

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
KILL, ALLOW, ERROR = 0x80000000, 0x7FFF0000, 0x00050000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def close_system_calls() -> None:
    """Close them for this process and all that it will start.

    Raises
    ------
    OSError
        The kernel has no seccomp, or the numbers of this machine's system calls are not known here.
    """
    instructions = _filter(platform.machine())
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in instructions))
    program = struct.pack("HP", len(instructions), ctypes.addressof(code))
    libc("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)


def _filter(machine: str) -> list[tuple[int, int, int, int]]:
    if machine not in AUDIT_ARCH:
        raise OSError(
            errno.ENOSYS, f"the system calls of {machine} are not known, only those of {', '.join(AUDIT_ARCH)}"
        )
    column = list(AUDIT_ARCH).index(machine)
    instructions = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, AUDIT_ARCH[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        *_refuse((AT_LEAST, OF_X32), errno.EPERM),
        *_refuse((EQUAL, CLONE3[column]), errno.ENOSYS),  # its flags cannot be read here; libc falls back to clone
    ]
    for numbers in CLOSED.values():
        instructions += _refuse((EQUAL, numbers[column]), errno.EPERM)
    allow = (RETURN, 0, 0, ALLOW)
    families = [each for family in FAMILIES for each in ((EQUAL, 0, 1, family), allow)]
    return [
        *instructions,
        (EQUAL, 0, 4, CLONE[column]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        *_refuse((ANY_BIT, NEW_NAMESPACES), errno.EPERM),
        allow,
        (EQUAL, 0, 2 + len(families), SOCKET[column]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        *families,
        (RETURN, 0, 0, ERROR | errno.EPERM),
        allow,
    ]


def _refuse(test: tuple[int, int], error: int) -> list[tuple[int, int, int, int]]:
    operation, operand = test
    return [(operation, 0, 1, operand), (RETURN, 0, 0, ERROR | error)]
