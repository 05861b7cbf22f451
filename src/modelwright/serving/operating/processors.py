"""How many processors a server may use: those it is bound to, and no more than its control group has time for.

For the number of threads of a model's numerical libraries. A library that starts one for each processor of the machine,
where it may use one, makes threads wait for each other: 100 trees of a boosted model took 600 system calls a request.

Source: sched_getaffinity(2); Linux kernel, "Control Group v2", ``cpu.max``; "CFS Bandwidth Control" for version 1.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
SELF = Path("/proc/self/cgroup")


def processors() -> int:
    """Return how many processors this process may use, at least 1."""
    bound = getattr(os, "sched_getaffinity", None)
    there = len(bound(0)) if bound is not None else os.cpu_count() or 1
    return max(1, math.ceil(min(there, quota())))


def quota(groups: Path = GROUPS, own: Path = SELF) -> float:
    """Return the processors' worth of time that this process's control groups have; infinity: as much as there is.

    Args:
        groups: Where control groups are mounted.
        own: Where the kernel says which one this process is in.
    """
    shares = [math.inf]
    folder = groups
    with suppress(OSError, ValueError):
        path = next(line.partition("::")[2] for line in own.read_text().splitlines() if line.startswith("0::"))
        folder = groups / path.lstrip("/")
    while folder == groups or groups in folder.parents:  # a group has no more than those above it
        with suppress(OSError, ValueError):
            most, period = (folder / "cpu.max").read_text().split()
            shares.append(float(most if most != "max" else "inf") / float(period))
        folder = folder.parent
    with suppress(OSError, ValueError):
        most, period = ((groups / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        shares.append(float(most) / float(period) if float(most) > 0 else math.inf)
    return min(shares)
