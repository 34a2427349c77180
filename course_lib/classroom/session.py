"""The answers of one submission, defined in a worker and ready to be called."""

import time
from collections.abc import Callable

from course_lib.classroom.attempt import Outcome
from course_lib.classroom.exercise import Exercise
from course_lib.classroom.worker import Worker

__all__ = ["Session"]

ENDED = {"timeout", "memory", "died"}  # and the worker with it


class Session:
    """Runs the setup and then every answer cell in order, in one namespace, as the learner's notebook does.

    A cell or a call that ends the worker costs its own exercise only: a fresh worker starts, and runs the setup and all
    the other cells again. As another cell may have ended it, such as one that left a clock ticking, an exercise
    that fails so is asked once more in a worker where no cell but its own has run.

    Parameters
    ----------
    start
        Gives a worker in which nothing has run.
    setup
        The setup cell of the course's own notebook.
    answers
        Source of each answer cell by exercise id.
    call_seconds, seconds
        Time limits of one answer cell or one call, and of the whole session.
    """

    def __init__(
        self,
        start: Callable[[], Worker],
        setup: str,
        answers: dict[str, str],
        call_seconds: float,
        seconds: float,
    ):
        self.start, self.setup, self.answers = start, setup, answers
        self.call_seconds = call_seconds
        self.until = time.monotonic() + seconds
        self.cells: dict[str, Outcome] = {}
        self.alone: set[str] = set()  # exercises that are asked in a worker of their own
        self.worker: Worker | None = None
        self.company: str | None = None  # the exercise that has the worker for its own

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
        if outcome.status in ENDED and exercise.id not in self.alone:
            self.alone.add(exercise.id)
            self.cells.pop(exercise.id, None)
            alone = self._ask(exercise, args)
            return alone if alone.status == "returned" else outcome
        return outcome

    def _ask(self, exercise: Exercise, args: tuple) -> Outcome:
        company = exercise.id if exercise.id in self.alone else None
        while self._left() and not (self.worker and self.worker.alive and self.company == company):
            self._start_worker(company)
        if not self._left():
            return Outcome("timeout")
        seconds = min(self.call_seconds, self._left())
        if exercise.kind == "value":
            outcome = self.worker.value(exercise.name, seconds)
        else:
            outcome = self.worker.call(exercise.name, args, seconds)
        cell = self.cells.get(exercise.id, outcome)
        return cell if outcome.status == "undefined" and cell.status != "returned" else outcome

    def _start_worker(self, company: str | None) -> None:
        """A worker in which every cell has run that does not end it; only the one of ``company`` if that is given."""
        if self.worker:
            self.worker.close()
        began = time.monotonic()
        self.worker, self.company = self.start(), company
        self.until += time.monotonic() - began  # TensorFlow's import is not the submission's
        outcome = self.worker.run(self.setup, self._left())
        if outcome.status != "returned" and self._left():
            raise RuntimeError(f"the setup cell failed: {outcome.status} {outcome.error} {outcome.message}".strip())
        for id, source in self.answers.items():
            if company in (None, id) and (id not in self.cells or self.cells[id].status not in ENDED):
                self.cells[id] = self.worker.run(source, min(self.call_seconds, self._left()))
                if not self.worker.alive:
                    return

    def _left(self) -> float:
        return max(self.until - time.monotonic(), 0)
