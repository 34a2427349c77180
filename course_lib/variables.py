"""Which variables of a model can be pruned, and what they are called.

The name is Keras's own ``variable.path``, for example ``"dense_1/kernel"``. Keras changes some paths when a model is
saved and loaded: ``"sequential/dense/kernel"`` comes back as ``"dense/kernel"``, and the kernels of a nested model
lose its name and may collide with others. So a variable is also found by its place in the tree of layers, which
does not change.
"""

from collections import Counter

__all__ = ["built", "find", "prunable"]

KERNELS = {"kernel", "depthwise_kernel", "pointwise_kernel", "recurrent_kernel"}


def built(model, argument="model", wanted="a Keras 3 model"):
    """The model itself, when it is a built Keras 3 model: else an error that says what is ``wanted`` as ``argument``.

    Raises
    ------
    TypeError, ValueError
        It is no Keras 3 model; it is not built, so it has no variables.

    Examples
    --------
    >>> built("model.keras")
    Traceback (most recent call last):
    TypeError: model is a str; give a Keras 3 model.
    """
    import keras

    if not isinstance(model, keras.Layer):
        kind = f"{type(model).__module__}.{type(model).__name__}".removeprefix("builtins.")
        raise TypeError(f"{argument} is a {kind}; give {wanted}.")
    if not model.built:
        raise ValueError(f"model {model.name!r} is not built; call it on a batch, or model.build(input_shape), first.")
    return model


def prunable(model) -> dict:
    """The variables that pruning may zero, by path: kernels of dense, convolution, einsum and recurrent layers.

    Biases, normalisation and embeddings are left alone, as is usual: they are few, and zeroing them costs much.
    Layers of your own are found if they name their weight ``kernel``. A shared layer's kernel appears once.

    Raises
    ------
    TypeError
        It is no Keras 3 model.
    ValueError
        The model is not built, so it has no variables; or it has none of these; or two of them cannot be told apart.

    Examples
    --------
    >>> from course_lib import models
    >>> {path: tuple(kernel.shape) for path, kernel in prunable(models.lenet_300_100()).items()}
    {'dense_1/kernel': (784, 300), 'dense_2/kernel': (300, 100), 'output/kernel': (100, 10)}
    """
    kernels = [v for v in built(model).weights if v.name in KERNELS and len(v.shape) > 1]
    if not kernels:
        raise ValueError(
            f"model {model.name!r} has no kernel to prune; its variables are {[v.path for v in model.weights]}."
        )
    places = _places(model)
    times = Counter(v.path for v in kernels)
    named = {v.path if times[v.path] == 1 else places[id(v)]: v for v in kernels}
    if len(named) < len(kernels):
        twice = next(path for path, n in Counter(places[id(v)] for v in kernels).items() if n > 1)
        raise ValueError(f"model {model.name!r} has two kernels called {twice!r}; give their layers different names.")
    return named


def find(model, paths) -> dict:
    """The model's variables of these paths, also when the paths were read before the model was saved and loaded.

    Raises
    ------
    TypeError
        It is no Keras 3 model; ``paths`` is a single string.
    ValueError
        A path is not in the model, or the model is not built.

    Examples
    --------
    >>> from course_lib import models
    >>> find(models.lenet_300_100(), ["output/bias"])["output/bias"].shape
    TensorShape([10])
    """
    if isinstance(paths, str):
        raise TypeError(f"paths is {paths!r}; give a list of paths.")
    weights, places = built(model).weights, _places(model)
    times = Counter(v.path for v in weights)
    known = {f"{model.name}/{places[id(v)]}": v for v in weights}
    known |= {v.path: v for v in weights if times[v.path] == 1}
    known |= {places[id(v)]: v for v in weights}
    for path in paths:
        if path not in known:
            raise ValueError(f"model {model.name!r} has no variable {path!r}; it has {', '.join(prunable(model))}.")
    return {path: known[path] for path in paths}


def _places(layer, prefix="") -> dict:
    """{id of a variable: names of the layers that lead to it, then its own}."""
    places = {}
    for child in layer._flatten_layers(include_self=False, recursive=False):
        places = _places(child, f"{prefix}{child.name}/") | places
    return {id(v): prefix + v.name for v in layer.weights} | places
