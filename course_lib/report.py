"""What a model costs, layer by layer: parameters, zeros, multiply-accumulates, bytes.

One multiply-accumulate (MAC) is one product added to a sum; "FLOPs" would be twice as many. Only the products of
kernels are counted, for one example: they are what pruning removes. What attention multiplies beside its kernels,
queries by keys and weights by values, is not.
"""

import math
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import numpy as np

from course_lib.macs import macs_by_layer, own_weights

__all__ = ["LayerCost", "Summary", "Table", "summary"]


@dataclass(frozen=True)
class Table:
    """Rows of text under a heading, shown as text or as HTML; the first column is a name, the others are numbers.

    Examples
    --------
    >>> print(Table(["layer", "zeros"], [["dense_1", "90%"], ["output", "7%"]]))
    layer    zeros
    dense_1    90%
    output      7%
    """

    heading: list
    rows: list

    def __str__(self):
        lines = [self.heading, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heading))]
        return "\n".join("  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines)

    __repr__ = __str__

    def _repr_html_(self):
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.heading)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class LayerCost(NamedTuple):
    """One layer of :func:`summary`. ``parameters`` counts all its weights, ``zeros`` those that are 0."""

    layer: str
    kind: str
    parameters: int
    zeros: int
    macs: int
    bytes: int


@dataclass(frozen=True)
class Summary:
    """The layers' costs and their totals; prints as a table."""

    layers: tuple

    @property
    def parameters(self):
        return sum(row.parameters for row in self.layers)

    @property
    def zeros(self):
        return sum(row.zeros for row in self.layers)

    @property
    def macs(self):
        return sum(row.macs for row in self.layers)

    @property
    def bytes(self):
        return sum(row.bytes for row in self.layers)

    @property
    def table(self):
        total = LayerCost("total", "", self.parameters, self.zeros, self.macs, self.bytes)
        rows = [
            [r.layer, r.kind, *(f"{n:,}" for n in r[2:]), _share(r.zeros, r.parameters)] for r in (*self.layers, total)
        ]
        return Table(["layer", "kind", "parameters", "zeros", "MACs", "bytes", "sparsity"], rows)

    def __str__(self):
        return str(self.table)

    __repr__ = __str__

    def _repr_html_(self):
        return self.table._repr_html_()


def summary(model, input_shape=None) -> Summary:
    """Parameters, zeros, MACs and bytes of every layer that has weights.

        MACs = entries of the kernel × positions at which it is applied

    MACs count zeros too: an ordinary kernel multiplies by them. Bytes are those of the weights in memory. A layer
    that is called twice has its MACs twice and its parameters once.

    Parameters
    ----------
    model
        A built Keras model.
    input_shape
        Sizes of one example without the batch axis; needed where the model does not know them (subclassed models) or
        leaves an axis open.

    Returns
    -------
    Summary
        ``.layers`` is a tuple of ``LayerCost(layer, kind, parameters, zeros, macs, bytes)``; ``.parameters``,
        ``.zeros``, ``.macs`` and ``.bytes`` are the totals.

    Raises
    ------
    TypeError
        It is no Keras 3 model.
    ValueError
        The model is not built; the shape of its input is not known, or not one that it takes; a recurrent convolution.

    Examples
    --------
    >>> from course_lib import models
    >>> costs = summary(models.lenet_300_100())
    >>> costs.parameters, costs.macs, costs.bytes
    (266610, 266200, 1066440)
    """
    macs = macs_by_layer(model, input_shape)
    owners = {id(v): layer for layer in model._flatten_layers() for v in own_weights(layer)}
    weights = {}  # {layer: its weights}, in the model's order
    for variable in model.weights:
        weights.setdefault(owners[id(variable)], []).append(variable)
    return Summary(
        tuple(
            LayerCost(
                layer=layer.name,
                kind=type(layer).__name__,
                parameters=sum(math.prod(v.shape) for v in own),
                zeros=sum(int(np.count_nonzero(v.numpy() == 0)) for v in own),
                macs=macs.get(layer, 0),
                bytes=sum(v.numpy().nbytes for v in own),
            )
            for layer, own in weights.items()
        )
    )


def _share(part, whole):
    return f"{part / whole:.1%}" if whole else "–"
