"""Every power cut and every kill -9, at every change that a verb of the registry makes to the disk.

For each verb: the power is cut after each change, and what was not synced is lost, kept, half there, or there in
part, five ways and ``--seeds`` random ones; and a process is killed before each change and in the middle of each
write. Each time the registry is opened, healed, checked and, if the verb was lost, asked to do it again. Prints a
table; the raw counts go to ``benchmarks/results/registry_crash.json``. Needs a C compiler. About ten minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "registry"))
from powercut import verbs
from powercut.campaign import Campaign, Tally
from powercut.replay import LOSSES, some
from powercut.running import Driver, build_shim
from registry_wheels import model_wheel

RESULTS = Path(__file__).parent / "results" / "registry_crash.json"
VERBS = ("publish", "promote", "rollback", "yank", "delete", "create", "day")


def campaign(driver: Driver, verb: str, scratch: Path) -> Campaign:
    """Return the campaign about one verb, from the beginning that it needs."""
    if verb == "create":
        return Campaign(driver, verb, scratch / "empty", scratch, inside="models/registry")
    return Campaign(driver, verb, scratch / "base", scratch, again=verb != "day")


def row(verb: str, death: str, tally: Tally, seconds: float) -> dict[str, object]:
    """Print a row of the table; return it with the failures."""
    print(
        f"{verb:<10}{death:<16}{tally.changes:>8}{tally.tried:>8}{tally.states:>8}"
        f"{tally.old:>7}{tally.new:>7}{len(tally.failures):>9}{seconds:>8.0f}",
        flush=True,
    )
    for failure in tally.failures[:5]:
        print("   ", failure[:400], flush=True)
    return {"verb": verb, "death": death, "seconds": round(seconds), **asdict(tally)}


def main() -> None:
    """Try everything and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("verbs", nargs="*", default=VERBS)
    chosen = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / "wheels").mkdir()
        (scratch / "empty").mkdir()
        for version in verbs.VERSIONS:
            model_wheel(scratch / "wheels", version)
        verbs.prepare(scratch / "base")
        driver = Driver(build_shim(scratch), scratch, *sorted((scratch / "wheels").iterdir())[:2])
        print(
            f"{'verb':<10}{'death':<16}{'changes':>8}{'tried':>8}{'disks':>8}{'old':>7}{'new':>7}{'neither':>9}{'s':>8}"
        )
        for verb in chosen.verbs:
            start = time.perf_counter()
            tally = campaign(driver, verb, scratch).cut_everywhere(losses=[*LOSSES, *map(some, range(chosen.seeds))])
            rows.append(row(verb, "power cut", tally, time.perf_counter() - start))
            for half in (False, True):
                start = time.perf_counter()
                tally = campaign(driver, verb, scratch).kill_everywhere(half=half)
                rows.append(row(verb, "kill, half" if half else "kill", tally, time.perf_counter() - start))
            RESULTS.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
        driver.close()
    sys.exit(any(one["failures"] for one in rows))


if __name__ == "__main__":
    main()
