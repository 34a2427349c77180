"""The answers of one submission, defined in a worker and ready to be called."""

import time

from course_lib.classroom.attempt import Outcome
from course_lib.classroom.exercise import Exercise
from course_lib.classroom.worker import Worker

__all__ = ["Session"]


class Session:
    """Runs the setup and then every answer cell in order, in one namespace, as the learner's notebook does.

    A cell that raises, hangs or ends its process costs its own exercise only: after the last two a fresh worker starts
    and runs the setup and all the other cells again. The same is done after a call that ends the worker.

    Parameters
    ----------
    setup
        The setup cell of the course's own notebook.
    answers
        Source of each answer cell by exercise id.
    call_seconds, seconds
        Time limits of one answer cell or one call, and of the whole session.
    """

    def __init__(self, setup: str, answers: dict[str, str], call_seconds: float, seconds: float):
        self.setup, self.answers = setup, answers
        self.call_seconds = call_seconds
        self.until = time.monotonic() + seconds
        self.cells: dict[str, Outcome] = {}
        self.worker: Worker | None = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *exception) -> None:
        if self.worker:
            self.worker.close()

    def ask(self, exercise: Exercise, args: tuple) -> Outcome:
        """One call of an answer, or the value of one.

        Raises
        ------
        RuntimeError
            The setup cell failed.
        """
        outcome = self._ask(exercise, args)
        if outcome.status == "died":  # perhaps between two questions, which is not this one's fault: once more
            outcome = self._ask(exercise, args)
        cell = self.cells.get(exercise.id, outcome)
        return cell if outcome.status == "undefined" and cell.status != "returned" else outcome

    def _ask(self, exercise: Exercise, args: tuple) -> Outcome:
        if self._left() == 0:
            return Outcome("timeout")
        self._make_ready()
        seconds = min(self.call_seconds, self._left())
        if exercise.kind == "value":
            return self.worker.value(exercise.name, seconds)
        return self.worker.call(exercise.name, args, seconds)

    def _make_ready(self) -> None:
        while self.worker is None or not self.worker.alive:
            if self.worker:
                self.worker.close()
            self.worker = Worker()
            outcome = self.worker.run(self.setup, self._left())
            if outcome.status != "returned":
                raise RuntimeError(f"the setup cell failed: {outcome.status} {outcome.error} {outcome.message}".strip())
            for id, source in self.answers.items():
                if id in self.cells and self.cells[id].status in ("timeout", "died"):
                    continue
                self.cells[id] = self.worker.run(source, min(self.call_seconds, self._left()))
                if not self.worker.alive:
                    break

    def _left(self) -> float:
        return max(self.until - time.monotonic(), 0)
