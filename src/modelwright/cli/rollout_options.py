"""What ``modelwright rollout`` is told, as the request that the admin API takes.

For: :mod:`.rollout`. Words in, data out: percentages are what people type, shares between 0 and 1 are sent.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from modelwright.errors import RequestError
from modelwright.inspecting.read import read
from modelwright.registry.references import parse_reference
from modelwright.serving.deployment_file import is_path
from modelwright.spec.struct import Frozen

_GUARD = re.compile(r"(?P<metric>[^:]+)(?::(?P<better>higher|lower))?:(?P<limit>[0-9.]+)(?P<percent>%?)")


class RolloutGuard(Frozen, frozen=True, kw_only=True):
    """A metric that must not get worse.

    Attributes:
        metric: Its name.
        better: Which way is better.
        limit: How much worse the new version may be, as a share of the control's mean.
    """

    metric: str
    better: Literal["higher", "lower"] = "higher"
    limit: float


class RolloutRequest(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """How a version is rolled out; exactly one of canary, A/B and shadow.

    Attributes:
        reference: The version.
        canary: Its first share of the requests; it grows.
        ab: Its share of the requests; it stays.
        shadow: Whether it is asked as well, and nobody sees its answer.
        steps: Shares of a canary in order; empty: the server's.
        interval_s: Time from check to check, seconds.
        max_share: Share that a canary does not grow beyond.
        guards: Metrics that must not get worse.
        reason: Why, for the log.
    """

    reference: str
    canary: float | None = None
    ab: float | None = None
    shadow: bool = False
    steps: tuple[float, ...] = ()
    interval_s: float | None = None
    max_share: float | None = None
    guards: tuple[RolloutGuard, ...] = ()
    reason: str = ""


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
    canary: str = "",
    ab: str = "",
    shadow: bool = False,
    steps: str = "",
    interval: float | None = None,
    max_share: str = "",
    guards: Sequence[str] = (),
    reason: str = "",
) -> RolloutRequest:
    """Return the request that the options say.

    Raises:
        RequestError: They contradict one another, or one is no share, time or guard.

    Example:
        >>> request_of("churn==1.3.0", canary="10", steps="10,50,100%").steps
        (0.1, 0.5, 1.0)
    """
    chosen = [name for name, said in (("--canary", canary), ("--ab", ab), ("--shadow", shadow)) if said]
    if len(chosen) != 1:
        raise RequestError(
            f"{' and '.join(chosen)} exclude one another." if chosen else "How is it rolled out?",
            hint="--canary 10 (a growing share), --ab 50 (a fixed share) or --shadow (asked as well, seen by nobody).",
        )
    growing = {"--steps": steps, "--max-share": max_share, "--interval": interval, "--guard": guards}
    useless = [name for name, said in growing.items() if said and not canary]
    if useless:
        raise RequestError(
            f"{useless[0]} is of a canary, and this is {chosen[0]}.", hint="Use --canary, or leave it out."
        )
    if interval is not None and not (0 < interval < math.inf):
        raise RequestError("--interval is a time above 0, seconds.", hint="--interval 60")
    shares = tuple(share(part, "--steps") for part in steps.split(",")) if steps else ()
    if list(shares) != sorted(set(shares)):
        raise RequestError("--steps grow.", why=f"They are {steps}.", hint="--steps 10,25,50,100")
    first = share(canary, "--canary") if canary else None
    if shares and first is not None and shares[0] < first:
        raise RequestError("--steps begin below --canary.", hint=f"--steps {canary},…")
    return RolloutRequest(
        reference=reference,
        canary=first,
        ab=share(ab, "--ab", below=100) if ab else None,
        shadow=shadow,
        steps=shares,
        interval_s=interval,
        max_share=share(max_share, "--max-share") if max_share else None,
        guards=tuple(map(guard, guards)),
        reason=reason,
    )


def share(text: str, option: str, *, below: float = math.inf) -> float:
    """Return a share of the requests, between 0 and 1, from a percentage.

    Raises:
        RequestError: It is none.

    Example:
        >>> share("10", "--canary"), share("2.5 %", "--canary")
        (0.1, 0.025)
    """
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = math.nan
    if not 0 < percent <= 100 or percent >= below:
        most = "at most 100" if below == math.inf else f"below {below:g}"
        raise RequestError(f"{option} is a percentage above 0 and {most}; {text!r} is none.", hint=f"{option} 10")
    return percent / 100


def guard(text: str) -> RolloutGuard:
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
            why="It is the name of a metric and how much worse it may get, as a share of the control's mean.",
            hint="--guard conversion:2%; where lower is better: --guard complaints:lower:2%",
        )
    return RolloutGuard(metric=said["metric"], better="lower" if said["better"] == "lower" else "higher", limit=limit)
