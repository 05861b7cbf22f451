"""A model behind BentoML with adaptive batching, as its documentation shows it.

Run by ``serving_peers.py`` in the peer's environment, in a folder with ``model.joblib`` and ``fields.json``.
"""

import json
from pathlib import Path
from typing import Any

import bentoml
import joblib
import numpy as np
import pandas as pd

FRAMED = json.loads(Path("fields.json").read_text("utf-8"))["framed"]
# Batches of frames fail in its dispatcher (the size of one is a tuple there), batches of lists do not.
Table = list[dict[str, Any]] if FRAMED else np.ndarray


@bentoml.service(workers=1, traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Model:
    """The model."""

    def __init__(self) -> None:
        self.model = joblib.load("model.joblib")

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=500)
    def predict(self, rows: Table) -> np.ndarray:
        """Predict."""
        return self.model.predict(pd.DataFrame(rows) if FRAMED else rows)
