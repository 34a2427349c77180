"""Recurrent layers: the units of the state, which all gates make and all gates read."""

import numpy as np
from keras import layers

from course_lib.shrink.channels import Axis, Channels, Cut, rule

__all__ = []

GATES = {layers.SimpleRNN: 1, layers.GRU: 3, layers.LSTM: 4}


@rule(*GATES)
def recurrent(layer, x, *state, **options):
    """A state that nothing leads to stays zero, so a unit that is gone is one that was silent from the start."""
    made = Axis.new(layer.units)
    gates = Axis.joined([made] * GATES[type(layer)])  # a unit has a column in each gate
    cell = layer.cell
    own = np.vstack([cell.kernel.numpy(), *([cell.bias.numpy().reshape(-1, len(gates))] if layer.use_bias else [])])
    silent = ~np.any(own.reshape(len(own), -1, layer.units), axis=(0, 1))
    silent &= ~np.any(cell.recurrent_kernel.numpy().reshape(layer.units, -1, layer.units), axis=(0, 1))
    rest = 0 if layer.get_config()["activation"] in ("tanh", "relu") else np.nan
    made = made.with_values(np.where(silent, rest, np.nan), rest)
    weights = {"cell.kernel": [x[-1], gates], "cell.recurrent_kernel": [made, gates]}
    if layer.use_bias:
        weights["cell.bias"] = [None] * (len(cell.bias.shape) - 1) + [gates]
    output = (
        Channels((None,) * 3, (None, None, made)) if layer.return_sequences else Channels((None,) * 2, (None, made))
    )
    why = "its state goes in or out"
    if layer.return_state or state or options:
        plain = [Channels.plain((None, None))] * (1 if isinstance(layer, layers.LSTM) else 0)
        plain = [output, Channels.plain((None, None)), *plain] if layer.return_state else output
        return Cut(plain, weights=weights, fixed=[(made, why)], config={"units": made})
    return Cut(output, weights=weights, config={"units": made})
