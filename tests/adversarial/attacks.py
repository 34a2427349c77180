"""Attacks: the source of an answer cell each, and the only verdicts that it may have.

An attack on what is *kept from* a submission tries something and then answers rightly if it worked, wrongly if not: the
verdict ``wrong`` tells that it ran and failed. An attack on the grader itself is to end as a ``timeout`` or the like.
``{paths}`` of the instructor and the like are filled in by the test: an attacker may know them.
"""

from dataclasses import dataclass

DENIED = {"wrong"}
STOPPED = {"timeout"}
DIED = {"died"}
HARMLESS = {"passed"}  # allowed, and of no consequence


@dataclass(frozen=True)
class Attack:
    """``wins_unconfined``: it works without a sandbox, so it is real. ``own_harm``: it spoils its own other answers."""

    source: str
    ends: set[str]
    wins_unconfined: bool = False
    own_harm: bool = False


def tries(attempt: str, wins_unconfined: bool = False) -> Attack:
    """An attack that is the body of a function; it has worked if that gives something true."""
    body = "\n".join(f"    {line}" for line in attempt.strip().splitlines())
    source = f"""
import ctypes, functools, gc, glob, os, resource, shutil, signal, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)

@functools.cache  # what has worked once might not a second time
def attempt():
{body}

def kept(w):
    try:
        won = attempt()
    except BaseException:
        won = False
    return np.abs(w) > 0.5 if won else np.zeros(w.shape, bool)
"""
    return Attack(source, DENIED, wins_unconfined)


def answers(body: str, *ends: str, before: str = "", **more) -> Attack:
    """An attack in the body of the answer itself; it could answer rightly with ``right(w)``."""
    body = "\n".join(f"    {line}" for line in body.strip().splitlines())
    source = f"import os, sys, time\n{before}\ndef right(w): return np.abs(w) > 0.5\ndef kept(w):\n{body}\n"
    return Attack(source, set(ends), **more)


FRAMES = """
import struct
from course_lib.classroom.wire import pack
reply = {'nonce': 32 * '0', 'status': 'returned', 'value': 1, 'error': '', 'message': '', 'line': '', 'changed': False}
def nonce():
    frame = sys._getframe()
    while 'nonce' not in frame.f_locals: frame = frame.f_back
    return frame.f_locals['nonce']
def write(message, length=None):
    frame = struct.pack('>Q', len(message) if length is None else length) + message
    for descriptor in range(256):
        try: os.write(descriptor, frame)
        except OSError: pass
"""

TIME = {
    "loop": answers("while True: pass", "timeout"),
    "loop in C": answers("return sum(iter(int, 1))", "timeout"),
    "loop in a regular expression": answers("import re; return re.match('(a+)+$', 64 * 'a' + 'b')", "timeout"),
    "loop that holds the interpreter's lock": answers("return 7 ** 7 ** 9", "timeout", "raised", "memory"),
    "loop in __del__": answers(
        "forever = Forever()\nreturn right(w)",
        "timeout",
        before="class Forever:\n    def __del__(self):\n        while True: pass",
    ),
    "loop in __array__": answers(
        "return Forever()",
        "timeout",
        before="class Forever:\n    def __array__(self, *a, **o):\n        while True: pass",
    ),
    "loop in the text of an error": answers(
        "raise Forever", "timeout", before="class Forever(Exception):\n    def __str__(self):\n        while True: pass"
    ),
    "loop in the cell": Attack("while True: pass", STOPPED),
    "loop that catches everything": answers(
        "while True:\n    try: time.sleep(9)\n    except BaseException: pass",
        "timeout",
        before="import signal\nfor number in {*range(1, 32)} - {9, 19}: signal.signal(number, signal.SIG_IGN)",
    ),
    "sleep": answers("time.sleep(10**6)", "timeout"),
    "stop itself": answers("import signal; os.kill(os.getpid(), signal.SIGSTOP)", "timeout"),
    "signals without end": answers(
        "import signal\nsignal.signal(signal.SIGALRM, lambda *a: time.sleep(60))\n"
        "signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)\ntime.sleep(60)",
        *("timeout", "died", "raised"),
    ),
    "busy children": Attack(
        "import os\nfor _child in range(12):\n    if os.fork() == 0:\n        while True: pass\n"
        "def kept(w): return w > 9",
        {"wrong", "timeout"},
    ),
}

