"""The sandbox itself: what is inside, who runs there, what is left afterwards, and what is said where it cannot be."""

import errno
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from course_lib import masks
from course_lib.classroom import Case, Exercise, Misconception
from course_lib.classroom.exercises import find
from course_lib.classroom.hide import hidden_files
from course_lib.classroom.sandbox import NoSandbox, Sandbox, cgroup
from course_lib.classroom.sandbox.isolate import STRICT_LIMITS
from course_lib.classroom.sandbox.layout import LIBRARY, Layout
from course_lib.classroom.sandbox.remedy import remedy
from course_lib.classroom.sandbox.syscalls import AUDIT_ARCH, CLOSED, _filter
from course_lib.classroom.worker import children

PATIENT = 60.0


@pytest.fixture(scope="module", params=["forked", "alone"])
def place(request):
    with Sandbox(shared=request.param == "forked") as sandbox:
        yield sandbox


@contextmanager
def open_folder():
    """A temporary folder that the user nobody may enter as well."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield folder


def inside(place, source, name="found", **options):
    with place.start(**options) as worker:
        outcome = worker.run(source, PATIENT)
        assert outcome.status == "returned", outcome
        return worker.value(name, PATIENT).value


def test_the_folders_are_the_neutral_ones_and_name_no_place_of_this_machine(place):
    found = inside(
        place,
        "import os, sys, numpy, course_lib\n"
        "found = {'root': os.listdir('/'), 'arguments': sys.argv, 'path': sys.path, 'environment': dict(os.environ)}\n"
        "found |= {'files': [os.__file__, numpy.__file__, course_lib.__file__], 'here': os.getcwd()}\n"
        "found |= {'proc': [os.path.join(here, n) for here, d, files in os.walk('/proc') for n in d + files]}",
    )
    assert not set(found["root"]) - {*"bin dev etc lib lib32 lib64 course packages proc python sys tmp usr".split()}  # noqa: SIM905
    assert found["here"] == "/tmp"
    assert set(found["proc"]) == {"/proc/self", "/proc/self/exe", "/proc/self/cmdline", "/proc/cpuinfo"}
    for place_here in (LIBRARY.parent, sys.prefix, Path.home(), os.getcwd()):
        assert str(place_here) not in str(found)


OPERATORS = """
import tempfile
from ai_edge_litert.interpreter import Interpreter
from course_lib import deploy, models

