"""What may crash or hang: TensorFlow, LiteRT and Jupyter, each tried in a process of its own."""

import os
import signal
import subprocess
import sys

from course_lib.classroom.doctor.versions import PIP
from course_lib.classroom.language import _

__all__ = ["jupyter", "litert", "tensorflow"]

SECONDS = 120  # for the first import of TensorFlow after a start of the machine, from a slow disk
ILLEGAL_INSTRUCTION = (-4, 0xC000001D)  # the exit code, as POSIX and as Windows have it
KILLED = -9
KERNEL = """
import sys, jupyterlab
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
try:
    code = f"import course_lib, sys; assert sys.prefix == {sys.prefix!r}, 'the kernel is of ' + sys.prefix"
    reply = client.execute_interactive(code, timeout=60, output_hook=lambda message: None)["content"]
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
if reply["status"] != "ok":
    raise RuntimeError("the kernel said " + reply["ename"] + ": " + reply["evalue"])
print(jupyterlab.__version__)
"""


def tensorflow() -> str:
    return _try_out("import tensorflow as tf\ntf.zeros(1)\nprint(tf.__version__)")


def litert() -> str:
    return _try_out("import ai_edge_litert.interpreter\nprint(ai_edge_litert.__version__)")


def jupyter() -> str:
    version = _try_out(KERNEL)
    return _("JupyterLab {version}, and a kernel starts").format(version=version)


def _try_out(program: str) -> str:
    """What the program prints last, when a Python of its own runs it."""
    command, quiet = [sys.executable, "-c", program], os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, errors="replace", timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise RuntimeError(
            _("did not answer within {seconds} s. Try again: the second start reads from memory").format(
                seconds=SECONDS
            )
        ) from None
    if done.returncode == 0:
        return done.stdout.strip().rpartition("\n")[2]
    if done.returncode in ILLEGAL_INSTRUCTION:
        raise RuntimeError(
            _(
                "stopped by an illegal instruction: it is built for processors with AVX, and this one has none, or its "
                "virtual machine hides it. Use another machine, or Binder or Google Colab"
            )
        )
    if done.returncode == KILLED:
        raise RuntimeError(_("killed by the system, most likely for want of memory. Close other programs"))
    said = done.stderr.strip().rpartition("\n")[2]
    if done.returncode < 0:
        said = _("ended by {signal}").format(signal=signal.Signals(-done.returncode).name)
    raise RuntimeError(
        _("{said}. Install it again: {pip} --force-reinstall --requirement requirements.lock").format(
            said=said.rstrip("."), pip=PIP
        )
    )
