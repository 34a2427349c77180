"""A progress bar for ``fit(verbose=0, callbacks=[Progress("dense")])``: one line that stays one line."""

import time
from html import escape

import keras

__all__ = ["Progress"]

SECONDS_BETWEEN_UPDATES = 0.5


class Progress(keras.callbacks.Callback):
    """Show how far ``fit`` is, and at the end how long it took and what it reached.

    In a notebook the line is redrawn in place; elsewhere only the last one is printed.

    Parameters
    ----------
    label
        What is being trained.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib import models
    >>> model = models.lenet_300_100()
    >>> model.compile("sgd", "sparse_categorical_crossentropy")
    >>> x, y = np.zeros((8, 28, 28, 1)), np.zeros(8)
    >>> _ = model.fit(x, y, verbose=0, callbacks=[Progress("LeNet")])  # doctest: +ELLIPSIS
    LeNet: 1 epoch, ... s, loss 2.303
    """

    def __init__(self, label):
        super().__init__()
        self.label = label

    def on_train_begin(self, logs=None):
        self._start = self._shown = time.monotonic()
        self._epoch = 0
        self._handle = _notebook_line(self._line(0.0))

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        if self._handle and self.params.get("steps") and now - self._shown > SECONDS_BETWEEN_UPDATES:
            self._shown = now
            share = (self._epoch + (batch + 1) / self.params["steps"]) / self.params["epochs"]
            self._handle.update(self._line(share))

    def on_epoch_end(self, epoch, logs=None):
        self._logs = logs or {}

    def on_train_end(self, logs=None):
        epochs = self._epoch + 1
        results = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in self._logs.items())
        seconds = time.monotonic() - self._start
        text = f"{self.label}: {epochs} epoch{'s' * (epochs > 1)}, {seconds:.0f} s, {results}"
        if self._handle:
            self._handle.update(_Line(text, 1.0))
        else:
            print(text)

    def _line(self, share):
        return _Line(f"{self.label}: epoch {self._epoch + 1} of {self.params['epochs']}", share)


class _Line:
    def __init__(self, text, share):
        self.text, self.share = text, share

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        text = escape(self.text)
        return f'<progress value="{self.share:.2f}" max="1" aria-label="{text}"></progress> {text}'


def _notebook_line(line):
    """A line that can be redrawn, or None where there is no notebook."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return None
    return display(line, display_id=True) if get_ipython() is not None else None
