"""What ``modelwright rollout`` is told, as the request that the admin API takes.

For: :mod:`.rollout`. Words in, data out; whether it can be meant is checked
before any server is asked.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from modelwright.errors import RequestError
from modelwright.inspecting.read import read
from modelwright.registry.references import parse_reference
from modelwright.serving.deployment_file import is_path
from modelwright.serving.rollout.criteria import Criteria, Guard
from modelwright.serving.rollout.plans import Kind, RolloutRequest, checked

_GUARD = re.compile(r"(?P<metric>[^:]+)(?::(?P<better>higher|lower))?:(?P<limit>[0-9.]+)(?P<percent>%?)")


class Target(NamedTuple):
    """What is rolled out: the model, and the reference as a server in another folder understands it."""

    model: str
    reference: str


def target(text: str, *, folder: Path) -> Target:
    """Return what a reference on the command line means; a package that lies here is looked at, not executed.

    Raises:
        RequestError: It names no version.
        ModelwrightError: A path leads to no package.

    Example:
        >>> target("Churn==1.3.0", folder=Path())
        Target(model='churn', reference='churn==1.3.0')
    """
    if "://" in text:
        return Target(read(text).manifest.name, text)
    if is_path(text, folder):
        path = os.path.abspath(folder / text)  # noqa: PTH100 - resolve() would follow links
        return Target(read(Path(path)).manifest.name, path)
    parsed = parse_reference(text)
    if not parsed.version and not parsed.stage:
        raise RequestError(f"Which version of {parsed}?", hint=f"Say it: {parsed}==1.3.0, or {parsed}@staging.")
    return Target(parsed.name, str(parsed))


def request_of(
    reference: str,
    *,
    on: str = "",
    canary: str = "",
    ab: str = "",
    shadow: str = "",
    steps: str = "",
    interval: float | None = None,
    max_share: str = "",
    guards: Sequence[str] = (),
    reason: str = "",
) -> RolloutRequest:
    """Return the request that the options say.

    Raises:
        RequestError: They contradict one another, or one is no share or guard.
        RolloutError: It cannot be meant; every problem is listed.

    Example:
        >>> request_of("churn==1.3.0", canary="10", steps="25,50,100%").steps
        (25.0, 50.0, 100.0)
    """
    kinds: dict[Kind, str] = {"canary": canary, "ab": ab, "shadow": shadow}
    chosen: list[Kind] = [kind for kind, said in kinds.items() if said]
    if len(chosen) != 1:
        names = " and ".join(f"--{kind}" for kind in chosen)
        raise RequestError(
            f"{names} exclude one another." if chosen else "How is it rolled out?",
            hint="--canary 10 (a growing share), --ab 50 (a fixed share) or --shadow (asked as well, seen by nobody).",
        )
    (kind,) = chosen
    growing = {"--steps": steps, "--max-share": max_share, "--interval": interval is not None, "--guard": guards}
    useless = [name for name, said in growing.items() if said and kind != "canary"]
    if useless:
        raise RequestError(f"{useless[0]} is of a canary, and this is --{kind}.", hint="Use --canary, or leave it out.")
    usual = RolloutRequest(reference=reference)
    return checked(
        RolloutRequest(
            reference=reference,
            on=on,
            kind=kind,
            percent=percent(kinds[kind], f"--{kind}"),
            steps=tuple(percent(part, "--steps") for part in steps.split(",")) if steps else (),
            maximum=percent(max_share, "--max-share") if max_share else usual.maximum,
            interval_s=usual.interval_s if interval is None else interval,
            criteria=Criteria(guards=tuple(map(guard, guards))),
            reason=reason,
        )
    )


def percent(text: str, option: str) -> float:
    """Return a percentage.

    Raises:
        RequestError: It is none.

    Example:
        >>> percent("10", "--canary"), percent("2.5 %", "--canary")
        (10.0, 2.5)
    """
    try:
        return float(text.strip().removesuffix("%"))
    except ValueError as error:
        raise RequestError(f"{option} is a percentage; {text!r} is none.", hint=f"{option} 10") from error


def guard(text: str) -> Guard:
    """Return a guard.

    Raises:
        RequestError: It is none.

    Example:
        >>> guard("conversion:2%").limit, guard("complaints:lower:0.1").better
        (0.02, 'lower')
    """
    said = _GUARD.fullmatch(text.strip())
    try:
        limit = float(said["limit"]) / (100 if said["percent"] else 1) if said else math.nan
    except ValueError:
        limit = math.nan
    if said is None or not math.isfinite(limit):
        raise RequestError(
            f"{text!r} is no guard.",
            why="It is the name of a metric, and how much worse it may get as a share of the control's mean.",
            hint="--guard conversion:2%; where lower is better: --guard complaints:lower:2%",
        )
    return Guard(metric=said["metric"], better="lower" if said["better"] == "lower" else "higher", limit=limit)