model = deploy.to_tflite(models.lenet_300_100(), tempfile.mkdtemp() + "/model.tflite")
interpreter = Interpreter(str(model))
interpreter.allocate_tensors()
found = [operator["op_name"] for operator in interpreter._get_ops_details()]
"""


def test_a_file_runs_with_the_same_kernels_inside_as_outside(place):
    """LiteRT's fast ones need to know the processor; without them a latency measured inside would be another's."""
    outside = {}
    exec(OPERATORS, outside)
    assert "DELEGATE" in outside["found"]
    assert inside(place, OPERATORS, setup="import tensorflow") == outside["found"]


def test_the_user_is_nobody_in_particular_and_has_limits(place):
    found = inside(
        place,
        "import os, resource\nfound = {'ids': [*os.getresuid(), *os.getresgid()]}\n"
        f"for name in {list(STRICT_LIMITS)}: found[name] = resource.getrlimit(getattr(resource, f'RLIMIT_{{name}}'))",
    )
    assert set(found.pop("ids")) == {1000}
    assert found == {name: (most, most) for name, most in STRICT_LIMITS.items()}


def test_root_runs_student_code_as_somebody_else(place):
    nobody = os.getuid() or 65534
    with place.start() as worker:
        for number in descendants(worker.pid):
            assert f"Uid:\t{nobody}\t{nobody}\t{nobody}\t{nobody}\n" in Path(f"/proc/{number}/status").read_text()


def test_files_in_memory_have_a_size(place):
    source = (
        "import os\nfound = []\nfor folder in ('/tmp', '/dev/shm'):\n"
        "    room = os.statvfs(folder)\n    found.append(room.f_blocks * room.f_frsize)"
    )
    assert inside(place, source) == [64 * 2**20, 32 * 2**20]


def test_two_workers_share_nothing(place):
    leave = (
        "import os\nfor here, _folders, _files in os.walk('/'):\n"
        "    try: open(here + '/mark', 'w')\n    except OSError: pass"
    )
    look = (
        "import os\nmarks = [here for here, _folders, files in os.walk('/') if 'mark' in files]\nrunning = []\n"
        "for number in range(1, 300):\n    try: os.kill(number, 0)\n    except ProcessLookupError: continue\n"
        "    running.append(number)"
    )
    with place.start() as one, place.start() as two:
        assert one.run(leave, PATIENT).status == two.run(look, PATIENT).status == "returned"
        assert two.value("marks", PATIENT).value == []
        assert len(two.value("running", PATIENT).value) <= 2  # itself and the first process of its namespace
        assert one.run(look, PATIENT).status == "returned"
        assert set(one.value("marks", PATIENT).value) == {"/tmp", "/dev/shm"}


def test_a_hidden_module_is_empty_and_the_library_around_it_still_works(place):
    source = (
        "from course_lib import regularizers\nimport numpy as np\n"
        "text = open('/course/course_lib/regularizers/proximal.py').read()\n"
        "try: found = regularizers.soft_threshold(np.ones(2), 0.5)\nexcept RuntimeError as error: found = str(error)\n"
        "from course_lib.classroom import check, hint"
    )
    assert "hidden" in inside(place, source, hidden=["regularizers/proximal.py"])
    assert "np.abs" not in inside(place, source, "text", hidden=["regularizers/proximal.py"])
    np.testing.assert_array_equal(inside(place, source), [0.5, 0.5])


def test_what_a_reference_is_made_of_is_hidden():
    assert hidden_files([find("02.soft_threshold")]) == {"regularizers/proximal.py"}
    module = masks.from_scores.__module__
    file = Path(sys.modules[module].__file__).relative_to(LIBRARY).as_posix()
    assert hidden_files([find("03.magnitude_mask"), find("03.weights_kept")]) == {file}
    allowed = Exercise(
        id="02.mine",
        title="Mine",
        points=1,
        minutes=1,
        difficulty=1,
        reference=masks.from_scores,
        cases=lambda rng: [Case("", (1,))],
        misconceptions=[Misconception(abs, "a"), Misconception(abs, "b")],
        hints=["a", "b"],
        may_use=[module],
    )
    assert hidden_files([allowed]) == set()


def test_tensorflow_is_imported_once_for_the_setups_that_need_it(sandbox):
    fit = (
        "import numpy as np\nmodel = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])\n"
        "model.compile('sgd', 'mse')\nmodel.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)\n"
        "found = model.predict(np.ones((1, 4)), verbose=0).shape"
    )
    for _student in range(2):
        assert inside(sandbox, f"import keras\n{fit}", setup="import keras") == (1, 2)
    assert sandbox.modules["import keras"] == ("tensorflow", "keras")
    loaded = "import sys\nfound = 'tensorflow' in sys.modules"
    assert inside(sandbox, loaded, setup="import keras") and not inside(sandbox, loaded, setup="import numpy")


def test_a_zygote_that_was_killed_is_replaced():
    with Sandbox() as sandbox:
        with sandbox.start() as worker:
            [zygote] = sandbox.zygotes.values()
            zygote.process.kill()
            until = time.monotonic() + 20
            while worker.alive and time.monotonic() < until:
                worker.run("", PATIENT)
            assert not worker.alive
        assert inside(sandbox, "found = 1") == 1


def test_a_sandbox_that_is_closed_starts_nothing():
    with Sandbox() as sandbox, sandbox.start() as worker:
        sandbox.close()
        assert worker.run("", PATIENT).status == "died"
        with pytest.raises(OSError, match="closed"):
            sandbox.start()


@pytest.mark.parametrize("shared", [True, False])
def test_nothing_survives_a_grader_that_is_killed(shared):
    program = (
        "import time\nfrom course_lib.classroom.sandbox import Sandbox\n"
        f"with Sandbox(shared={shared}) as sandbox, sandbox.start() as worker:\n"
        "    worker.run('import os\\nif os.fork() == 0:\\n    os.setsid()\\n    while True: pass', 60)\n"
        "    print(worker.pid, flush=True)\n    time.sleep(60)"
    )
    with (
        open_folder() as folder,
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": folder}
        ) as grader,
    ):
        worker = int(grader.stdout.readline())
        assert Path(f"/proc/{worker}").exists()
        grader.kill()
    until = time.monotonic() + 20
    while Path(f"/proc/{worker}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{worker}").exists()


def test_ending_a_worker_waits_until_all_of_it_is_gone(place):
    with place.start() as worker:
        worker.run("import os, time\nfor n in range(20):\n    if os.fork() == 0: os.setsid(); time.sleep(60)", PATIENT)
        numbers = descendants(worker.pid)
        assert len(numbers) > 20
    assert not [number for number in numbers if runs(number)]


def runs(number):
    """Whether there is such a process, and not only its entry, which its parent has yet to take note of."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descendants(number):
    return [number, *(each for child in children(number) for each in descendants(child))]


