"""Execute a notebook with notes in it. Runs in the clean environment of a notebook: ``python notebook_child.py ORDER``.

Copied there by proving. It has nbclient and nbformat, and nothing of modelwright. ``ORDER`` is a JSON file that says
what to run; how it ended is written into the file that it names.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

_SETUP = """\
__mw_recorder__ = __import__("mw_recorder").Recorder({notes!r}, {numbers!r})
__mw_note__ = __mw_recorder__.note
__import__("mw_seeds").sow()
get_ipython().events.register("pre_run_cell", __mw_recorder__.begin)
"""


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Execute the cells one after the other; return which one ended the run, and how."""
    nbformat: Any = importlib.import_module("nbformat")
    nbclient: Any = importlib.import_module("nbclient")
    exceptions: Any = importlib.import_module("nbclient.exceptions")
    new: Any = importlib.import_module("nbformat.v4")
    numbers = [number for number, _ in order["cells"]]
    setup = _SETUP.format(notes=order["notes"], numbers=numbers)
    cells = [new.new_code_cell(setup), *(new.new_code_cell(code) for _, code in order["cells"])]
    running = {"cell": 0}

    def started(**about: Any) -> None:
        running["cell"] = numbers[about["cell_index"] - 1] if about["cell_index"] else 0

    client = nbclient.NotebookClient(
        new.new_notebook(cells=cells),
        timeout=order["timeout_s"],
        kernel_name="python3",
        resources={"metadata": {"path": order["folder"]}},
        on_cell_start=started,
    )
    nbformat.validate(client.nb)
    try:
        client.execute()
    except exceptions.CellTimeoutError:
        return {"how": "timeout", **running}
    except exceptions.CellExecutionError as error:
        return {"how": "error", "name": error.ename, "message": error.evalue, **running}
    except exceptions.DeadKernelError as error:
        return {"how": "died", "message": str(error), **running}
    return {"how": "ended"}


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    Path(given["outcome"]).write_text(json.dumps(main(given)), "utf-8")
