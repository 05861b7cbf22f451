"""The onnx format keeps the contract of formats."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import onnx
import onnxruntime
from onnx_models import FRAME, ROWS, converted, fitted, picture, tokens

from modelwright.capturing.formats import format_named
from modelwright.testing import FormatContract, Trap

TOKENS = {"ids": np.array([[1, 2, 3], [4, 5, 6]]), "weights": np.ones((2, 3), np.float32)}
PICTURES = np.random.default_rng(0).random((5, 3, 4, 4), dtype=np.float32)


class TestOnnx(FormatContract):
    format = format_named("onnx")

    def models(self) -> list[tuple[Any, Any]]:
        return [
            (converted("logistic"), ROWS),
            (converted("logistic", zipmap=True), ROWS),
            (converted("forest"), ROWS),
            (converted("line"), ROWS),
            (converted("pipeline"), FRAME),
            (tokens(), TOKENS),
            (picture("rows"), PICTURES),
            (picture(1), PICTURES),
        ]

    def answers(self, model: Any, rows: Any) -> Any:
        found = {name: getattr(model, name)(rows) for name in ("predict", "predict_proba") if hasattr(model, name)}
        found |= found.pop("predict") if isinstance(found["predict"], dict) else {}
        return {name: np.asarray(values).tolist() for name, values in found.items()}

    def foreign(self) -> list[object]:
        return [object(), len, ModuleType("m"), {"predict": 1}, fitted("line"), onnx.GraphProto(), onnxruntime]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        (artifacts / "model.onnx").write_bytes(pickle.dumps(Trap(marker)))
        return {}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        for kind in ("logistic", "pipeline", "line"):
            onnx.save(converted(kind, zipmap=kind == "logistic"), folder / f"{kind}.onnx")
        label, maps = bare(folder / "logistic.onnx", {"X": ROWS})
        logistic = {"predict": label.tolist(), "predict_proba": [list(row.values()) for row in maps]}
        label, probabilities = bare(folder / "pipeline.onnx", {name: FRAME[[name]].to_numpy() for name in FRAME})
        return [
            (folder / "logistic.onnx", ROWS, logistic),
            (folder / "pipeline.onnx", FRAME, {"predict": label.tolist(), "predict_proba": probabilities.tolist()}),
            (folder / "line.onnx", ROWS, {"predict": bare(folder / "line.onnx", {"X": ROWS})[0][:, 0].tolist()}),
        ]


def bare(path: Path, feed: dict[str, Any]) -> list[Any]:
    """Return what onnxruntime itself answers."""
    return onnxruntime.InferenceSession(path).run(None, feed)
