"""Entry of ``python -m NAME.model`` and of the command that is installed with the model."""

# mypy: ignore-errors

from __future__ import annotations

import sys
from pathlib import Path


def main():
    """Run the command line; return the exit code."""
    from ._runtime.cli import main as run

    return run(Path(__file__).parent, __package__.rpartition(".")[0], sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
