"""One big model per format, its library's own file of it, and how the library itself loads and asks that.

Run by ``formats.py`` in the environment of each format: ``python formats_models.py NAME make FOLDER`` makes the model,
its native file, the package and its wheel, and tells the times; ``load`` and ``ask`` measure one of both in a process
of their own. Everything is told as JSON on the last line.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

warnings.simplefilter("ignore")
ROWS, WIDE = 20_000, 20
RNG = np.random.default_rng(0)


class Case(NamedTuple):
    """A format's model.

    Attributes:
        train: Makes the live model from rows and truth.
        save: Writes the library's own file into a folder, and returns its path.
        load: Loads it as the library's documentation says.
        ask: Asks what was loaded about rows.
        rows: The sample, from the matrix of numbers.
    """

    train: Callable[[Any, Any], Any]
    save: Callable[[Any, Path], Path]
    load: Callable[[Path], Any]
    ask: Callable[[Any, Any], Any]
    rows: Callable[[Any], Any] = lambda matrix: matrix


def data() -> tuple[Any, Any]:
    """Return a matrix ``[20,000, 20]`` and numbers drawn by lot, so that trees grow as far as they may."""
    return RNG.normal(size=(ROWS, WIDE)).astype("float32"), RNG.normal(size=ROWS)


def xgboost() -> Case:
    import xgboost as library

    def save(model: Any, folder: Path) -> Path:
        model.save_model(folder / "native.ubj")
        return folder / "native.ubj"

    def load(path: Path) -> Any:
        model = library.XGBRegressor()
        model.load_model(path)
        return model

    def train(x: Any, y: Any) -> Any:
        return library.XGBRegressor(n_estimators=400, max_depth=11).fit(x, y)

    return Case(train, save, load, lambda model, x: model.predict(x))


def lightgbm() -> Case:
    import lightgbm as library

    def save(model: Any, folder: Path) -> Path:
        model.booster_.save_model(folder / "native.txt")
        return folder / "native.txt"

    def train(x: Any, y: Any) -> Any:
        return library.LGBMRegressor(n_estimators=400, num_leaves=1000, verbose=-1).fit(x, y)

    return Case(train, save, lambda path: library.Booster(model_file=path), lambda model, x: model.predict(x))


def catboost() -> Case:
    import catboost as library

    def save(model: Any, folder: Path) -> Path:
        model.save_model(str(folder / "native.cbm"))
        return folder / "native.cbm"

    def load(path: Path) -> Any:
        model = library.CatBoostRegressor()
        model.load_model(str(path))
        return model

    def train(x: Any, y: Any) -> Any:
        options = {"verbose": False, "allow_writing_files": False}
        return library.CatBoostRegressor(iterations=400, depth=12, **options).fit(x, y)

    return Case(train, save, load, lambda model, x: model.predict(x))


def onnx() -> Case:
    import onnx as library
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    def train(_x: Any, _y: Any) -> Any:
        sizes = [WIDE, 2048, 2048, 2048, 2]
        nodes, weights, last = [], [], "x"
        for place, (into, out) in enumerate(itertools.pairwise(sizes)):
            weights.append(numpy_helper.from_array(RNG.normal(size=(into, out)).astype("float32") / 50, f"w{place}"))
            nodes.append(helper.make_node("MatMul", [last, f"w{place}"], [f"h{place}"]))
            nodes.append(helper.make_node("Tanh", [f"h{place}"], [f"t{place}"]))
            last = f"t{place}"
        given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDE])]
        gives = [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["n", 2])]
        graph = helper.make_graph(nodes, "net", given, gives, weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)

    def save(model: Any, folder: Path) -> Path:
        library.save(model, folder / "native.onnx")
        return folder / "native.onnx"

    def load(path: Path) -> Any:
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    return Case(train, save, load, lambda session, x: session.run(None, {"x": x})[0])


def torch() -> Case:
    import torch as library

    def train(_x: Any, _y: Any) -> Any:
        library.manual_seed(0)
        linear, tanh = library.nn.Linear, library.nn.Tanh
        layers = (linear(WIDE, 2048), tanh(), linear(2048, 2048), tanh(), linear(2048, 2048), tanh(), linear(2048, 2))
        return library.nn.Sequential(*layers).eval()

    def save(model: Any, folder: Path) -> Path:
        example = (library.zeros(4, WIDE),)
        rows = ({0: library.export.Dim("rows")},)
        library.export.save(library.export.export(model, example, dynamic_shapes=rows), folder / "native.pt2")
        return folder / "native.pt2"

    def ask(model: Any, x: Any) -> Any:
        with library.no_grad():
            return model(library.from_numpy(x)).numpy()

    return Case(train, save, lambda path: library.export.load(path).module(), ask)


def tensorflow() -> Case:
    import keras as library

    def train(_x: Any, _y: Any) -> Any:
        library.utils.set_random_seed(0)
        dense = [library.layers.Dense(2048, activation="tanh") for _ in range(3)]
        return library.Sequential([library.Input((WIDE,)), *dense, library.layers.Dense(2)])

    def save(model: Any, folder: Path) -> Path:
        model.save(folder / "native.keras")
        return folder / "native.keras"

    return Case(train, save, library.models.load_model, lambda model, x: model(x).numpy())


CASES = {case.__name__: case for case in (xgboost, lightgbm, catboost, onnx, torch, tensorflow)}


def make(case: Case, folder: Path) -> dict[str, Any]:
    """Capture, build and verify; write the native file beside it."""
    import modelwright as mw

    matrix, truth = data()
    model = case.train(matrix, truth)
    native = case.save(model, folder)
    started = time.perf_counter()
    package = mw.capture(model, case.rows(matrix)[:2000], name="bench", version="1.0", to=folder)
    captured = time.perf_counter()
    wheel = mw.build(package, folder / "dist")
    built = time.perf_counter()
    passed = mw.verify(wheel).passed
    verified = time.perf_counter()
    return {
        "format": package.manifest.storage.format,
        "native_bytes": native.stat().st_size,
        "wheel_bytes": Path(wheel).stat().st_size,
        "capture_s": captured - started,
        "build_s": built - captured,
        "verify_s": verified - built,
        "verified": passed,
    }


def loaded(case: Case, which: str, folder: Path) -> tuple[Callable[[Any], Any], float]:
    """Return what answers, and the seconds that loading it took; libraries were imported before."""
    native = next(folder.glob("native.*"))
    if which == "native":
        started = time.perf_counter()
        model = case.load(native)
        taken = time.perf_counter() - started
        return lambda rows: case.ask(model, rows), taken
    sys.path.insert(0, str(folder / "bench-1.0"))
    import bench.model as package

    started = time.perf_counter()
    ours = package.load()
    taken = time.perf_counter() - started
    method = ours.methods[-1]
    return lambda rows: ours.call(method, rows), taken


def latency(ask: Callable[[Any], Any], rows: Any) -> float:
    """Return the seconds of one call, median of many."""
    ask(rows)
    taken: list[float] = []
    begin = time.perf_counter()
    while len(taken) < 200 and (len(taken) < 5 or time.perf_counter() - begin < 1.0):
        started = time.perf_counter()
        ask(rows)
        taken.append(time.perf_counter() - started)
    return median(taken)


def main() -> None:
    """Do one thing, and tell it."""
    name, what, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    case = CASES[name]()
    if what == "make":
        told: dict[str, Any] = make(case, folder)
    else:
        ask, seconds = loaded(case, what, folder)
        matrix, _ = data()
        told = {"load_s": seconds}
        if len(sys.argv) > 4:
            told |= {f"rows_{count}_s": latency(ask, case.rows(matrix)[:count]) for count in (1, 1000)}
    sys.stdout.write("\n" + json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
