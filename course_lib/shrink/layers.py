"""Remove whole layers, and with them residual blocks."""

from collections.abc import Iterable

from course_lib.shrink.graph import graph_of, inner, nodes
from course_lib.shrink.rebuild import Plan, rebuilt

__all__ = ["remove_layers"]

SAME_OF_EQUALS = ("Add", "Average", "Maximum", "Minimum", "Multiply")  # joins that end with the branch that they joined


def remove_layers(model, names):
    """A new model without these layers: in the place of each, its input goes on.

    A residual block x + f(x) goes when all the layers of f are named: the sum of x and x is then taken out too. So
    does a gate x · f(x). A sum of more tensors stays, and then counts x twice. In between shapes may differ; what a
    layer that stays gets must have the shape that it had.

    Parameters
    ----------
    model
        A built functional or Sequential Keras model. It is not changed.
    names
        Names of layers; layers of a model inside are called "inner/dense".

    Returns
    -------
    keras.Model
        With the weights of what is left; compiled as the old one was, with its optimizer's step and what that
        remembers of each weight.

    Raises
    ------
    TypeError
        The model is subclassed, or ``names`` is no list.
    ValueError
        A name that the model does not have; a layer that stays, or the model's output, would get another shape; a
        named layer joins tensors that are still different. The message names the layer; nothing has been built.

    Examples
    --------
    >>> import keras
    >>> x = keras.Input((8,))
    >>> h = keras.layers.Dense(8, "relu", name="hidden")(x)
    >>> block = keras.layers.Add(name="sum")([h, keras.layers.Dense(8, "relu", name="branch")(h)])
    >>> model = keras.Model(x, keras.layers.Dense(2, name="output")(block))
    >>> [layer.name for layer in remove_layers(model, ["branch"]).layers[1:]]
    ['hidden', 'output']
    """
    if not isinstance(names, Iterable):
        raise TypeError(f"names is {names!r}; give a list of names of layers.")
    names = [names] if isinstance(names, str) else list(names)
    functional = graph_of(model)
    layers = _layers(functional)
    unknown = next((name for name in names if name not in layers), None)
    if unknown is not None:
        raise ValueError(
            f"names has {unknown!r}, which model {model.name!r} does not have; there are {', '.join(layers)}."
        )
    plan = Plan(gone={id(layers[name]) for name in names})
    _bypass(functional, plan.gone, "", set())
    return rebuilt(model, plan)


def _layers(functional, prefix="") -> dict:
    found = {}
    for node in nodes(functional):
        layer = node.operation
        found[prefix + layer.name] = layer
        if inner(layer) is not None:
            found |= _layers(inner(layer), f"{prefix}{layer.name}/")
    return found


def _bypass(functional, gone, prefix, seen):
    """Follow what takes the place of each tensor; add to ``gone`` the joins that have nothing left to join."""
    source = {id(x): x for x in functional.inputs}  # {tensor: the one in its place}
    for node in nodes(functional):
        name, operation = prefix + node.operation.name, node.operation
        inputs = [source[id(x)] for x in node.input_tensors]
        one = len({id(x) for x in inputs}) == 1
        joined = len({id(x) for x in node.input_tensors}) > 1
        if joined and one and type(operation).__name__ in SAME_OF_EQUALS:
            gone.add(id(operation))
        if id(operation) in gone:
            if not one:
                raise ValueError(
                    f"layer {name!r} joins tensors that stay different; name the layers of all branches but one."
                )
            source |= {id(y): inputs[0] for y in node.outputs}
            continue
        for before, now in zip(node.input_tensors, inputs, strict=True):
            _same_shape(before, now, f"layer {name!r}")
        source |= {id(y): y for y in node.outputs}
        if inner(operation) is not None and id(operation) not in seen:
            seen.add(id(operation))
            _bypass(inner(operation), gone, f"{name}/", seen)
    for y in functional.outputs:
        _same_shape(y, source[id(y)], f"the output of {functional.name!r}")


def _same_shape(before, now, what):
    if before.shape != now.shape or before.dtype != now.dtype:
        raise ValueError(
            f"without these layers {what} would get {now.dtype} of shape {now.shape} "
            f"in place of {before.dtype} of shape {before.shape}; name the layers around it as well."
        )
