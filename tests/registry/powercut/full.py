"""Do a verb on a disk with a little room left, then make room; run as a script where a file system can be mounted.

Arguments: folder with the registry to begin with (``base``) and ``wheels``, a folder to mount on, the verb, then how
many bytes to leave free, any number of times. Prints one JSON object for each.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SIZE = 24 * 2**20
"""Size of the whole file system, bytes."""


def attempt(scratch: Path, disk: Path, verb: str, free: int) -> dict[str, Any]:
    """Say what the verb answered, whether anything changed, and what the log gained once it was done with room."""
    from powercut import verbs
    from powercut.standing import standing

    from modelwright.errors import UnavailableError

    live = disk / "live"
    shutil.copytree(scratch / "base", live)
    (disk / "wheels").symlink_to(scratch / "wheels")
    before = standing(live)
    status = os.statvfs(disk)
    (disk / "ballast").write_bytes(bytes(status.f_bavail * status.f_frsize - free))
    answer, acknowledged = "", list[str]()
    try:
        getattr(verbs, verb)(live, acknowledged.append)
    except UnavailableError as error:
        answer = str(error)
    (disk / "ballast").unlink()
    after = standing(live)
    left = [path.name for path in (live / ".registry" / "incoming").iterdir()]
    if after == before:
        getattr(verbs, verb)(live, acknowledged.append)
    again = standing(live)
    return {
        "free": free,
        "error": answer,
        "acknowledged": bool(acknowledged) and not answer,
        "changed": after != before,
        "left": left,
        "added": [[one["action"], one["outcome"]] for one in json.loads(again.log)[len(json.loads(before.log)) :]],
    }


def main(scratch: str, disk: str, verb: str, *sizes: str) -> None:
    """Mount a new file system for each attempt."""
    sys.path[0] = str(Path(__file__).parents[1])  # so that this package is found by its name
    for free in sizes:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", disk], check=True)
        print(json.dumps(attempt(Path(scratch), Path(disk), verb, int(free))), flush=True)
        subprocess.run(["umount", "--lazy", disk], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
