"""Reshapes that need not look at the batch while a file runs.

Keras's Flatten and Reshape lead to (batch, n) with the batch read from the input: four operators, SHAPE,
STRIDED_SLICE, PACK and RESHAPE, of which the first three belong to no delegate, so that the network is run in two
parts. A reshape keeps the number of entries. So one size of the new shape follows from the others, and the constant
(-1, n) says the same:

    SHAPE → STRIDED_SLICE → PACK(batch, n) → RESHAPE      =      RESHAPE(-1, n)

Source: TensorFlow issue 50286, "Keras Reshape layers are not folded when converted to TFLite" (2021).
"""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

__all__ = ["with_constant_shapes"]

SHAPES = {schema.BuiltinOperator.SHAPE, schema.BuiltinOperator.STRIDED_SLICE, schema.BuiltinOperator.PACK}


def with_constant_shapes(content: bytes) -> bytes:
    """The same ``.tflite`` file, its reshapes led to constant shapes where one size at most is open."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if not [pack for graph in model.subgraphs for pack in _folded(model, graph)]:
        return content
    for number, graph in enumerate(model.subgraphs):
        _drop_unused(model, graph, [s for s in model.signatureDefs or [] if s.subgraphIndex == number])
    _drop_unused_codes(model)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _folded(model, graph):
    """Turn the output of each PACK that is only the shape of reshapes into a constant; yields these operators."""
    for pack in graph.operators:
        if _code(model, pack) != schema.BuiltinOperator.PACK:
            continue
        (shape,), sizes = pack.outputs, [_constant(model, graph.tensors[tensor]) for tensor in pack.inputs]
        if sizes.count(None) > 1 or 0 in sizes or -1 in sizes:
            continue  # with two of them open, or none of anything, the sizes do not follow from each other
        readers = [operator for operator in graph.operators if shape in operator.inputs]
        if shape in graph.outputs or not all(_is_reshape_to(model, reader, shape) for reader in readers):
            continue
        constant = np.array([-1 if size is None else size for size in sizes], np.int32)
        model.buffers.append(buffer := schema.BufferT())
        buffer.data = constant.view(np.uint8)
        graph.tensors[shape].buffer = len(model.buffers) - 1
        pack.outputs = []
        yield pack


def _is_reshape_to(model, operator, shape):
    return _code(model, operator) == schema.BuiltinOperator.RESHAPE and [*operator.inputs].index(shape) == 1


def _drop_unused(model, graph, signatures):
    """Leave out the operators of :data:`SHAPES` and the tensors that nothing reads, and number the rest anew."""
    operators, before = list(graph.operators), None
    while operators != before:
        before, read = operators, {tensor for op in operators for tensor in op.inputs} | {*graph.outputs}
        operators = [op for op in operators if _code(model, op) not in SHAPES or read & {*op.outputs}]
    written = {tensor for op in operators for tensor in [*op.outputs, *_intermediates(op)]}
    kept = sorted((read | written | {*graph.inputs}) - {-1})  # -1: an input that is left out
    place = {old: new for new, old in enumerate(kept)} | {-1: -1}

    graph.operators, graph.tensors = operators, [graph.tensors[old] for old in kept]
    for owner in [graph, *operators]:
        owner.inputs = [place[tensor] for tensor in owner.inputs]
        owner.outputs = [place[tensor] for tensor in owner.outputs]
    for operator in operators:
        operator.intermediates = [place[tensor] for tensor in _intermediates(operator)] or None
    for named in (named for signature in signatures for named in [*signature.inputs, *signature.outputs]):
        named.tensorIndex = place[named.tensorIndex]


def _intermediates(operator):
    return [] if operator.intermediates is None else operator.intermediates


def _drop_unused_codes(model):
    operators = [operator for graph in model.subgraphs for operator in graph.operators]
    kept = sorted({operator.opcodeIndex for operator in operators})
    model.operatorCodes = [model.operatorCodes[old] for old in kept]
    for operator in operators:
        operator.opcodeIndex = kept.index(operator.opcodeIndex)


def _code(model, operator):
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _constant(model, tensor):
    """The number that a tensor of one int32 holds, or None."""
    data = model.buffers[tensor.buffer].data
    whole = data is not None and len(data) == 4 and tensor.type == schema.TensorType.INT32
    return int(np.frombuffer(bytes(data), np.int32)[0]) if whole else None
