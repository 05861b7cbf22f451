"""Keras models keep the contract of formats; what Keras' own safe mode lets through is refused by a look of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import networks

from modelwright.capturing.formats import format_named
from modelwright.testing import FormatContract


def listed(answers: Any) -> Any:
    return {name: part.tolist() for name, part in answers.items()} if isinstance(answers, dict) else answers


class TestKeras(FormatContract):
    format = format_named("keras")

    def models(self) -> list[tuple[Any, Any]]:
        return [
            (networks.dense(), networks.ROWS),
            (networks.classifier(), networks.ROWS),
            (networks.mixed(), networks.mixed_rows()),
            (networks.images(), networks.pictures()),
        ]

    def answers(self, model: Any, rows: Any) -> Any:
        return listed(model.predict(rows))

    def foreign(self) -> list[object]:
        return [object(), len, keras.layers.Dense(3), keras.optimizers.Adam(), {"predict": 1}]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        code = f"__import__('os').mkdir({str(marker)!r})"
        config = {"function": {"class_name": "__lambda__", "config": {"code": code}}, "name": "trap"}
        layer = {"module": "keras.layers", "class_name": "Lambda", "config": config, "registered_name": None}
        model = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [layer]}}
        folder = artifacts / "network"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(model))
        (folder / "metadata.json").write_text(json.dumps({"keras_version": keras.__version__}))
        (folder / "model.weights.h5").write_bytes(b"")
        return {"backend": "tensorflow", "inputs": [], "style": "one", "outputs": []}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        found = []
        for name, model, rows in (
            ("dense.keras", networks.dense(), networks.ROWS),
            ("mixed.keras", networks.mixed(), networks.mixed_rows()),
            ("dense.h5", networks.dense(), networks.ROWS),
        ):
            model.save(folder / name)
            asked = self.format.answering(model, rows)
            found.append((folder / name, rows, self.answers(asked.model, asked.sample)))
        return found
