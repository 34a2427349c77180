"""Build a model again from its graph, with smaller layers or fewer: an ordinary Keras model with the same names."""

from dataclasses import dataclass, field
from operator import attrgetter

import keras
import numpy as np
from keras.src.models.functional import functional_like_constructor

from course_lib.shrink.graph import graph_of, inner
from course_lib.training.optimizer import parts

__all__ = ["Plan", "cut", "rebuilt"]


@dataclass
class Plan:
    """What is to change; a layer that it does not name stays as it is. The keys are ids: of layers, and of inputs.

    Attributes
    ----------
    shapes
        {input of the model or of one inside: new shape with the batch axis}.
    config
        {layer: entries of its configuration}.
    indices
        {layer: {attribute: for each axis of that weight the indices that are left, None for all}}.
    biases
        {layer: array to add to its bias}; a layer without a bias gets one.
    calls
        {layer: function(new layer, *args)}, how the new layer is called.
    gone
        Layers in whose place their first input goes on.
    """

    shapes: dict = field(default_factory=dict)
    config: dict = field(default_factory=dict)
    indices: dict = field(default_factory=dict)
    biases: dict = field(default_factory=dict)
    calls: dict = field(default_factory=dict)
    gone: set = field(default_factory=set)


def rebuilt(model, plan: Plan):
    """A new model by the plan, with the old one's weights, compile state, and what its optimizer remembers."""
    copies = {}  # {id of a layer: the layer, its copy}
    new = _copy(model, plan, copies)
    twins = {}  # {id of a variable: its copy, indices of each axis}
    for old, copy in copies.values():
        if inner(old) is None and isinstance(old, keras.Layer):
            twins |= _carry_weights(old, copy, plan)
    present = {id(v) for v in new.variables}
    _carry_compiled(model, new, {key: twin for key, twin in twins.items() if id(twin[0]) in present})
    return new


def _copy(model, plan, copies):
    functional = graph_of(model)

    def copy_of(old):
        if id(old) not in copies:
            copies[id(old)] = (old, _copy(old, plan, copies) if inner(old) is not None else _copy_layer(old, plan))
        return copies[id(old)][1]

    def call(old, *args, **options):
        if id(old) in plan.gone:
            return next(x for x in keras.tree.flatten(args) if isinstance(x, keras.KerasTensor))
        if id(old) in plan.calls:
            return plan.calls[id(old)](copy_of(old), *args)
        return copy_of(old)(*args, **options)

    inputs = keras.tree.map_structure(lambda x: _copy_input(x, plan), functional._inputs_struct)
    if isinstance(model, keras.Sequential) and not any(id(layer) in plan.calls for layer in model.layers):
        layers = [copy_of(layer) for layer in model.layers if id(layer) not in plan.gone]
        new = keras.Sequential([keras.tree.flatten(inputs)[0], *layers], name=model.name)
    else:
        outputs = functional._run_through_graph(inputs, call_fn=call)
        kind = type(model) if functional_like_constructor(type(model)) else keras.Model
        new = kind(inputs, outputs, name=model.name)
    if not model.trainable:
        new.trainable = False
    return new


def _copy_input(tensor, plan):
    config = tensor._keras_history.operation.get_config()
    return keras.layers.InputLayer.from_config(
        {**config, "batch_shape": plan.shapes.get(id(tensor), tensor.shape)}
    ).output


def _copy_layer(layer, plan):
    config = {**layer.get_config(), **plan.config.get(id(layer), {})}
    if id(layer) in plan.biases:
        config["use_bias"] = True
    return type(layer).from_config(config)


def _carry_weights(old, new, plan) -> dict:
    """{id of an old variable: (new one, indices)}, after the new ones have got their values."""
    indices = plan.indices.get(id(old), {})
    pairs = [(attrgetter(name)(old), attrgetter(name)(new), left) for name, left in indices.items()]
    done = {id(v) for pair in pairs for v in pair[:2]} | ({id(new.bias)} if id(old) in plan.biases else set())
    rest = [[v for v in layer.weights if id(v) not in done] for layer in (old, new)]
    pairs += [(before, now, [None] * len(before.shape)) for before, now in zip(*rest, strict=True)]
    for before, now, left in pairs:
        now.assign(cut(before.numpy(), left))
    if id(old) in plan.biases:
        new.bias.assign_add(plan.biases[id(old)])
    return {id(before): (now, left) for before, now, left in pairs}


def cut(array, indices):
    """The array at these indices of each axis; None for the whole axis."""
    for axis, left in enumerate(indices):
        array = array if left is None else np.take(array, left, axis=axis)
    return array


def _carry_compiled(model, new, twins):
    if not getattr(model, "compiled", False):
        return
    old = model.optimizer
    settings = dict(model._compile_config.config)
    for key in ("metrics", "weighted_metrics"):  # a metric has state, and is its model's own
        settings[key] = keras.tree.map_structure(_fresh, settings[key]) if settings.get(key) else None
    new.compile(**{**settings, "optimizer": None if old is None else _fresh(old)})
    if old is not None and old.built:
        seen = [v for part in parts(old) for v in part._trainable_variables]
        new.optimizer.build([twins[id(v)][0] for v in seen if id(v) in twins])
        if all(id(v) in twins for v in seen):
            _carry_slots(old, new.optimizer, twins)


def _fresh(thing):
    return type(thing).from_config(thing.get_config()) if hasattr(thing, "get_config") else thing


def _carry_slots(old, new, twins):
    """Momentum, averages and the like: what a slot of the variable's shape has of the units that are left."""
    owners = {}  # {id of a slot: its variable}
    for part in parts(old):
        variables = part._trainable_variables
        for slots in vars(part).values():  # Keras keeps a list for each kind of slot, in the variables' order
            if isinstance(slots, list | tuple) and len(slots) == len(variables):
                owners |= {id(slot): v for slot, v in zip(slots, variables, strict=True)}
    for before, now in zip(old.variables, new.variables, strict=True):
        value, owner = before.numpy(), owners.get(id(before))
        if owner is not None and before.shape == owner.shape:
            value = cut(value, twins[id(owner)][1])
        if value.shape == tuple(now.shape):  # not what whole rows share, as in Adafactor
            now.assign(value)
