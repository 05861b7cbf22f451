"""What a disk may hold after a power cut, from the log of what a process told it (see ``shim.c``).

POSIX promises that what was written is there after ``fsync`` of the file, and that a name is there after ``fsync`` of
its folder; of everything since then any part may be there or not. A :class:`Loss` chooses such a part, a
:class:`Disk` follows the log and shows what it would hold.

Source: POSIX.1-2017, ``fsync``, XBD 3.384 Synchronized I/O Completion; Pillai et al., "All File Systems Are Not Created
Equal", OSDI 2014 (names and data become durable independently of each other).
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

CREATE, WRITE, TRUNCATE, SYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR, MARK, UNSUPPORTED = range(1, 12)
KINDS = ("", "create", "write", "truncate", "sync", "rename", "link", "unlink", "mkdir", "rmdir", "mark", "unsupported")
_HEAD = struct.Struct("<IIIIQqQ")
_T = TypeVar("_T")


class Record(NamedTuple):
    """One change: what kind, of which inode, where in it, its names and its bytes."""

    kind: int
    inode: int
    offset: int
    first: str
    second: str
    content: bytes

    def __str__(self) -> str:
        return f"{KINDS[self.kind]} {self.first} {self.second}".strip()


def read_log(log: Path) -> list[Record]:
    """Read what a process did; a last record that was cut off by its death is left out."""
    content, at, records = log.read_bytes(), 0, []
    while at + _HEAD.size <= len(content):
        kind, first, second, _, inode, offset, size = _HEAD.unpack_from(content, at)
        start = at + _HEAD.size
        at = start + first + second + size
        if at > len(content):
            break
        names = content[start : start + first].decode(), content[start + first : start + first + second].decode()
        records.append(Record(kind, inode, offset, *names, content[start + first + second : at]))
        if kind == UNSUPPORTED:
            raise NotImplementedError(f"the log cannot be replayed: {records[-1]}")
    return records


@dataclass(eq=False)
class File:
    """A file: what surely is on the disk, and what was asked for since, in order."""

    durable: bytes = b""
    pending: list[Record] = field(default_factory=list)

    def content(self, kept: list[Record]) -> bytes:
        """Return the bytes if just some of the pending changes reached the disk."""
        found = bytearray(self.durable)
        for change in kept:
            end = change.offset + (len(change.content) if change.kind == WRITE else 0)
            found.extend(bytes(max(0, end - len(found))))
            if change.kind == WRITE:
                found[change.offset : end] = change.content
            else:
                del found[end:]
        return bytes(found)


@dataclass(eq=False)
class Folder:
    """A folder: the names that surely are on the disk, and those that came (or went: ``None``) since."""

    durable: dict[str, File | Folder] = field(default_factory=dict)
    pending: list[tuple[str, File | Folder | None]] = field(default_factory=list)

    def names(self, kept: list[tuple[str, File | Folder | None]]) -> dict[str, File | Folder]:
        """Return the names if just some of the pending changes reached the disk."""
        found = dict(self.durable)
        for name, node in kept:
            if node is None:
                found.pop(name, None)
            else:
                found[name] = node
        return found

    def now(self) -> dict[str, File | Folder]:
        """Return the names as a running process sees them."""
        return self.names(self.pending)


Choice = Callable[[list[_T]], list[_T]]


class Loss(NamedTuple):
    """What of the names and of the data that were not synced is there after a power cut."""

    name: str
    names: Choice[tuple[str, File | Folder | None]]
    data: Choice[Record]


def all_of(pending: list[_T]) -> list[_T]:
    """Keep everything."""
    return pending


def none_of(pending: list[_T]) -> list[_T]:
    """Lose everything."""
    return []


def torn(pending: list[Record]) -> list[Record]:
    """Keep everything, but of the last write only the first half."""
    if not pending or pending[-1].kind != WRITE:
        return pending
    last = pending[-1]
    return [*pending[:-1], last._replace(content=last.content[: len(last.content) // 2])]


def some(seed: int) -> Loss:
    """Keep some, whichever."""
    chance = random.Random(seed)

    def choose(pending: list[_T]) -> list[_T]:
        return [change for change in pending if chance.random() < 0.5]

    return Loss(f"some ({seed})", choose, choose)


LOST = Loss("all lost", none_of, none_of)
KEPT = Loss("all kept", all_of, all_of)
TORN = Loss("last write torn", all_of, torn)
NAMELESS = Loss("names lost, data kept", none_of, all_of)
LOSSES = (LOST, KEPT, TORN, NAMELESS, Loss("data lost, names kept", all_of, none_of))
"""The five that are always tried; ``some`` gives any number of others."""
Image = dict[str, bytes | None]
"""Content of every file and ``None`` for every folder, by relative path."""


class Disk:
    """A disk that follows a log, from a folder whose content surely is on it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = self._load(base)
        self._inodes: dict[int, File | Folder] = {}

    def _load(self, path: Path) -> Folder:
        folder = Folder()
        for child in path.iterdir():
            folder.durable[child.name] = self._load(child) if child.is_dir() else File(child.read_bytes())
        return folder

    def _parent(self, path: str) -> tuple[Folder, str]:
        *folders, name = Path(path).relative_to(self.base).parts
        here = self.root
        for part in folders:
            node = here.now()[part]
            assert isinstance(node, Folder)
            here = node
        return here, name

    def _node(self, record: Record) -> File | Folder:
        """Return what a record is about: what its inode is known to be, or what has its name."""
        if record.inode not in self._inodes:
            if Path(record.first) == self.base:
                return self.root
            folder, name = self._parent(record.first)
            self._inodes[record.inode] = folder.now()[name]
        return self._inodes[record.inode]

    def follow(self, record: Record) -> None:
        """Do what a process did."""
        match record.kind:
            case 1 | 8:
                self._inodes[record.inode] = node = Folder() if record.kind == MKDIR else File()
                if record.first:
                    self._name(record.first, node)
            case 2 | 3:
                node = self._node(record)
                assert isinstance(node, File)
                node.pending.append(record)
            case 4:
                self._sync(self._node(record))
            case 5 | 6:
                node = self._inodes[record.inode] if not record.first else self._at(record.first)
                self._inodes[record.inode] = node
                self._name(record.second, node)
                if record.kind == RENAME:
                    self._name(record.first, None)
            case 7 | 9:
                self._name(record.first, None)

    def _at(self, path: str) -> File | Folder:
        folder, name = self._parent(path)
        return folder.now()[name]

    def _name(self, path: str, node: File | Folder | None) -> None:
        folder, name = self._parent(path)
        gone = folder.now().get(name)
        if gone is not node:
            self._inodes = {inode: known for inode, known in self._inodes.items() if known is not gone}
        folder.pending.append((name, node))

    @staticmethod
    def _sync(node: File | Folder) -> None:
        if isinstance(node, File):
            node.durable = node.content(node.pending)
        else:
            node.durable = node.now()
        node.pending.clear()

    def image(self, loss: Loss) -> Image:
        """Return what is there after a power cut at this moment."""
        return dict(self._show(self.root, "", loss, {}))

    def _show(
        self, folder: Folder, path: str, loss: Loss, seen: dict[int, bytes]
    ) -> Iterator[tuple[str, bytes | None]]:
        for name, node in sorted(folder.names(loss.names(folder.pending)).items()):
            if name.endswith("-shm"):  # SQLite's shared memory: rebuilt whenever a database is opened
                continue
            if isinstance(node, Folder):
                yield path + name, None
                yield from self._show(node, f"{path}{name}/", loss, seen)
            else:
                if id(node) not in seen:  # a file with two names has one content
                    seen[id(node)] = node.content(loss.data(node.pending))
                yield path + name, seen[id(node)]


def write_image(image: Image, target: Path, modes: Path) -> None:
    """Write what a disk holds into a new folder; what the folder ``modes`` has, too, gets the mode it has there."""
    target.mkdir(parents=True)
    for name, content in image.items():
        path = target / name
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
        if (modes / name).exists():
            path.chmod((modes / name).stat().st_mode & 0o777)
