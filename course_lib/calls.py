"""See what passes through a model's layers, whatever kind of model it is."""

from contextlib import contextmanager
from unittest import mock

__all__ = ["example_specs", "watching"]


@contextmanager
def watching(on_call):
    """Inside the block ``on_call(layer, inputs, output)`` is called after every call of every Keras layer.

    ``inputs`` is the layer's first argument. Works for functional, Sequential, subclassed and nested models and for
    layers inside of layers, eagerly and while a function is traced. Not for several threads at once: Keras's own
    ``Layer.__call__`` is replaced meanwhile.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")], name="model")
    >>> with watching(lambda layer, inputs, output: print(layer.name, inputs.shape, "to", output.shape)):
    ...     _ = model(keras.ops.ones((1, 3)))
    dense (1, 3) to (1, 2)
    model (1, 3) to (1, 2)
    """
    import keras

    call = keras.Layer.__call__

    def watched_call(layer, *args, **kwargs):
        output = call(layer, *args, **kwargs)
        on_call(layer, (*args, *kwargs.values())[0], output)
        return output

    with mock.patch.object(keras.Layer, "__call__", watched_call):
        yield


def example_specs(model, input_shape=None):
    """What one example looks like, with a batch axis of 1: ``tf.TensorSpec``s in the structure of the model's inputs.

    None where the model does not know its inputs (a subclassed one) and no shape is given.
    """
    import keras
    import tensorflow as tf

    if input_shape is not None:
        return tf.TensorSpec((1, *input_shape))
    if not getattr(model, "inputs", None):
        return None
    functional = model._functional if isinstance(model, keras.Sequential) else model
    return keras.tree.map_structure(lambda x: tf.TensorSpec((1, *x.shape[1:]), x.dtype), functional._inputs_struct)
