"""Cut the power, or kill, at every change of one verb, and see what the next one who opens the registry finds.

For: ``test_reliability_crashes.py``, which tries a part, and ``benchmarks/registry_crash.py``, which tries everything.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from powercut import verbs
from powercut.replay import KEPT, LOSSES, MARK, WRITE, Disk, Image, Loss, Record, write_image
from powercut.running import Driver, fresh_copy
from powercut.standing import Standing, standing


@dataclass
class Tally:
    """How much was tried.

    Attributes:
        changes: Changes that the verb made to the disk.
        tried: Deaths: cuts times what may be lost, or kills.
        states: Different disks that were opened afterwards.
        old: How many of them held what was acknowledged and no more.
        new: How many held one thing more, which was under way.
        failures: What held anything else, or could not be opened.
    """

    changes: int = 0
    tried: int = 0
    states: int = 0
    old: int = 0
    new: int = 0
    failures: list[str] = field(default_factory=list)


class Course(NamedTuple):
    """How a verb goes when nothing happens.

    Attributes:
        records: What it did to the disk.
        marks: How many records there were when each thing was acknowledged.
        states: Where the registry stood at the beginning, and after each thing that was acknowledged.
    """

    records: list[Record]
    marks: list[int]
    states: list[Standing | None]


@dataclass
class Campaign:
    """One verb from one beginning.

    Attributes:
        driver: The preloaded process.
        verb: Name of a function in :mod:`powercut.verbs`.
        base: Folder to begin with; it is copied.
        scratch: Folder to work in.
        inside: Where below the folder the registry lies; it may not be there at the beginning.
        again: Whether the verb is done again where it was lost, which must lead to what it would have led to.
    """

    driver: Driver
    verb: str
    base: Path
    scratch: Path
    inside: str = ""
    again: bool = False

    @property
    def live(self) -> Path:
        """Where the verb is done: always at the same place, whose name the log has."""
        return self.scratch / "live"

    def begin(self) -> Path:
        """Put everything as it was at the beginning."""
        return fresh_copy(self.base, self.live)

    def course(self) -> Course:
        """Do the verb undisturbed, and look at the disk whenever something was acknowledged."""
        run = self.driver.run(f"powercut.verbs:{self.verb}", self.begin())
        assert not run.error, run.error
        marks = [number for number, record in enumerate(run.records, start=1) if record.kind == MARK]
        disk = Disk(self.begin())
        states = [self.look(disk.image(KEPT))]
        for number, record in enumerate(run.records, start=1):
            disk.follow(record)
            if number in marks:
                states.append(self.look(disk.image(KEPT)))
        return Course(run.records, marks, states)

    def look(self, image: Image) -> Standing | None:
        """Open what a disk holds; ``None``: there is no registry at all, as before there was one."""
        place = self.put(image) / self.inside
        return standing(place) if (place / ".registry").exists() else None

    def put(self, image: Image) -> Path:
        """Write what a disk holds into a folder, in place of the one before."""
        place = self.scratch / "cut"
        shutil.rmtree(place, ignore_errors=True)
        write_image(image, place, modes=self.base)
        return place

    def cut_everywhere(self, *, every: int = 1, losses: Iterable[Loss] = LOSSES) -> Tally:
        """Cut the power at each change; whatever is left must hold the old state or the new one.

        Args:
            every: Of several writes in a row, cut only at each so-manieth; at every sync and every name in any case.
            losses: What may be lost; each gives one disk for every cut.
        """
        course = self.course()
        tally = Tally(changes=sum(record.kind != MARK for record in course.records))
        wanted, losses = set(_cuts(course.records, every)), tuple(losses)
        disk, seen = Disk(self.begin()), set[tuple[int, str]]()
        for number in range(len(course.records) + 1):
            if number:
                disk.follow(course.records[number - 1])
            if number not in wanted:
                continue
            acknowledged = sum(mark <= number for mark in course.marks)
            for loss in losses:
                image = disk.image(loss)
                tally.tried += 1
                key = (acknowledged, _fingerprint(image))
                if key not in seen:
                    seen.add(key)
                    last = course.records[number - 1] if number else "nothing"
                    self.judge(image, course, acknowledged, f"{loss.name} after change {number}, {last}", tally)
        return tally

    def kill_everywhere(self, *, every: int = 1, half: bool = False) -> Tally:
        """Kill -9 before each change (before each ``every``-th); with ``half``, in the middle of each write."""
        course = self.course()
        tally = Tally(changes=sum(record.kind != MARK for record in course.records))
        for number in range(1, tally.changes + 1, every):
            run = self.driver.run(f"powercut.verbs:{self.verb}", self.begin(), kill=number, half=half)
            tally.tried += 1
            assert run.killed, f"{self.verb} ended before its change {number}: {run.error}"
            last = run.records[-1] if run.records else "nothing"
            self.judge(None, course, len(run.acknowledged), f"killed before change {number}, after {last}", tally)
        return tally

    def judge(self, image: Image | None, course: Course, acknowledged: int, which: str, tally: Tally) -> None:
        """See which state a disk holds, and count it; without an image: what a killed process left."""
        tally.states += 1
        place = (self.live if image is None else self.scratch / "cut") / self.inside
        try:
            if image is not None:
                self.put(image)
            found = standing(place) if (place / ".registry").exists() else None
            if self.again and found == course.states[0]:
                getattr(verbs, self.verb)(place, lambda what: None)
                assert standing(place) == course.states[-1], "done again, it leads elsewhere"
        except Exception as error:  # a campaign counts what it finds
            tally.failures.append(f"{self.verb}, {which}: {type(error).__name__}: {error}")
            return
        if found == course.states[acknowledged]:
            tally.old += 1
        elif acknowledged + 1 < len(course.states) and found == course.states[acknowledged + 1]:
            tally.new += 1
        else:
            tally.failures.append(f"{self.verb}, {which}: {_difference(found, course.states[acknowledged])}")


def _cuts(records: list[Record], every: int) -> Iterator[int]:
    for number, record in enumerate(records):
        in_a_row = number > 0 and record.kind == WRITE and records[number - 1].kind == WRITE
        if not in_a_row or number % every == 0:
            yield number
    yield len(records)


def _fingerprint(image: Image) -> str:
    digest = hashlib.sha256()
    for name, content in image.items():
        digest.update(f"{name}\0{-1 if content is None else len(content)}\0".encode())
        digest.update(content or b"")
    return digest.hexdigest()


def _difference(found: Standing | None, wanted: Standing | None) -> str:
    if found is None or wanted is None:
        return f"{'a' if found else 'no'} registry, and there was {'one' if wanted else 'none'}"
    pages = {name for name in found.pages.keys() | wanted.pages if found.pages.get(name) != wanted.pages.get(name)}
    parts = [name for name in ("projects", "log") if getattr(found, name) != getattr(wanted, name)]
    return f"neither old nor new; other than what was acknowledged: {', '.join([*parts, *sorted(pages)])}"
