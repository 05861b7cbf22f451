"""The fresh process of a trace: load a staged package, predict, and tell what that imported.

Run as a script by :mod:`modelwright.capturing.trace` with an interpreter that sees nothing of the user's folders.
Standard library only; it imports nothing of modelwright but the runtime that the staged package carries. The question
comes as JSON on standard input, the answer goes as JSON to standard output; what libraries print goes to standard
error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from types import FrameType
from typing import Any, ClassVar


class Watched:
    """A finder as it was, that also notes who asks first for each module and does not find the blocked ones."""

    importers: ClassVar[dict[str, str]] = {}

    def __init__(self, finder: Any, blocked: frozenset[str]) -> None:
        self._finder = finder
        self._blocked = blocked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find a module; a blocked one is not there, as if it were not installed."""
        self.importers.setdefault(name, _importer(sys._getframe(1)))
        return None if name.partition(".")[0] in self._blocked else self._finder.find_spec(name, path, target)


def _importer(frame: FrameType | None) -> str:
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if not name.startswith("importlib") and name != __name__:
            return name
        frame = frame.f_back
    return ""


def main() -> None:
    """Answer one question."""
    before = set(sys.modules)
    question = json.load(sys.stdin)
    # Libraries print as they like; the answer has a descriptor of its own.
    answer_stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    blocked = frozenset(question["blocked"])
    sys.meta_path[:] = [Watched(finder, blocked) for finder in sys.meta_path]
    sys.path.insert(0, question["root"])
    try:
        answer = {"ok": True} | _run(question)
    except Exception as error:  # whatever goes wrong is the answer
        answer = {"ok": False, "error": _told(error), "module": getattr(error, "name", None) or ""}
        answer["traceback"] = traceback.format_exc()
    answer["modules"] = {
        name: [_file_of(module), Watched.importers.get(name, "")]
        for name, module in list(sys.modules.items())
        if name not in before and name != __name__
    }
    json.dump(answer, answer_stream)
    answer_stream.flush()
    os._exit(0)  # the answer is out; tearing down big libraries only costs time


def _file_of(module: Any) -> str:
    """Return the file a module was read from; one that a library made itself may name a file that is none."""
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) and os.path.isabs(file) else ""  # noqa: PTH117 (fewer imports in the trace)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _run(question: dict[str, Any]) -> dict[str, Any]:
    package, clock = question["package"], time.perf_counter()
    importlib.import_module(package)
    runtime = importlib.import_module(f"{package}.model._runtime")
    encoding = importlib.import_module(f"{package}.model._runtime.encoding")
    model = runtime.load(f"{question['root']}/{package}/model", package=package, trust=question["trust"])
    loaded = time.perf_counter()
    rows = encoding.decode_rows(question["rows"], model.manifest["signature"]["inputs"])
    answers = model.answer_lists(rows) if rows else {}
    return {
        "answers": {name: [encoding.encode(value) for value in values] for name, values in answers.items()},
        "load_seconds": loaded - clock,
        "predict_seconds": time.perf_counter() - loaded,
        "cpu_seconds": time.process_time(),
    }


if __name__ == "__main__":
    main()
