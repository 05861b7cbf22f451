"""Run the pipeline of a project under observation: ``python project_child.py ORDER``, in its clean environment.

Copied there by proving. It has the project's requirements, and nothing of modelwright or IPython. ``ORDER`` is a JSON
file that says what to run; how it ended is written into the file that it names.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import traceback
from pathlib import Path
from typing import Any


class Observer:
    """Notes what each step of a pipeline gives.

    Args:
        note: Where to write it down.
    """

    def __init__(self, note: Any) -> None:
        self.note = note
        self.measured: set[str] = set()

    def __call__(self, step: str, /, **values: Any) -> None:
        """Take note of a step; of the measures, only those that are new."""
        for name, value in values.items():
            if name != "measured":
                self.note(f"{step}.{name}", value)
        for name, value in dict(values.get("measured") or {}).items():
            if name not in self.measured:
                self.measured.add(name)
                self.note(f"measured.{name}", value)


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Run the pipeline; return how it ended."""
    if importlib.util.find_spec("IPython") is not None:
        return {"how": "unclean", "message": "IPython can be imported in the environment of the project."}
    sys.path[:0] = order["paths"]
    recorder = importlib.import_module("mw_recorder").Recorder(order["notes"])
    importlib.import_module("mw_seeds").sow()
    try:
        pipeline = importlib.import_module(f"{order['package']}.pipeline")
        results = pipeline.run(observe=Observer(recorder.note))
        asked = getattr(results, "asked", None)
        if asked is not None:
            recorder.note("prediction", results.model.predict(asked))
    except Exception as error:  # whatever the code of a notebook raises
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if order["root"] in frame.filename]
        place = f"{Path(frames[-1].filename).relative_to(order['root'])}:{frames[-1].lineno}" if frames else ""
        return {"how": "error", "name": type(error).__name__, "message": str(error), "place": place}
    return {"how": "ended"}


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    Path(given["outcome"]).write_text(json.dumps(main(given)), "utf-8")
