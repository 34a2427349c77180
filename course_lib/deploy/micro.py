"""A ``.tflite`` file on a microcontroller: as a C array, and in TensorFlow Lite Micro's own interpreter.

There is no file system on a microcontroller: the model is compiled into the program and lies in flash memory, and the
interpreter works in one block of RAM, the arena, whose size is set beforehand.

Source: David et al., "TensorFlow Lite Micro: Embedded Machine Learning for TinyML Systems", MLSys (2021).
"""

import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_lib.deploy.arrays import named_arrays
from course_lib.deploy.interpreter import dequantised, load, ports, quantised
from course_lib.files import whole_file

__all__ = ["Micro", "c_array", "micro"]

CHILD = Path(__file__).with_name("micro_child.py")  # imports neither this package nor TensorFlow
SECONDS = 600


class Micro(NamedTuple):
    """Result of :func:`micro`: outputs as real numbers, bytes of RAM (arena) and of flash (file)."""

    outputs: np.ndarray
    arena: int
    flash: int


def micro(path, x) -> Micro:
    """Run a ``.tflite`` file in TensorFlow Lite Micro, example by example, as a microcontroller would.

    The interpreter runs in a process of its own, because it ends that process when it meets an operator that it lacks.
    It comes with the optional extra: ``pip install "course-lib[micro]"`` (Linux on x86).

    Parameters
    ----------
    path
        A ``.tflite`` file with one input and one output; full int8 is what microcontrollers run.
    x
        Array (n, …) of real inputs.

    Returns
    -------
    Micro
        ``outputs`` float32 (n, …); ``arena`` the bytes that the interpreter used of its RAM, of this build and machine:
        pointers are 8 bytes here and 4 on most microcontrollers; ``flash`` the bytes of the file.

    Raises
    ------
    ModuleNotFoundError
        The extra is not installed.
    FileNotFoundError, ValueError
        There is no such file; it is damaged; it has several inputs or outputs; Micro cannot run it; x does not fit.

    Examples
    --------
    >>> from course_lib import deploy, models
    >>> x = np.random.default_rng(0).random((20, 28, 28, 1))
    >>> file = Path(tempfile.mkdtemp()) / "cnn.tflite"
    >>> file = deploy.to_tflite(models.small_cnn(), file, quantize="int8", calibration=x)
    >>> result = micro(file, x)
    >>> result.outputs.shape, result.flash == file.stat().st_size
    ((20, 10), True)
    """
    interpreter = load(path)
    inputs, outputs = ports(interpreter)
    if len(inputs) > 1 or len(outputs) > 1:
        raise ValueError(f"{path} has {len(inputs)} inputs and {len(outputs)} outputs; run a file with one of each.")
    if find_spec("tflite_micro") is None:
        raise ModuleNotFoundError('TensorFlow Lite Micro is not installed: pip install "course-lib[micro]".')
    ((name, tensor),) = inputs.items()
    (rows,) = named_arrays("x", x, {name: tensor["shape_signature"][1:]}).values()
    with tempfile.TemporaryDirectory() as folder:
        given, answered = Path(folder, "inputs.npy"), Path(folder, "outputs.npy")
        np.save(given, quantised(rows, tensor))
        command = [sys.executable, str(CHILD), str(Path(path).absolute()), str(given), str(answered)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        arena = re.search(r"Arena allocation total (\d+) bytes", done.stdout + done.stderr)
        if done.returncode or arena is None or not answered.exists():
            says = next(iter([line for line in done.stderr.splitlines() if line.strip()][-1:]), "nothing")
            raise ValueError(
                f"TensorFlow Lite Micro cannot run {path} (it says: {says.strip()}); "
                f'write it with quantize="int8", and see that Micro has all its operators.'
            )
        values = np.load(answered, allow_pickle=False)
    return Micro(dequantised(values, outputs[0]), int(arena[1]), Path(path).stat().st_size)


def c_array(path, file) -> Path:
    """Write a ``.tflite`` file as a C header: its bytes as an array, aligned for the interpreter, and their number.

    Parameters
    ----------
    path
        The ``.tflite`` file.
    file
        The header to write, whole or not at all. Its name gives the names in C: "my-net.h" gives ``my_net`` and
        ``my_net_len``.

    Returns
    -------
    pathlib.Path
        The header.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such ``.tflite`` file, or it is damaged.

    Examples
    --------
    >>> from course_lib import deploy, models
    >>> folder = Path(tempfile.mkdtemp())
    >>> header = c_array(deploy.to_tflite(models.small_cnn(), folder / "cnn.tflite"), folder / "cnn.h")
    >>> "alignas(16) const unsigned char cnn[] = {" in header.read_text()
    True
    """
    load(path)
    content, file = Path(path).read_bytes(), Path(file)
    name = re.sub(r"\W", "_", file.stem, flags=re.ASCII)
    name = name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"
    lines = (content[start : start + 16] for start in range(0, len(content), 16))
    body = "\n".join("  " + " ".join(f"0x{byte:02x}," for byte in line) for line in lines)
    text = (
        f"// {Path(path).name}, {len(content)} bytes: written by course_lib.deploy.c_array\n"
        f"#pragma once\n\n"
        f"#ifndef __cplusplus\n#include <stdalign.h>\n#endif\n\n"
        f"alignas(16) const unsigned char {name}[] = {{\n{body}\n}};\n"
        f"const unsigned int {name}_len = {len(content)};\n"
    )
    with whole_file(file) as opened:
        opened.write(text.encode())
    return file