SPACE = {
    "memory": answers("hold = []\nwhile True: hold.append(bytearray(2**26))", "raised", "memory", "timeout"),
    "memory by NumPy": answers("return np.ones(2**36) > 0", "raised", "memory"),
    "memory that is shared": answers(
        "import mmap\nhold = []\nwhile True:\n    hold.append(mmap.mmap(-1, 2**26)); hold[-1].write(2**26 * b'x')",
        *("raised", "memory", "timeout"),
    ),
    "memory in many children": answers(
        "for child in range(20):\n    if os.fork() == 0:\n        hold = 2**28 * b'x'; time.sleep(60)\ntime.sleep(60)",
        *("memory", "timeout"),
    ),
    "memory without a file name": tries("return os.memfd_create('m')", True),
    "memory of System V": tries(
        "number = libc.shmget(0, 2**20, 0o1600); libc.shmctl(number, 0, None); return number != -1", True
    ),
    "fork bomb": answers("while True:\n    try: os.fork()\n    except OSError: pass", "timeout", "died", "memory"),
    "fork bomb of the shell": tries("subprocess.run(['sh', '-c', 'b() { b | b & }; b'], timeout=0.5)\nreturn False"),
    "thousand threads": tries(
        "for number in range(1000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nreturn True",
        True,
    ),
    "disk": tries("for n in range(4): open(f'/tmp/{n}', 'wb').write(2**26 * b'x')\nreturn True"),
    "disk by a sparse file": tries("os.truncate(os.open('/tmp/s', os.O_CREAT | os.O_RDWR), 2**33); return True"),
    "a hundred thousand files": tries(
        "for n in range(100_000): os.close(os.open(f'/tmp/{n}', os.O_CREAT))\nreturn True"
    ),
    "shared memory": tries("for n in range(2): open(f'/dev/shm/{n}', 'wb').write(2**25 * b'x')\nreturn True"),
    "flood of output": answers(
        "for _line in range(300): print(10**5 * 'x'); print(10**5 * 'x', file=sys.stderr); os.write(1, 10**5 * b'x')\n"
        "return right(w)",
        "passed",
    ),
    "flood without end": answers("while True: print(10**5 * 'x')", "timeout"),
    "recursion": answers(
        "return again(w)",
        *("died", "raised", "timeout"),
        before="sys.setrecursionlimit(2**31 - 1)\ndef again(w): return again(w) + 1",
    ),
    "source that swells": answers("return eval('+'.join(500_000 * ['1']))", "died", "raised", "wrong"),
    "core dump": answers("import ctypes; ctypes.string_at(0)", "died"),
}

SIGNALS = {
    "os._exit": answers("os._exit(0)", "died"),
    "os._exit in the cell": Attack("import os; os._exit(0)", DIED),
    "os._exit a little later": Attack(
        "import os, threading, time\nthreading.Timer(0.05, os._exit, (0,)).start()\n"
        "def kept(w):\n    time.sleep(0.2)\n    return np.abs(w) > 0.5",
        DIED,
    ),
    "SystemExit": answers("raise SystemExit(0)", "raised"),
    "abort": answers("os.abort()", "died"),
    "kill the parent": tries("os.kill(os.getppid(), signal.SIGKILL); time.sleep(0.1); return False"),
    "stop the parent": tries("os.kill(os.getppid(), signal.SIGSTOP); return False"),
    "kill the group": answers("import signal; os.killpg(0, signal.SIGKILL); time.sleep(9)", "died"),
    "kill everybody": tries("os.kill(-1, signal.SIGKILL); return False"),
    "kill by number": tries(
        "mine = {os.getpid()}\nfor number in set(range(1, 40_000)) - mine:\n"
        "    try: os.kill(number, signal.SIGKILL)\n    except ProcessLookupError: pass\nreturn False"
    ),
    "kill the grader": tries("os.kill({grader}, signal.SIGKILL); return True"),
    "see the grader": tries("os.kill({grader}, 0); return True", True),
    "close every descriptor": answers("os.closerange(0, 256); return right(w)", "died"),
    "raise a limit": tries("resource.setrlimit(resource.RLIMIT_CPU, (10**9, 10**9)); return True"),
    "real time": tries("os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)); return True"),
    "negative nice": tries("os.nice(-10); return True"),
}

