"""Ship a model: convert it to a ``.tflite`` file, weigh it, time it, and check that it still answers the same."""

from course_lib.deploy.aware import quantize_aware
from course_lib.deploy.clusters import cluster
from course_lib.deploy.container import decode, encode
from course_lib.deploy.convert import to_tflite
from course_lib.deploy.interpreter import predict
from course_lib.deploy.latency import Latency, latency
from course_lib.deploy.micro import Micro, c_array, micro
from course_lib.deploy.parity import Parity, parity
from course_lib.deploy.size import Size, size
from course_lib.deploy.zeros import Zeros, zeros

__all__ = [
    "Latency",
    "Micro",
    "Parity",
    "Size",
    "Zeros",
    "c_array",
    "cluster",
    "decode",
    "encode",
    "latency",
    "micro",
    "parity",
    "predict",
    "quantize_aware",
    "size",
    "to_tflite",
    "zeros",
]
