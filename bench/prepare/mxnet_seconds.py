"""A program for MXNet's own environment, which bench/against_mxnet.py starts: seconds of each network on each input.

With one thread, these are the processor's seconds, in which other work on the machine does not count. The program needs
mxnet, onnxruntime and numpy, and nothing else of this project, which does not run there.
"""

import json
import sys
import time

import mxnet
import numpy as np
import onnxruntime


def mxnet_network(prefix):
    """The checkpoint as the reference system runs it: one module, bound again when the image's size changes."""
    graph, arrays, states = mxnet.model.load_checkpoint(prefix, 0)
    module = mxnet.mod.Module(graph, context=mxnet.cpu(), label_names=None)
    module.bind([("data", (1, 3, 640, 640))], for_training=False)
    module.set_params(arrays, states)

    def run(image):
        batch = mxnet.io.DataBatch([mxnet.nd.array(image)], provide_data=[("data", image.shape)])
        module.forward(batch, is_train=False)
        return [output.asnumpy() for output in module.get_outputs()]

    return run


def onnx_network(path, threads):
    """The imported file, as the engine runs it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"data": image})


def main(prefix, onnx, threads, shapes):
    """Print a line of JSON per shape, as they come: seconds in MXNet, and of each ONNX file in ONNX Runtime."""
    clock = time.process_time if threads == 1 else time.perf_counter
    networks = [("mxnet", mxnet_network(prefix))]
    networks += [(name, onnx_network(path, threads)) for name, path in onnx.items()]
    for _, network in networks:
        network(np.zeros((1, 3, 64, 96), np.float32))
    for number, shape in enumerate(shapes):
        image = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
        seconds = {}
        for name, network in networks[:: 1 if number % 2 else -1]:  # in turns, which is fair on a noisy machine
            start = clock()
            network(image)
            seconds[name] = clock() - start
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
