"""The file before the change, run on the same inputs, is the oracle: not one bit of an answer may differ."""

import flatbuffers
import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from keras import layers, ops

from course_lib import deploy, models
from course_lib.deploy import convert
from course_lib.deploy.reshapes import with_constant_shapes


class Filled(layers.Layer):
    """The same run-time shape, once as a reshape and once as what is filled."""

    def call(self, x):
        shape = (ops.shape(x)[0], 12)
        return ops.reshape(x, shape) + 2 * ops.ones(shape)


def sequential(*stack):
    return keras.Sequential([keras.Input((4, 3, 1)), *stack])


def branches():
    x = keras.Input((4, 3, 1))
    a, b = layers.Flatten()(x), layers.Reshape((3, 4))(x)
    return keras.Model(x, [layers.Dense(2)(a), layers.Conv1D(2, 1)(b)])


class Joined(layers.Layer):
    """Two sizes that only the input has."""

    def call(self, x):
        batch, steps, rows, columns = ops.shape(x)
        return ops.reshape(x, (batch, steps, rows * columns))


class Halved(layers.Layer):
    """A loop, which the file holds as subgraphs of their own."""

    def call(self, x):
        return ops.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, ops.reshape(x, ops.shape(x)) / 2), (0, x))[1]

    def compute_output_shape(self, input_shape):
        return input_shape


FOLDED = {
    "flatten": lambda: sequential(layers.Conv2D(2, 2), layers.Flatten(), layers.Dense(3)),
    "reshape": lambda: sequential(layers.Reshape((2, 6)), layers.Conv1D(3, 1)),
    "channels first": lambda: sequential(layers.Flatten(data_format="channels_first"), layers.Dense(3)),
    "nested": lambda: sequential(sequential(layers.Flatten()), layers.Dense(3)),
    "branches": branches,
    "loop": lambda: sequential(layers.Flatten(), Halved(), layers.Dense(3)),
    "small_cnn": lambda: models.small_cnn(input_shape=(4, 3, 1)),
}
LEFT = {
    "two open sizes": lambda: keras.Sequential([keras.Input((None, 3, 1)), layers.Flatten()]),
    "two sizes of the input": lambda: keras.Sequential([keras.Input((None, 4, 3)), Joined()]),
    "shape read elsewhere": lambda: sequential(Filled()),
    "no reshape": lambda: sequential(layers.Conv2D(2, 2), layers.GlobalAveragePooling2D()),
}


def both(build, quantize, monkeypatch):
    """The file as the converter wrote it, and as it is written now."""
    keras.utils.set_random_seed(0)
    model = build()
    for variable in model.weights:
        variable.assign(np.random.default_rng(1).normal(size=variable.shape))
    samples = [{model.inputs[0].name: row[None]} for row in images(20)] if quantize == "int8" else None
    after = convert._convert(model, quantize, samples, sparse=False)
    with monkeypatch.context() as patch:
        patch.setattr(convert, "with_constant_shapes", lambda content: content)
        return convert._convert(model, quantize, samples, sparse=False), after


def images(n):
    return np.random.default_rng(n).normal(size=(n, 4, 3, 1)).astype("float32")


def operators(content):
    interpreter = Interpreter(model_content=content)
    return [detail["op_name"] for detail in interpreter._get_ops_details()]


def answers(content, tmp_path, rows):
    (tmp_path / "file.tflite").write_bytes(content)
    return deploy.predict(tmp_path / "file.tflite", images(rows))


@pytest.mark.parametrize("quantize", [None, "dynamic", "int8"])
@pytest.mark.parametrize("build", FOLDED.values(), ids=FOLDED)
def test_a_reshape_is_one_operator_and_answers_the_same(build, quantize, tmp_path, monkeypatch):
    before, after = both(build, quantize, monkeypatch)
    gone = [name for name in operators(before) if name not in ("SHAPE", "STRIDED_SLICE", "PACK")]
    assert {"SHAPE", "STRIDED_SLICE", "PACK"} <= {*operators(before)} and operators(after) == gone
    assert len(after) < len(before)
    for rows in (1, 7):
        was, now = answers(before, tmp_path, rows), answers(after, tmp_path, rows)
        for one, other in zip(was, now, strict=True) if isinstance(was, (list, tuple)) else [(was, now)]:
            assert one.shape[0] == rows
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("build", LEFT.values(), ids=LEFT)
def test_what_cannot_be_said_by_a_constant_is_left_as_it_was(build, monkeypatch):
    before, after = both(build, None, monkeypatch)
    assert after == before


def test_nothing_is_left_that_nobody_uses(monkeypatch):
    model = schema.ModelT.InitFromPackedBuf(both(FOLDED["flatten"], "int8", monkeypatch)[1], 0)
    (graph,) = model.subgraphs
    used = {tensor for operator in graph.operators for tensor in [*operator.inputs, *operator.outputs]}
    assert used | {*graph.inputs} == {*range(len(graph.tensors))}
    assert {operator.opcodeIndex for operator in graph.operators} == {*range(len(model.operatorCodes))}
    assert with_constant_shapes(content := bytes(both(FOLDED["flatten"], None, monkeypatch)[1])) == content


def test_every_operator_keeps_its_tensors(monkeypatch):
    """By name; intermediates too, which quantised recurrent operators have and this one is given."""
    content, _ = both(FOLDED["flatten"], None, monkeypatch)
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    convolution, _, strided_slice, *_ = model.subgraphs[0].operators
    convolution.intermediates = [*strided_slice.outputs]  # read by nothing else that stays
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")

    def by_name(content):
        (graph,) = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs
        named = [tensor.name for tensor in graph.tensors]
        return [
            [
                [named[i] for i in places]
                for places in (op.inputs, op.outputs, () if op.intermediates is None else op.intermediates)
            ]
            for op in graph.operators
        ]

    before, after = by_name(bytes(builder.Output())), by_name(with_constant_shapes(bytes(builder.Output())))
    assert len(after) == len(before) - 3 and all(operator in before for operator in after)
    assert after[0][2] != []


def test_the_whole_network_is_one_part_for_the_delegate(tmp_path, monkeypatch):
    parts = []
    for content in both(FOLDED["small_cnn"], None, monkeypatch):
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
        parts.append([detail["op_name"] for detail in interpreter._get_ops_details()].count("DELEGATE"))
    assert parts == [2, 1]
