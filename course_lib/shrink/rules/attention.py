"""Layers whose products have several axes: einsum and attention."""

import math
import re

import numpy as np
from keras import layers

from course_lib.shrink.channels import Axis, Channels, Cut, rule
from course_lib.shrink.rules.elementwise import activated

__all__ = []


@rule(layers.EinsumDense)
def einsum_dense(layer, x):
    """A letter of the kernel alone makes units, one of input and kernel alone is read, one of all three passes."""
    of_x, of_kernel, of_output = re.split("->|,", layer.equation.replace(" ", ""))
    shape = layer.compute_output_shape(x.shape)
    of_x, of_output = _spelled(of_x, len(x.shape)), _spelled(of_output, len(shape))
    axes = dict(zip(of_x, x.axes, strict=True))
    kernel = layer.kernel.numpy()
    made = {letter: Axis.new(n) for letter, n in zip(of_kernel, kernel.shape, strict=True) if letter not in of_x}
    bias = layer.bias.numpy() if layer.bias is not None else None
    letters = _bias_letters(layer, of_output)
    own_bias = bias is None or (letters == "".join(made) and bias.size == math.prod(map(len, made.values())))
    plain = set(made) == set(of_output) & set(of_kernel) and own_bias
    if len(made) == 1 and plain:
        (letter,) = made
        flat = np.moveaxis(kernel, of_kernel.index(letter), -1).reshape(-1, kernel.shape[of_kernel.index(letter)])
        zero = ~np.any(flat, axis=0)
        made[letter] = made[letter].with_values(np.where(zero, 0 if bias is None else bias.ravel(), np.nan))
    axes |= made
    output = Channels(tuple(shape), tuple(axes.get(letter) for letter in of_output))
    own = set(of_kernel) if bias is None else set(of_kernel) & set(letters)  # zero where the unit's weights are
    passed = [
        axis if axis is None or letter in made else axis.with_values(np.nan, 0 if letter in own else np.nan)
        for letter, axis in zip(of_output, output.axes, strict=True)
    ]
    output = Channels(output.shape, tuple(passed))
    fixed = []
    for i, axis in enumerate(output.axes):
        if axis is not None:
            output, why = activated(layer.activation, output, i)
            fixed += why
    read = [letter for letter in of_x if letter in of_kernel and letter not in of_output]
    weights = {"kernel": [axes[letter] for letter in of_kernel]}
    if bias is not None:
        behind = of_output[len(of_output) - len(bias.shape) :]  # Keras gives the bias an axis of 1 for other letters
        weights["bias"] = [axes.get(letter) if letter in layer.bias_axes else None for letter in behind]
    return Cut(
        output,
        weights=weights,
        config={"output_shape": _sizes(layer, output)},
        units=made[of_kernel[[letter in made for letter in of_kernel].index(True)]] if len(made) == 1 else None,
        fixed=fixed,
        fold=_fold(kernel, of_kernel, read, axes, letters, bias.shape) if bias is not None and plain else None,
    )


def _spelled(letters, rank):
    """A side of an equation with capital letters for "...", one an axis."""
    return letters.replace("...", "".join(map(chr, range(65, 65 + rank - len(letters) + 3))))


def _bias_letters(layer, of_output):
    return "".join(letter for letter in of_output if letter in (layer.bias_axes or ""))


def _sizes(layer, x):
    """The new ``output_shape``: it speaks of the letters behind the batch, and not of what "..." stands for."""
    before = layer.get_config()["output_shape"]
    before = (before,) if isinstance(before, int) else tuple(before)
    letters = layer.equation.split("->")[1].replace(" ", "")
    elided = letters.find("...")
    more = len(x.shape) - len(letters) + 3
    spoken = [a for i, a in enumerate(x.axes) if elided < 0 or not elided <= i < elided + more]
    spoken = spoken[len(spoken) - len(before) :]

    def sizes(kept):
        return tuple(n if a is None else len(kept(a)) for n, a in zip(before, spoken, strict=True))

    return sizes


def _fold(kernel, of_kernel, read, axes, letters, shape):
    labelled = [letter for letter in read if axes[letter] is not None]
    if len(labelled) != 1:
        return None
    return lambda values: np.einsum(f"{of_kernel},{labelled[0]}->{letters}", kernel, values).reshape(shape)


@rule(layers.MultiHeadAttention)
def multi_head_attention(layer, query, value, key=None, return_attention_scores=False, **options):
    """The units are the heads; those of the output are called "…/attention_output"."""
    key = value if key is None else key
    into = layer.value_dense.kernel.numpy()  # (inputs, heads, d)
    out = layer.output_dense.kernel.numpy()  # (heads, d, outputs), or several axes of outputs
    flat = out.reshape(*out.shape[:2], -1)
    mute = ~np.any(into, axis=(0, 2))
    if layer.use_bias:
        mute &= ~np.any(layer.value_dense.bias.numpy(), axis=1)
    heads = Axis.new(layer.num_heads).with_values(np.where(mute | ~np.any(flat, axis=(1, 2)), 0, np.nan), 0)
    made = None
    if out.ndim == 3:
        bias = layer.output_dense.bias.numpy() if layer.use_bias else 0
        made = Axis.new(out.shape[-1]).with_values(np.where(np.any(flat, axis=(0, 1)), np.nan, bias), 0)
    weights = {"output_dense.kernel": [heads, None, *[None] * (out.ndim - 3), made]}
    for name, x in {"query_dense": query, "key_dense": key, "value_dense": value}.items():
        weights[f"{name}.kernel"] = [x[-1], heads, None]
        if layer.use_bias:
            weights[f"{name}.bias"] = [heads, None]
    if layer.use_bias:
        weights["output_dense.bias"] = [*[None] * (out.ndim - 3), made]
    output = Channels.plain((*query.shape[:-1], *out.shape[2:])).replace(-1, made)
    config = {"num_heads": heads}
    if made is not None:
        config["output_shape"] = lambda kept: (len(kept(made)),)
    across = [a for x in (query, value, key) for a in x.axes[:-1] if a is not None]
    return Cut(
        [output, Channels((None,) * 4, (None, heads, None, None))] if return_attention_scores else output,
        weights=weights,
        config=config,
        units=heads,
        named={} if made is None else {"attention_output": made},
        fixed=[(axis, "attention looks at all of them together") for axis in across],
    )
