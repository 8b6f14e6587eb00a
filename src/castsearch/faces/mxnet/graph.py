"""MXNet's symbol files: the graph of a network, in the dialects of all versions since 0.8."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from castsearch.errors import InputError

INPUT = "data"
"""The name of a network's input."""

# Operators with several outputs, and the option that says how many.
_SEVERAL_OUTPUTS = {"SliceChannel": "num_outputs", "split": "num_outputs"}
_MOST_OUTPUTS = 1000
_PYTHON_2_INTEGER = re.compile(r"(?<=\d)L\b")
# Statistics that the files of MXNet 0.8 do not list among the inputs of a batch normalisation, since they are no
# arguments: a node's data, gamma and beta come before them.
_STATISTICS = ("moving_mean", "moving_var")
_LISTED_BEFORE_0_9 = 3


class Output(NamedTuple):
    """An output of a node: the node's index, and which of the node's outputs it is."""

    node: int
    position: int


class Node(NamedTuple):
    """A node of an MXNet graph.

    Attributes:
        name: need not be unique.
        op: the operator; that of variables, which are the input and the parameters, is "null".
        sources: what the node takes.
        options: of the operator, as Python values.
        outputs: how many the node has.
        implied: names of parameters that the node takes after its sources, though the file does not list them.
    """

    name: str
    op: str
    sources: list[Output]
    options: dict[str, object]
    outputs: int
    implied: list[str]


def read_graph(graph: Mapping) -> tuple[list[Node], list[Output]]:
    """Read the content of a symbol file.

    Returns:
        The nodes, each after those that it takes its inputs from; and the outputs of the network.

    Raises:
        InputError: the graph is malformed, or its input is not named `data`.
    """
    nodes: list[Node] = []
    try:
        for node in graph["nodes"]:
            nodes.append(_read_node(node, nodes))
        heads = [_read_output("an output", entry, nodes) for entry in graph["heads"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"not the graph of an MXNet symbol file ({type(error).__name__}: {error})") from None
    if not heads or len(set(heads)) < len(heads) or any(nodes[head.node].op == "null" for head in heads):
        raise InputError("its outputs must be nodes, each once, and no variables")
    if not any(node.name == INPUT and node.op == "null" and not node.sources for node in nodes):
        raise InputError(f"its input is not named {INPUT}")
    return nodes, heads


def _read_node(node: Mapping, before: Sequence[Node]) -> Node:
    name, op = node["name"], node["op"]
    # Before MXNet 1.0, options stood under `param`, and later under `attr`.
    parts = [node.get(key) or {} for key in ("param", "attr", "attrs")]
    options = {key: _literal(value) for part in parts for key, value in part.items()}
    sources = [_read_output(f"node {name}", entry, before) for entry in node["inputs"]]
    outputs = options[_SEVERAL_OUTPUTS[op]] if op in _SEVERAL_OUTPUTS else 1
    if not (isinstance(outputs, int) and 1 <= outputs <= _MOST_OUTPUTS):
        raise ValueError(f"node {name} has {outputs} outputs")
    unlisted = op == "BatchNorm" and len(sources) == _LISTED_BEFORE_0_9
    return Node(
        name,
        op,
        sources,
        options,
        outputs=outputs,
        implied=[f"{name}_{statistic}" for statistic in _STATISTICS] if unlisted else [],
    )


def _read_output(taker: str, entry: Sequence[int], nodes: Sequence[Node]) -> Output:
    """What an entry, of a node's inputs or of the network's outputs, refers to."""
    index, position, *_ = entry
    if index not in range(len(nodes)):
        raise InputError(f"{taker}: node {index} is not among the {len(nodes)} before it")
    if position not in range(nodes[index].outputs):
        raise InputError(f"{taker}: takes a further output of node {nodes[index].name}, which is not known to have one")
    return Output(index, position)


def _literal(value: str) -> object:
    if value in ("true", "false"):  # which MXNet takes as well as "True", "False", "1" and "0"
        return value == "true"
    try:
        literal = ast.literal_eval(_PYTHON_2_INTEGER.sub("", value))
    except (ValueError, SyntaxError, MemoryError, RecursionError):  # a word, such as "relu"
        return value
    return tuple(literal) if isinstance(literal, list) else literal
