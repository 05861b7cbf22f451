"""Run ``modelwright capture`` in an environment with the versions that a saved model was written by.

Called by the command itself, which is then asked again there, word for word.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from modelwright.capturing.guessing import Guess, guess_environment
from modelwright.cli.output import Output
from modelwright.inspecting.borrowed import borrowed
from modelwright.steps import Step

WITH_PICKLES = "pickle"
"""The extra that reads joblib files; older pickles are captured with it, too."""


def wanted_elsewhere(source: Any, trust: Collection[str]) -> Guess | None:
    """Return the environment that a source wants instead of this one, if it is a saved model that says so.

    Raises:
        UnsafeFileError: Opening it would run code.
        LoaderError: It is cut off or damaged.
    """
    return guess_environment(source, trust=trust) if isinstance(source, Path) and source.suffix != ".py" else None


def capture_elsewhere(source: Path, options: Mapping[str, Any], guess: Guess, output: Output) -> int:
    """Make the environment, and run the command there.

    Args:
        source: The saved model.
        options: Options of the command, by the names of its parameters.
        guess: What the file wants.
        output: How the command talks.

    Returns:
        Its exit code.

    Raises:
        EnvironmentBuildError: The environment cannot be made.
    """
    start = time.perf_counter()
    with borrowed(guess.requirements, extras=(guess.extra, WITH_PICKLES)) as python:
        detail = f"{', '.join(guess.requirements)}: {guess.why}"
        output.listener(Step("environment", detail, time.perf_counter() - start))
        said = [f"--{name}" for name in ("json", "quiet", "traceback") if getattr(output, name)]
        command = [str(python), "-I", "-m", "modelwright", "capture", str(source), *_tokens(options), *said]
        sys.stdout.flush()
        return subprocess.run([*command, "--environment", "here"], check=False).returncode


def _tokens(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            yield flag
        elif isinstance(value, list | tuple):
            yield from (f"{flag}={each}" for each in value)
        elif value is not None and value is not False and value != "":
            yield f"{flag}={value}"
