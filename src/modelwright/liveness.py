"""Whether a process of this machine is still there.

For: whoever finds what a process left behind, or said of itself, and must know whether it is coming back to it.
"""

from __future__ import annotations

import os


def lives(pid: int) -> bool:
    """Say whether there is a process of this number, whoever's it is; where that cannot be asked, there is.

    Example:
        >>> lives(os.getpid()), lives(2**22 + 1)
        (True, False)

    Source: POSIX, ``kill``: the null signal checks without sending anything.
    """
    if pid <= 0:  # would mean a group of processes
        return False
    if os.name == "nt":  # os.kill would end the process there
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):  # the latter: no system counts so far
        return False
    except OSError:
        return True
    return True