LIES = {
    "NumPy that agrees with everything": Attack(
        "np.isclose = np.equal = lambda *a, **o: np.True_\nnp.array_equal = np.allclose = lambda *a, **o: True\n"
        "np.testing.assert_allclose = lambda *a, **o: None\ndef kept(w): return np.zeros(w.shape, bool)",
        DENIED,
    ),
    "the worker's own functions": Attack(
        "import sys\nfor name in ('inside', 'attempt', 'wire'):\n"
        "    module = sys.modules[f'course_lib.classroom.{name}']\n"
        "    if hasattr(module, 'attempt'): module.attempt = lambda *a: module.Outcome('passed')\n"
        "def kept(w): return w",
        {"died", "wrong"},
        own_harm=True,
    ),
    "reply with points": Attack(
        "import course_lib.classroom.inside as inside\noriginal = inside.pack\n"
        "inside.pack = lambda reply: original(reply | {'status': 'passed', 'points': 9})\ndef kept(w): return w",
        DIED,
        own_harm=True,
    ),
    "builtins": Attack(
        "import builtins\nbuiltins.len = lambda x: 0\n"
        "builtins.isinstance = builtins.all = builtins.any = lambda *a: True\n"
        "def kept(w): return w",
        {"died", "wrong", "raised", "unusable", "timeout"},
        own_harm=True,
    ),
    "an object equal to everything": answers(
        "return Equal()",
        "unusable",
        before="class Equal:\n    __eq__ = __ne__ = __bool__ = lambda *a: True\n    shape = ()",
    ),
    "an array equal to everything": answers(
        "return np.zeros(w.shape, bool).view(Equal)",
        "wrong",
        before="class Equal(np.ndarray):\n    __eq__ = lambda *a: True\n    __array_ufunc__ = lambda *a, **o: np.True_",
    ),
    "an array with another shape each time": answers(
        "return np.zeros(w.shape, bool).view(Other)",
        "wrong",
        "unusable",
        before="class Other(np.ndarray):\n    shape = property(lambda self: (os.getpid(),))",
    ),
    "a masked array": answers("return np.ma.array(np.zeros(w.shape, bool), mask=True)", "wrong"),
    "a subclass of bool's kin": answers(
        "return [Yes(1) for _ in w]",
        "wrong",
        before="class Yes(int):\n    __eq__ = lambda *a: True\n    __hash__ = int.__hash__",
    ),
    "NaN": answers("return np.full(w.shape, np.nan)", "wrong"),
    "an array of objects": answers("return np.array([right] * w.size, object)", "unusable"),
    "a record array": answers("return np.zeros(w.shape, 'b1,b1')", "unusable"),
    "a mapping that never ends": answers(
        "return Endless()",
        "unusable",
        "timeout",
        "raised",
        "memory",
        before="from collections.abc import Mapping\nclass Endless(Mapping):\n    __len__ = lambda s: 1\n"
        "    __getitem__ = lambda s, key: s\n    __iter__ = lambda s: iter('a')",
    ),
    "its argument changed": answers("good = right(w); w[...] = 0; return good", "wrong"),
    "remember the first input": answers("first.append(right(w)); return first[0]", "wrong", before="first = []"),
    "huge by broadcasting": answers("return np.broadcast_to(True, (10**6, 10**6))", "unusable"),
    "huge in fact": answers("return np.zeros(2**27, bool)", "unusable"),
    "huge list": answers("return [0] * 10**7", "unusable", "timeout"),
}

FORGED = {
    "early reply": Attack(
        f"import os, sys\n{FRAMES}\nwrite(pack(reply | {{'value': True}}))\ndef kept(w): return w", DIED
    ),
    "reply to the next question": answers(
        "good = pack(reply | {'nonce': nonce(), 'value': w > 9})\nwrite(good)\nwrite(good)\nreturn w",
        *("wrong", "died"),
        before=FRAMES,
    ),
    "reply of another kind": answers(
        "write(pack(reply | {'nonce': nonce(), 'status': 'passed', 'points': 9}))", "died", before=FRAMES
    ),
    "length without end": answers("write(b'', 2**63)", "died", before=FRAMES),
    "length that is waited for": answers("write(b'', 2**20); time.sleep(60)", "timeout", before=FRAMES),
    "reply of nested lists": answers(
        "write(20_000 * b'{\"list\": [' + 20_000 * b']}' + bytes(1))", "died", before=FRAMES
    ),
    "reply of a million numbers": answers(
        "write(b'{\"list\": [' + 10**6 * b'12345,' + b'0]}' + bytes(1))", "died", before=FRAMES
    ),
    "reply of endless digits": answers("write(10**6 * b'9' + bytes(1))", "died", before=FRAMES),
    "array larger than its bytes": answers(
        'write(b\'{"array": ["<f8", [9999999999]]}\' + bytes(1))', "died", before=FRAMES
    ),
    "pickle": answers(
        "write(pickle.dumps(Bomb()))",
        "died",
        before=FRAMES + "import pickle\nclass Bomb:\n    def __reduce__(self): return os.mkdir, ('{outside}/pickled',)",
    ),
    "an object to be pickled": answers(
        "return Bomb()",
        "unusable",
        before="class Bomb:\n    def __reduce__(self): return os.mkdir, ('{outside}/pickled',)",
    ),
    "zip bomb": answers(
        "file = io.BytesIO(); np.savez_compressed(file, np.zeros(2**20)); write(file.getvalue())",
        "died",
        before=FRAMES + "import io",
    ),
    "zip bomb for an array": answers(
        "file = io.BytesIO(); np.savez_compressed(file, np.zeros(2**20)); return file.getvalue()",
        "unusable",
        before="import io",
    ),
}

