"""Run the real command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def modelwright(
    *arguments: str, cwd: Path, code: int = 0, stdin: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the real command line in a folder, with more variables in its environment; it must end with the code."""
    done = subprocess.run(
        [sys.executable, "-m", "modelwright", *arguments],
        cwd=cwd,
        env=os.environ | variables,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done