# control groups, on a folder that looks like theirs


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """The terminal is in a group of a user's session; the groups around it are delegated up to ``user@1000``."""
    terminal = tmp_path / "user.slice" / "user@1000" / "app.slice" / "terminal.scope"
    terminal.mkdir(parents=True)
    for folder in (terminal, *terminal.parents[:4]):
        (folder / "cgroup.procs").touch()
        (folder / "cgroup.subtree_control").write_text("" if folder == terminal else "cpu memory pids\n")
    (tmp_path / "own").write_text("1:name=systemd:/x\n0::/user.slice/user@1000/app.slice/terminal.scope\n")
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    monkeypatch.setattr(cgroup, "OWN", tmp_path / "own")
    return terminal.parent


def test_a_worker_gets_a_group_with_limits_beside_the_grader_s(groups):
    with Sandbox() as sandbox, sandbox.start() as worker:
        [*_workers, group] = sorted(groups.glob("course-*"), key=os.path.getmtime)
        limits = {name: int((group / name).read_text()) for name in ("memory.max", "memory.swap.max", "pids.max")}
        assert limits == {"memory.max": 2 * 2**30, "memory.swap.max": 0, "pids.max": 64}
        assert int((group / "cgroup.procs").read_text()) in descendants(worker.pid)


@pytest.mark.parametrize("own", ["", "4:memory:/x\n", "0::/user.slice/elsewhere\n"])
def test_without_control_groups_a_worker_starts_all_the_same(groups, own):
    cgroup.OWN.write_text(own)
    for control in cgroup.ROOT.rglob("cgroup.subtree_control"):
        control.write_text("cpu\n")
    with Sandbox() as sandbox, sandbox.start() as worker:
        assert worker.run("", PATIENT).status == "returned"
    assert not list(cgroup.ROOT.rglob("course-*"))


# the filter of system calls, run by an interpreter of its own


def decide(machine, architecture, number, argument=0):
    """What the filter's program returns, by the rules of the classic BPF."""
    data = struct.pack("<iIQQ", number, architecture, 0, argument)
    program, at, accumulator = _filter(machine), 0, 0
    while True:
        operation, if_true, if_false, operand = program[at]
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, operand)
            case 0x06:
                return operand
            case _:
                holds = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: accumulator & operand}
                at += if_true if holds[operation] else if_false


ALLOW = 0x7FFF0000


