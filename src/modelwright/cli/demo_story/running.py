"""Commands of a story, each in a process group of its own, so that what it leaves running can be ended with the story.

Called by :mod:`.telling`. POSIX only, as the story is: it is told to a shell.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_S = 15.0
"""So long a server may take to answer what is under way, seconds."""


@contextmanager
def started(command: str, *, folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Start a command; when the block ends, end whatever of it still runs.

    Args:
        command: For the shell.
        folder: Where it runs.
        environment: Its environment variables.
    """
    # Every process of the command holds the writing end: when all have ended, also those whose parent is gone and
    # which nobody waits for, the reading end says so.
    gone, held = os.pipe()
    try:
        try:
            process = subprocess.Popen(
                ["sh", "-c", command],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                pass_fds=(held,),
                process_group=0,
            )
        finally:
            os.close(held)
        try:
            yield process
        finally:
            _end(process.pid, gone)
            if process.stdout is not None:
                process.stdout.close()
            process.wait()
    finally:
        os.close(gone)


def _end(group: int, gone: int) -> None:
    """End a process group in order, and what does not end in time at once."""
    for number, patience_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, 1.0)):
        if _closed(gone, 0.0):
            return
        with suppress(ProcessLookupError):
            os.killpg(group, number)
        if _closed(gone, patience_s):
            return


def _closed(gone: int, patience_s: float) -> bool:
    return bool(select.select([gone], [], [], patience_s)[0])
