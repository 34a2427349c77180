"""Optimal Brain Surgeon: the weights that stay make up for the one that goes.

Source: Hassibi, Stork, "Second order derivatives for network pruning: Optimal Brain Surgeon", NIPS (1993);
layer-wise, Dong, Chen, Pan, "Learning to Prune Deep Neural Networks via Layer-wise Optimal Brain Surgeon", NIPS (2017).
"""

import numpy as np

from course_lib.scores.hessian import EXACT, flat_weights, hessian, split
from course_lib.scores.inputs import as_matrix, second_moments
from course_lib.variables import find, prunable

__all__ = ["damped", "obs", "obs_update", "whole_masks"]


def obs(model, data, *, layerwise=None, damping=0.01) -> dict:
    """Optimal Brain Surgeon: the rise of the loss when a weight becomes zero and the others make up for it.

        score(w_k) = w_k² / (2 [H⁻¹]_kk)

    H is the Hessian of the loss by all prunable weights, for nets of up to 2,000. For larger ones it is each layer's
    own: the curvature of the error that is made in the layer's outputs, ½ E‖Δy‖², with H = E[x xᵀ] for each output
    (Dong et al.); compare such scores within a tensor. H is damped, and where the net is not at a minimum, negative
    curvature counts by its size:

        H = V Λ Vᵀ  →  V (|Λ| + damping · mean|Λ|) Vᵀ

    Parameters
    ----------
    model, data
        As for :func:`obd`; layer-wise, neither a loss nor y is needed.
    layerwise
        False: the loss's Hessian; True: each layer's; None: by the number of weights, as above.
    damping
        At least 0; a share of the mean curvature.

    Returns
    -------
    dict
        {variable path: float64 array of the variable's shape}, in units of the loss; layer-wise, in squared units of
        the layer's output.

    Raises
    ------
    ValueError
        The model is not built or has no loss; there are no data; H is singular and ``damping`` too small; layer-wise,
        a layer is not Dense, Conv, DepthwiseConv or a plain EinsumDense.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    >>> _ = model.layers[0].kernel.assign([[1.0], [1.0]])
    >>> model.compile(loss="mse")
    >>> x = np.array([[1.0, 1.0], [0.0, 1.0]])  # w₂ can do most of what w₁ does, and not the other way round
    >>> [array.ravel().round(3).tolist() for array in obs(model, (x, x @ [[1.0], [1.0]]), damping=0).values()]
    [[0.25, 0.5]]
    """
    if not _is_layerwise(model, layerwise):
        diagonal = np.diag(np.linalg.inv(damped(hessian(model, data), damping)))
        return split(model, flat_weights(model) ** 2 / (2 * diagonal))
    scores, kernels = {}, prunable(model)
    for path, moments in second_moments(model, data).items():
        w = kernels[path].numpy()
        diagonal = np.diag(np.linalg.inv(damped(moments, damping)))[:, None]
        scores[path] = (as_matrix(w, len(moments)) ** 2 / (2 * diagonal)).reshape(w.shape)
    return scores


def obs_update(model, data, masks, *, layerwise=None, damping=0.01) -> dict:
    """Optimal Brain Surgeon's weight update: remove weights, and let those that stay make up for them.

        δw = −H⁻¹ E (Eᵀ H⁻¹ E)⁻¹ Eᵀ w,     E the unit vectors of the removed weights

    This is the minimum of ½ δwᵀ H δw under Eᵀ (w + δw) = 0; for one removed weight it is the paper's update.
    It is computed from the equal system H_KK δw_K = H_KR w_R of the kept weights K and the removed ones R, since few
    are kept.

    Parameters
    ----------
    model, data, layerwise, damping
        As for :func:`obs`. The model is not changed.
    masks
        {variable path: boolean array}, True = kept; tensors that are not in it are kept whole.

    Returns
    -------
    dict
        {variable path: new weights, 0 where removed} for every prunable variable; assign them, then ``hold`` the
        masks. With the loss's Hessian the tensors that are kept whole change too.

    Raises
    ------
    ValueError
        As for :func:`obs`; or a mask whose path, shape or type does not fit.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, name="dense")])
    >>> _ = model.layers[0].kernel.assign([[1.0], [1.0]])
    >>> model.compile(loss="mse")
    >>> x = np.array([[1.0, 1.0], [0.0, 1.0]])
    >>> masks = {"dense/kernel": np.array([[False], [True]])}
    >>> [array.ravel().tolist() for array in obs_update(model, (x, x @ [[1.0], [1.0]]), masks, damping=0).values()]
    [[0.0, 1.5]]
    """
    kernels, masks = prunable(model), whole_masks(model, masks)
    if not _is_layerwise(model, layerwise):
        kept = np.concatenate([mask.reshape(-1) for mask in masks.values()])
        new = split(model, _updated(flat_weights(model), kept, damped(hessian(model, data), damping)))
    else:
        new = {}
        for path, moments in second_moments(model, data).items():
            w, h = as_matrix(kernels[path].numpy(), len(moments)), damped(moments, damping)
            columns = zip(w.T, masks[path].reshape(w.shape).T, strict=True)
            w = np.stack([_updated(column, kept, h) for column, kept in columns], axis=1)
            new[path] = w.reshape(kernels[path].shape)
    return {path: array.astype(kernels[path].dtype) for path, array in new.items()}


def whole_masks(model, masks) -> dict:
    """{path: mask} of every prunable variable, all True where ``masks`` has none."""
    given = {id(variable): np.asarray(masks[path]) for path, variable in find(model, masks).items()}
    whole = {path: given.pop(id(v), np.ones(v.shape, bool)) for path, v in prunable(model).items()}
    for path, kernel in prunable(model).items():
        if whole[path].dtype != bool or whole[path].shape != tuple(kernel.shape):
            raise ValueError(
                f"mask {path!r} is {whole[path].dtype} of shape {whole[path].shape}; "
                f"it must be bool of the variable's shape, {tuple(kernel.shape)}."
            )
    if given:
        raise ValueError(f"masks names a variable that is not prunable; these are: {', '.join(whole)}.")
    return whole


def damped(h, damping) -> np.ndarray:
    """H as :func:`obs` damps it: positive definite, or an error."""
    curvature, directions = np.linalg.eigh(h)
    size = np.abs(curvature)
    size += damping * max(size.mean(), 1e-12)  # the latter for a layer whose inputs are all 0
    if damping < 0 or size.min() <= 1e-7 * size.max():
        raise ValueError(f"damping is {damping}, and the Hessian cannot be inverted; give more, such as 0.01.")
    return (directions * size) @ directions.T


def _updated(w, kept, h):
    new = np.zeros_like(w)
    new[kept] = w[kept] + np.linalg.solve(h[np.ix_(kept, kept)], h[np.ix_(kept, ~kept)] @ w[~kept])
    return new


def _is_layerwise(model, layerwise):
    return flat_weights(model).size > EXACT if layerwise is None else layerwise