@pytest.mark.parametrize("machine", AUDIT_ARCH)
def test_the_filter_refuses_what_it_names_and_nothing_else(machine):
    column, architecture = list(AUDIT_ARCH).index(machine), AUDIT_ARCH[machine]
    closed = {numbers[column] for numbers in CLOSED.values()}
    for number in range(500):
        expected = ALLOW
        if number in closed:
            expected = 0x50000 | errno.EPERM
        if number == 435:  # clone3
            expected = 0x50000 | errno.ENOSYS
        assert decide(machine, architecture, number, argument=1) == expected, number
    clone = {"x86_64": 56, "aarch64": 220}[machine]
    assert decide(machine, architecture, clone, signal.SIGCHLD) == ALLOW
    assert decide(machine, architecture, clone, 0x10000000 | signal.SIGCHLD) == 0x50000 | errno.EPERM
    socket = {"x86_64": 41, "aarch64": 198}[machine]
    families = [family for family in range(60) if decide(machine, architecture, socket, family) == ALLOW]
    assert families == [1, 2, 10]  # Unix, IPv4, IPv6
    assert decide(machine, architecture, 0x40000000 + 39) == 0x50000 | errno.EPERM
    assert decide(machine, 0x40000003, 1) == 0x80000000  # another interface of the same kernel


def test_another_machine_is_refused():
    with pytest.raises(OSError, match="riscv64"):
        _filter("riscv64")


# the layout


def test_a_course_among_the_packages_is_covered(tmp_path, monkeypatch):
    monkeypatch.setattr("course_lib.classroom.sandbox.layout.SYSTEM", ["/usr/lib", str(LIBRARY.parents[1])])
    layout = Layout(tmp_path)
    options = layout.options(alone=False)
    assert ["--tmpfs", str(LIBRARY.parent)] in [options[i : i + 2] for i in range(len(options))]
    layout.clear()
    assert not tmp_path.exists()


def test_the_copy_of_the_library_has_no_exercises_and_nothing_compiled(tmp_path):
    layout = Layout(tmp_path)
    names = {
        path.relative_to(tmp_path / "course" / "course_lib").as_posix() for path in tmp_path.rglob("course_lib/**/*")
    }
    assert {"masks.py", "masks/__init__.py"} & names and "classroom/sandbox/zygote.py" in names
    assert not [name for name in names if "exercises" in name or name.endswith(".pyc") or "judge" in name]
    layout.clear()


# where there is no sandbox


def system(root, **settings):
    for name, value in settings.items():
        path = root / "proc" / "sys" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    return root


@pytest.mark.parametrize(
    "settings, words",
    [
        ({}, "bwrap --unshare-user"),
        ({"kernel__apparmor_restrict_unprivileged_userns": 1}, "/etc/apparmor.d/bwrap"),
        ({"kernel__unprivileged_userns_clone": 0}, "sysctl kernel.unprivileged_userns_clone=1"),
        ({"user__max_user_namespaces": 0}, "sysctl user.max_user_namespaces="),
    ],
)
def test_the_message_names_the_remedy_of_a_linux_machine(tmp_path, settings, words):
    failure = "first line\nbwrap: setting up uid map: Permission denied\n"
    said = remedy(failure, "linux", system(tmp_path, **settings)).splitlines()
    assert len(said) == 4
    assert said[1] == "What was said: bwrap: setting up uid map: Permission denied."
    assert words in said[2]
    assert "--unsafe" in said[3]


def test_the_message_names_the_remedy_of_a_container(tmp_path):
    (tmp_path / ".dockerenv").touch()
    assert "--security-opt seccomp=unconfined" in remedy("no", "linux", tmp_path)


@pytest.mark.parametrize("platform, word", [("darwin", "macOS"), ("win32", "WSL 2")])
def test_another_system_is_told_where_to_grade(platform, word, monkeypatch):
    assert word in remedy("", platform)
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(NoSandbox, match="no sandbox works"), Sandbox():
        pass


def test_what_bubblewrap_says_is_in_the_message(monkeypatch):
    with tempfile.TemporaryDirectory() as folder:  # where nobody may look as well
        Path(folder).chmod(0o755)
        (Path(folder) / "bwrap").write_text(
            "#!/bin/sh\necho 'bwrap: No permissions to create a namespace' >&2\nexit 1\n"
        )
        (Path(folder) / "bwrap").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        with pytest.raises(NoSandbox, match="What was said: bwrap: No permissions to create a namespace"), Sandbox():
            pass
