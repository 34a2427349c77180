"""A model that computes in half or double precision, in single precision: what the converter can translate."""

import keras

__all__ = ["in_single_precision"]

OTHERS = {"float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"}


def in_single_precision(model):
    """The model itself where it computes in float32; else a copy that does, with the same weights.

    Raises
    ------
    ValueError
        The model computes otherwise and is subclassed, or cannot be built from its configuration.
    """
    layers = model._flatten_layers()
    other = next((layer for layer in layers if layer.dtype_policy.name in OTHERS), None)
    if other is None:
        return model
    try:
        with keras.saving.custom_object_scope({type(layer).__name__: type(layer) for layer in layers}):
            copy = type(model).from_config(_single(model.get_config()))
        copy.set_weights(model.get_weights())
    except Exception as error:  # whatever a model that does not know its own configuration raises
        raise ValueError(
            f"model {model.name!r} computes in {other.dtype_policy.name} (layer {other.name!r}), TensorFlow Lite in "
            f"float32, and it cannot be made from its configuration; build it with the dtype policy float32 and "
            f"copy the weights: copy.set_weights(model.get_weights())."
        ) from error
    return copy


def _single(config):
    """A configuration with every dtype that is a float as float32."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {key: _single(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_single(value) for value in config)
    return "float32" if isinstance(config, str) and config in OTHERS else config