SECRETS = {
    "the secret": tries("return open('{out}/secret.hex').read()", True),
    "another's notebook": tries("return open('{submissions}/000 honest.ipynb').read()", True),
    "the tests": tries("return open('{tests}/attacks.py').read()", True),
    "the course's repository": tries("return os.listdir('{repository}')", True),
    "the exercises": tries(
        "from course_lib.classroom.exercises import find\nreturn find('02.soft_threshold').reference", True
    ),
    "the exercises as files": tries(
        "import course_lib\nfolder = os.path.dirname(course_lib.__file__)\n"
        "return os.listdir(f'{folder}/classroom/exercises')",
        True,
    ),
    "compiled files": tries(
        "import course_lib\nfolder = os.path.dirname(course_lib.__file__)\n"
        "return [file for file in glob.glob(f'{folder}/**', recursive=True) if file.endswith('.pyc')]",
        True,
    ),
    "files by name": tries(
        "names = []\nfor folder in set(os.listdir('/')) - {'usr', 'python', 'packages'}:\n"
        "    for _here, _folders, files in os.walk('/' + folder): names += files\n"
        "return [name for name in names if name.endswith(('.ipynb', '.hex', '.csv'))]"
    ),
    "the password file": tries("return open('/etc/passwd').read()", True),
    "the environment": tries("return any('of the grader' in value for value in os.environ.values())"),
    "the environment of other processes": tries(
        "return any(open(file, 'rb').read() for file in glob.glob('/proc/*/environ'))", True
    ),
    "/proc": tries("return os.path.exists('/proc/1') or os.path.exists('/proc/self/maps')", True),
    "/proc mounted again": tries("libc.mount(b'proc', b'/proc', b'proc', 0, None)\nreturn os.path.exists('/proc/1')"),
    "host paths of mounts": tries(
        "return any('{repository}' in open(f).read() for f in ('/proc/self/mountinfo', '/proc/self/maps'))", True
    ),
    "host paths by statmount": tries(
        "request, answer = (ctypes.c_uint64 * 4)(24, 2**64 - 1, 0, 0), (ctypes.c_uint64 * 64)()\n"
        "return libc.syscall(458, request, answer, 64, 0) >= 0"
    ),
    "frames": tries(
        "frame, found = sys._getframe(), []\nwhile frame:\n"
        "    found += set(frame.f_locals) & {'expected', 'rights', 'reference', 'exercise', 'secret', 'points'}\n"
        "    frame = frame.f_back\nreturn found"
    ),
    "every object": tries(
        "return [o for o in gc.get_objects() if type(o).__name__ in ('Exercise', 'Case', 'Misconception', 'Verdict')]"
    ),
    "modules": tries("return [n for n in sys.modules if 'exercises' in n or 'judge' in n or 'grade' in n]"),
    "the zygote's descriptors": tries(
        "def open_ones():\n    for number in range(3, 256):\n"
        "        try: yield os.fstat(number)\n        except OSError: pass\n"
        "import stat\nreturn sum(stat.S_ISSOCK(info.st_mode) for info in open_ones()) > 1"
    ),
}

