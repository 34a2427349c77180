"""SparseGPT: prune a layer column by column, and let the columns to come make up for it.

Source: Frantar, Alistarh, "SparseGPT: Massive Language Models Can Be Accurately Pruned in One-Shot", ICML (2023).
"""

import numpy as np

from course_lib.masks import Masks, from_scores
from course_lib.scores.inputs import as_matrix, second_moments
from course_lib.scores.surgeon import damped, whole_masks
from course_lib.structures import Element
from course_lib.variables import prunable

__all__ = ["sparsegpt"]


def sparsegpt(model, data, sparsity=None, *, masks=None, structure=Element(), block=128, damping=0.01):
    """Layer-wise masks and new weights: Optimal Brain Surgeon in one pass over a layer's inputs.

    With H = E[x xᵀ] + damping · mean(diag E[x xᵀ]) and the triangular U of H⁻¹ = Uᵀ U, for the inputs i = 1, 2, … in
    order:

        e = w_i / U_ii  where w_i is pruned, 0 elsewhere          (one number for each output)
        w_j ← w_j − U_ij e        for all j ≥ i

    Which w_i are pruned is decided when a block of inputs is reached, by OBS's saliency w_i² / U_ii² of the weights as
    they are then, over all outputs of the block together. The update is OBS's, but inputs that were passed already do
    not change any more: that makes one factor U do for all outputs, and leaves a larger error than
    :func:`obs_update`, which solves for every output by itself. All layers are looked at as they are in the unpruned
    model, each by itself.

    Parameters
    ----------
    model
        A built Keras model; it needs no loss and is not changed.
    data
        A pair (x, y) of arrays, or an iterable of batches (x, y); y is not used.
    sparsity
        Fraction to prune of every tensor, or None where ``masks`` says it.
    masks
        {variable path: boolean array}, True = kept, for example Wanda's; tensors not in it are kept whole.
    structure
        As for :func:`course_lib.masks.from_scores`; for ``NofM(n, m)`` the block is a multiple of m.
    block
        Number of inputs of a layer that are decided about together.
    damping
        A share of the mean input square, above 0 unless there are more independent examples than inputs.

    Returns
    -------
    (Masks, dict)
        The masks, and {variable path: new weights, 0 where pruned}. Assign the weights, then ``hold`` the masks.

    Raises
    ------
    ValueError
        Neither ``sparsity`` nor ``masks`` is given, or both; a bad value; H is singular; a layer is not Dense, Conv,
        DepthwiseConv or a plain EinsumDense.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    >>> _ = model.layers[0].kernel.assign([[1.0], [1.0]])
    >>> x = np.array([[1.0, 1.0], [0.0, 1.0]])  # as for obs_update, whose answer it finds
    >>> masks, new = sparsegpt(model, (x, np.zeros(2)), 0.5, damping=0)
    >>> [array.ravel().round(6).tolist() for array in new.values()]
    [[0.0, 1.5]]
    """
    if (sparsity is None) == (masks is None):
        raise ValueError(f"sparsity is {sparsity} and masks {'not ' * (masks is not None)}None; give one of the two.")
    if block < 1:
        raise ValueError(f"block is {block}; at least one input is decided about at a time.")
    if masks is None:
        from_scores({}, sparsity, structure)  # refuses a bad sparsity before the work begins
    given = whole_masks(model, masks or {})
    kept, new = {}, {}
    for path, moments in second_moments(model, data).items():
        kernel = prunable(model)[path].numpy()
        w, u = as_matrix(kernel, len(moments)), np.linalg.cholesky(np.linalg.inv(damped(moments, damping))).T
        mask = given[path].reshape(w.shape).copy()
        for start in range(0, len(w), block):
            rows = slice(start, start + block)
            if sparsity is not None:
                saliency = np.square(w[rows] / np.diag(u)[rows, None])
                part = min(_share(sparsity, w, start, start + len(saliency)), structure.most)
                mask[rows] = from_scores({path: saliency}, part, structure)[path]
            for i in range(start, start + len(mask[rows])):
                error = np.where(mask[i], 0.0, w[i] / u[i, i])  # (outputs,)
                w[i:] -= np.outer(u[i, i:], error)
        kept[path] = mask.reshape(kernel.shape)
        new[path] = np.where(mask, w, 0.0).reshape(kernel.shape).astype(kernel.dtype)
    return Masks(kept), new


def _share(sparsity, w, start, stop):
    """The fraction to prune of the rows start … stop, so that the tensor's count comes out exact."""
    pruned = [np.floor(sparsity * rows * w.shape[1] + 0.5) for rows in (start, stop)]
    return (pruned[1] - pruned[0]) / ((stop - start) * w.shape[1])
