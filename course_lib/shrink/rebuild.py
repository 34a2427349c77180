"""Build a model again from its graph, with smaller layers or fewer: an ordinary Keras model with the same names."""

from dataclasses import dataclass, field
from operator import attrgetter
from tempfile import TemporaryDirectory
from types import FunctionType

import keras
import numpy as np
from keras.src.models.functional import functional_like_constructor
from keras.src.saving.serialization_lib import SafeModeScope

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
    optimizer = _fresh(model.optimizer) if getattr(model, "compiled", False) else None  # fails before all else
    copies = {}  # {id of a layer: the layer, its copy}
    new = _copy(model, plan, copies)
    twins = {}  # {id of a variable: its copy, indices of each axis}
    for old, copy in copies.values():
        if inner(old) is None and isinstance(old, keras.Layer):
            twins |= _carry_weights(old, copy, plan)
    present = {id(v) for v in new.variables}
    _carry_compiled(model, new, optimizer, {key: twin for key, twin in twins.items() if id(twin[0]) in present})
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
    if id(layer) in plan.biases and "use_bias" in config:
        config["use_bias"] = True
    own = [] if isinstance(layer, keras.layers.Lambda) else config  # which has its function in its configuration
    functions = {key: getattr(layer, key, None) for key in own}  # elsewhere a plain function has none
    config |= {key: function for key, function in functions.items() if isinstance(function, FunctionType)}
    with SafeModeScope(False):  # the function of a Lambda is the caller's own
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
    _carry_learned(old, new)
    return {id(before): (now, left) for before, now, left in pairs}


def _carry_learned(old, new):
    """What a preprocessing layer has learned beside its weights: a vocabulary, the mean that it works with."""
    if hasattr(old, "save_assets"):
        with TemporaryDirectory() as folder:
            old.save_assets(folder)
            new.load_assets(folder)
    elif isinstance(old, keras.layers.Normalization):
        new.mean, new.variance = old.mean, old.variance  # which need not be those of its weights


def cut(array, indices):
    """The array at these indices of each axis; None for the whole axis."""
    for axis, left in enumerate(indices):
        array = array if left is None else np.take(array, left, axis=axis)
    return array


def _carry_compiled(model, new, optimizer, twins):
    if not getattr(model, "compiled", False):
        return
    settings = dict(model._compile_config.config)
    for key in ("metrics", "weighted_metrics"):  # a metric has state, and is its model's own
        settings[key] = keras.tree.map_structure(_fresh, settings[key]) if settings.get(key) else None
    new.compile(**{**settings, "optimizer": optimizer})
    if optimizer is not None and model.optimizer.built:
        optimizer.build(new.trainable_variables)
        _carry_optimizer(model.optimizer, optimizer, twins)


def _fresh(thing):
    """One like it, without its state."""
    if not hasattr(thing, "get_config"):
        return thing
    try:
        return type(thing).from_config(thing.get_config())
    except Exception as error:  # whatever a configuration of unknown origin raises
        raise ValueError(
            f"{type(thing).__name__}, with which the model was compiled, cannot be made again from its configuration "
            f"({error}); compile the model without it and the new one with it."
        ) from error


def _carry_optimizer(old, new, twins):
    """Step and learning rate; momentum, averages and the like, of the units that are left."""
    for before, now in zip([old, *parts(old)], [new, *parts(new)], strict=True):
        for name, value in vars(before).items():
            theirs = getattr(now, name, None)
            if isinstance(value, keras.Variable) and isinstance(theirs, keras.Variable) and value.shape == theirs.shape:
                theirs.assign(value)
        place = {id(v): i for i, v in enumerate(now._trainable_variables)}
        for name, slots in vars(before).items():  # Keras keeps a list for each kind of slot, in the variables' order
            theirs, owners = getattr(now, name, None), before._trainable_variables
            if isinstance(slots, list | tuple) and isinstance(theirs, list | tuple) and len(slots) == len(owners):
                for slot, owner in zip(slots, owners, strict=True):
                    twin, left = twins.get(id(owner), (None, None))
                    if id(twin) in place and isinstance(slot, keras.Variable) and slot is not owner:
                        _carry_slot(slot, owner, theirs[place[id(twin)]], left)
        if hasattr(before, "_exclude_from_weight_decay"):
            now._exclude_from_weight_decay_pattern = before._exclude_from_weight_decay_pattern
            excluded = [
                twins[id(v)][0] for v in before._trainable_variables if id(v) in twins and _is_excluded(before, v)
            ]
            now._exclude_from_weight_decay = {now._var_key(v) for v in excluded}


def _is_excluded(optimizer, variable):
    return optimizer._var_key(variable) in optimizer._exclude_from_weight_decay


def _carry_slot(slot, owner, new, left):
    value = cut(slot.numpy(), left) if slot.shape == owner.shape else slot.numpy()
    if isinstance(new, keras.Variable) and value.shape == tuple(new.shape):  # not what whole rows share: Adafactor's
        new.assign(value)
