"""A process that is preloaded with ``shim.c`` and runs operations in forks of itself, so that they start at once.

Started by :mod:`powercut.running`. Each line on standard input is a JSON object: ``call`` (``module:function``, given
the folder and ``done``, to be called whenever something was acknowledged), ``folder``, ``log``, ``kill`` (number of
the change before which the fork dies; 0: none) and ``half`` (whether that change, a write, is half done).
The answer is a JSON object with ``signal`` (what the fork died of) and ``error`` (what it raised).
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import sys
import traceback
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

SHIM = ctypes.CDLL(None)
SHIM.powercut_watch.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_long, ctypes.c_int]
SHIM.powercut_mark.argtypes = [ctypes.c_char_p]


def run(order: dict[str, Any], call: Any, failure: int) -> None:
    """Do one order in this process."""
    SHIM.powercut_watch(order["folder"].encode(), order["log"].encode(), order["kill"], order["half"])
    try:
        call(Path(order["folder"]), lambda what="": SHIM.powercut_mark(what.encode()))
    except BaseException:
        os.write(failure, traceback.format_exc().encode()[-60_000:])
        os._exit(1)
    os._exit(0)


@cache
def prepared(module: str) -> ModuleType:
    """Import a module, and whatever it imports late, so that forks need not."""
    imported = importlib.import_module(module)
    getattr(imported, "warm", lambda *wheels: None)(*map(Path, sys.argv[1:]))
    gc.freeze()
    return imported


def main() -> None:
    """Fork for every order and say what became of it."""
    sys.path[0] = str(Path(__file__).parents[1])  # so that this package is found by its name
    for line in sys.stdin:
        order = json.loads(line)
        module, name = order["call"].split(":")
        call = getattr(prepared(module), name)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            run(order, call, writing)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        error = os.read(reading, 65_536).decode(errors="replace")
        os.close(reading)
        print(json.dumps({"signal": os.WTERMSIG(status), "error": error}), flush=True)


if __name__ == "__main__":
    main()
