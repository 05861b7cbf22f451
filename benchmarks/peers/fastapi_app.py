"""A model behind FastAPI as most people write it: pydantic rows, a plain function (so FastAPI's threads), joblib.

Run by ``serving_peers.py`` with uvicorn in the peer's environment, in a folder with ``model.joblib`` and
``fields.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel, create_model

described = json.loads(Path("fields.json").read_text("utf-8"))
TYPES: dict[str, Any] = {"float": float | None if described["framed"] else float, "int": int, "str": str}
Row = create_model("Row", **{name: (TYPES[kind], ...) for name, kind in described["fields"].items()})
model = joblib.load("model.joblib")
app = FastAPI()


class Request(BaseModel):
    """Rows to predict."""

    rows: list[Row]  # type: ignore[valid-type]


class Answer(BaseModel):
    """A label per row."""

    predictions: list[int]


def table(rows: list[Any]) -> Any:
    """Return what the model takes."""
    if described["framed"]:
        return pd.DataFrame([row.model_dump() for row in rows])
    return np.array([list(row.model_dump().values()) for row in rows])


@app.get("/ready")
def ready() -> dict[str, bool]:
    """Say that it is ready."""
    return {"ready": True}


@app.post("/predict")
def predict(request: Request) -> Answer:
    """Predict."""
    return Answer(predictions=model.predict(table(request.rows)).tolist())