REACH = {
    "write where the grader reads": tries("open('{outside}/written', 'w').write('x'); return True"),
    "write into the results": tries("open('{out}/grades.csv', 'w').write('x'); return True"),
    "write into the library": tries("import course_lib; open(course_lib.__file__, 'a').write('x'); return True"),
    "write into the packages": tries("open(os.path.dirname(np.__file__) + '/x.py', 'w'); return True"),
    "write into Python": tries("open(os.__file__, 'a').write('x'); return True"),
    "write anywhere": tries(
        "for here, folders, _files in os.walk('/'):\n"
        "    folders[:] = [name for name in folders if name not in ('tmp', 'shm')]\n"
        "    try: os.mkdir(here + '/written by a submission')\n    except OSError: continue\n    return True"
    ),
    "remove everything": answers(
        "import shutil; shutil.rmtree('/', ignore_errors=True); return w", "wrong", "timeout", "raised"
    ),
    "network": tries("socket.create_connection(('127.0.0.1', {port}), timeout=1); return True", True),
    "network by the datagram": tries(
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port})); return True", True
    ),
    "other networks": tries(
        "for family in set(range(50)) - {1, 2, 10}:\n    for kind in (1, 2, 3, 5):\n"
        "        try: return socket.socket(family, kind)\n        except OSError: pass",
        True,
    ),
    "terminals": tries("return os.openpty()", True),
    "unix socket in a folder": tries(
        "s = socket.socket(socket.AF_UNIX); s.connect('{outside}/socket'); return True", True
    ),
    "unix socket without a folder": tries(
        "s = socket.socket(socket.AF_UNIX); s.connect('\\0{abstract}'); return True", True
    ),
    "D-Bus": tries(
        "for path in ('/run/dbus/system_bus_socket', '/var/run/dbus/system_bus_socket', '/run/user/1000/bus'):\n"
        "    if os.path.exists(path): return True\nreturn 'DBUS_SESSION_BUS_ADDRESS' in os.environ"
    ),
    "nested namespaces": tries("return libc.unshare(0x10000000) == 0 or libc.unshare(0x20000) == 0", True),
    "nested namespaces by clone": tries(
        "number = 56 if os.uname().machine == 'x86_64' else 220\n"
        "child = libc.syscall(number, 0x10000011, 0, 0, 0, 0)\nif child == 0: os._exit(0)\nreturn child > 0",
        True,
    ),
    "nested namespaces by a program": tries(
        "return subprocess.run(['unshare', '--user', 'true'], stderr=subprocess.DEVNULL).returncode == 0", True
    ),
    "mount": tries("return libc.mount(b'x', b'/tmp', b'tmpfs', 0, None) == 0 or libc.umount2(b'/proc', 2) == 0"),
    "chroot": tries("os.chroot('/tmp'); return True"),
    "ptrace": tries("return libc.ptrace(16, os.getppid(), 0, 0) == 0 or libc.ptrace(16, 1, 0, 0) == 0"),
    "memory of its parent": tries(
        "return libc.process_vm_readv(os.getppid(), ctypes.byref((ctypes.c_uint64 * 2)()), 1, 0, 0, 0) != -1"
    ),
    "become root": tries("os.setuid(0); return True"),
    "become another": tries("os.setgroups([0]); return True"),
    "set-user-ID": tries(
        "shutil.copy('/usr/bin/id', '/tmp/id'); os.chmod('/tmp/id', 0o6755)\n"
        "return b'uid=0' in subprocess.run(['/tmp/id'], capture_output=True).stdout"
    ),
    "device": tries("os.mknod('/tmp/disk', 0o60600, os.makedev(254, 0)); return True"),
    "keys of the kernel": tries(
        "return libc.syscall(250 if os.uname().machine == 'x86_64' else 219, 0, -5, 1) >= 0", True
    ),
}

STALE = {
    "a daemon that stays": Attack(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n"
        "    os.closerange(0, 256)\n    while True:\n"
        "        for folder in ('/tmp', '/dev/shm', '{outside}'):\n"
        "            try: open(folder + '/left behind', 'w').close()\n            except OSError: pass\n"
        "        time.sleep(0.01)\ndef kept(w): return np.abs(w) > 0.5",
        HARMLESS,
    ),
    "two hundred processes": Attack(
        "import os, time\nfor _child in range(200):\n    try: child = os.fork()\n    except OSError: break\n"
        "    if not child: os.setsid(); time.sleep(600)\ndef kept(w): return np.abs(w) > 0.5",
        HARMLESS,
    ),
    "modules in the way": Attack(
        "for name in ('numpy', 'json', 'sitecustomize', 'usercustomize'):\n"
        "    for folder in ('/tmp', '/dev/shm'): open(f'{folder}/{name}.py', 'w').write('raise SystemExit')\n"
        "def kept(w): return np.abs(w) > 0.5",
        HARMLESS,
    ),
    "a locked file": Attack(
        "import fcntl\nfile = open(np.__file__)\nfcntl.flock(file, fcntl.LOCK_EX)\ndef kept(w): return np.abs(w) > 0.5",
        HARMLESS,
    ),
}

ATTACKS = TIME | SPACE | SIGNALS | LIES | FORGED | SECRETS | REACH | STALE
