"""Run by ``deploy.micro`` in a process of its own: a file, quantised inputs, where to put the outputs."""

import sys


def main(path, given, answered):
    import numpy as np
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(path)
    outputs = []
    for row in np.load(given, allow_pickle=False):
        interpreter.set_input(row[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).copy())
    np.save(answered, np.concatenate(outputs))
    interpreter.print_allocations()


if __name__ == "__main__":
    main(*sys.argv[1:])
