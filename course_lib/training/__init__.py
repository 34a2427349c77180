"""Train a pruned model: hold masks and clusters, prune by a schedule, shrink by a proximal operator."""

from course_lib.training.batchnorm import reestimate
from course_lib.training.clusters import hold_clusters
from course_lib.training.exits import Exits, add_exits, early_exit
from course_lib.training.gates import ChannelGate, gate_rates
from course_lib.training.gradual import Prune
from course_lib.training.hold import hold, release
from course_lib.training.lottery import Snapshot, rewind
from course_lib.training.movement import Movement
from course_lib.training.progress import Progress
from course_lib.training.proximal import Proximal
from course_lib.training.sparse import SET, RigL

__all__ = [
    "SET",
    "ChannelGate",
    "Exits",
    "Movement",
    "Progress",
    "Proximal",
    "Prune",
    "RigL",
    "Snapshot",
    "add_exits",
    "early_exit",
    "gate_rates",
    "hold",
    "hold_clusters",
    "reestimate",
    "release",
    "rewind",
]
