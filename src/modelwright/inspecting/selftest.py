"""Run a package's own selftest in its environment, and understand what it answers or why it refuses.

Called by verify and diff (scenarios) and predict (the same errors). The child is the runtime that the package
carries: no modelwright is there, and it runs isolated (``-I``) with next to no environment variables.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from modelwright.errors import ModelwrightError, Problem, VerificationFailed
from modelwright.inspecting.environments import Environment
from modelwright.inspecting.installers import last_lines
from modelwright.inspecting.processes import Finished, model_variables, run
from modelwright.package import Package
from modelwright.spec.scenario import Scenario
from modelwright.spec.struct import Frozen

TIMEOUT_S = 600.0
"""Longest time a selftest may take."""


class ScenarioResult(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one scenario.

    Attributes:
        name: Name of the scenario.
        kind: ``example``, ``minimum``, ``invariance`` or ``direction``.
        origin: ``auto`` or ``user``.
        passed: Whether it holds.
        problems: What does not hold, a sentence each.
        answers: Per output, the answer to each row; ``None`` unless asked for, or when the rows were refused.
        error: Why the rows were refused.
    """

    name: str
    kind: str = "example"
    origin: str = "auto"
    passed: bool
    problems: tuple[str, ...] = ()
    answers: dict[str, list[Any]] | None = None
    error: str = ""


class Selftest(Frozen, frozen=True, kw_only=True):
    """What a selftest found.

    Attributes:
        name: Distribution name.
        version: Version of the package.
        python: Version of the interpreter that ran it.
        passed: How many scenarios hold.
        failed: How many do not.
        load_seconds: Time to load the model, imports included, seconds.
        predict_seconds: Median time of one call, by number of rows, seconds.
        peak_rss_bytes: Largest memory the process held; ``None`` where the platform does not tell.
        scenarios: Every scenario, in the order of the file.
    """

    name: str
    version: str
    python: str
    passed: int
    failed: int
    load_seconds: float
    predict_seconds: dict[str, float] = {}
    peak_rss_bytes: int | None = None
    scenarios: tuple[ScenarioResult, ...]


def run_selftest(
    environment: Environment,
    package: Package,
    *,
    scenarios: Sequence[Scenario] | None = None,
    trust: Iterable[str] = (),
    timeout_s: float = TIMEOUT_S,
) -> Selftest:
    """Run a package's scenarios in an environment that has it.

    Args:
        environment: The environment.
        package: The package in it.
        scenarios: Run these instead of its own, and give the answers to every row.
        trust: Types that the caller vouches for.
        timeout_s: Seconds after which it is stopped.

    Raises:
        ModelwrightError: What the runtime refused with, as its own class (``PinError``, ``TrustError``, …).
        VerificationFailed: It crashed, answered nothing that can be understood, or did not end in time.
    """
    arguments = ["selftest", "--json", *vouching(trust)]
    with tempfile.TemporaryDirectory(prefix="modelwright-") as folder:
        if scenarios is not None:
            listed = Path(folder) / "scenarios.jsonl"
            listed.write_bytes(b"".join(msgspec.json.encode(scenario) + b"\n" for scenario in scenarios))
            arguments += ["--scenarios", str(listed), "--answers"]
        finished = run(
            module_command(environment, package, arguments),
            variables=model_variables(package.manifest.environment.variables),
            timeout_s=timeout_s,
        )
    if finished.timed_out:
        raise VerificationFailed(f"The selftest did not end within {timeout_s:.0f} s and was stopped.")
    try:
        return msgspec.json.decode(finished.output, type=Selftest)
    except msgspec.DecodeError as error:
        raise refusal(finished) from error


def module_command(environment: Environment, package: Package, arguments: Iterable[str]) -> list[str]:
    """Return the command line of a package's own command in an environment."""
    return [str(environment.python), "-I", "-m", f"{package.import_name}.model", *arguments]


def vouching(trust: Iterable[str]) -> list[str]:
    """Return the options that vouch for types."""
    return [part for name in ([trust] if isinstance(trust, str) else trust) for part in ("--trust", name)]


def refusal(finished: Finished) -> ModelwrightError:
    r"""Return the error that a package's process ended with, as the class that its code stands for.

    Example:
        >>> error = refusal(Finished(4, "", "MW302: numpy is not installed.\n  fix: pip install numpy\n"))
        >>> type(error).__name__, error.hint
        ('PinError', 'pip install numpy')
    """
    lines = finished.errors.splitlines()
    start = next((number for number, line in enumerate(lines) if line[:5] in _CLASSES and line[5:7] == ": "), None)
    if start is None:
        return VerificationFailed(
            f"The package's process ended with exit code {finished.code} and no answer.",
            why=last_lines(finished.errors or finished.output),
        )
    said: dict[str, list[str]] = {"where": [], "-": [], "why": [], "fix": []}
    key = ""
    for line in lines[start + 1 :]:
        word = line.strip().partition(" ")[0].rstrip(":")
        key = word if line.startswith("  ") and word in said else key
        if key:
            said[key].append(line.strip().removeprefix(f"{key}: ").removeprefix("- "))
    return _CLASSES[lines[start][:5]](
        lines[start][7:],
        where="\n".join(said["where"]),
        why="\n".join(said["why"]),
        hint="\n".join(said["fix"]),
        problems=[Problem(None, None, text) for text in said["-"]],
    )


def _by_code(kind: type[ModelwrightError]) -> dict[str, type[ModelwrightError]]:
    found = {kind.code: kind}
    for child in kind.__subclasses__():
        found |= _by_code(child)
    return found


_CLASSES = _by_code(ModelwrightError)
