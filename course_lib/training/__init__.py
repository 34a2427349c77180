"""Train a pruned model: hold masks, prune by a schedule, shrink by a proximal operator."""

from course_lib.training.gradual import Prune
from course_lib.training.hold import hold, release
from course_lib.training.progress import Progress
from course_lib.training.proximal import Proximal

__all__ = ["Progress", "Proximal", "Prune", "hold", "release"]
