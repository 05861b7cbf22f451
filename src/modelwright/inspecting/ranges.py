"""A file that lies elsewhere as a seekable stream, of which only the blocks that are looked at are moved.

Called by :mod:`.remote` and :mod:`modelwright.registry.storing.objects`. It does not know where the bytes come from.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined,unused-ignore]

BLOCK = 64 * 2**10
"""Bytes asked for at least; the directory of most wheels fits into one."""
KEPT_BLOCKS = 128
"""Blocks remembered, so 8 MiB of memory at most."""
LARGE = 4 * 2**20
"""Reads from this size on go past the remembered blocks, in requests of this size, bytes."""


class RangeStream(io.RawIOBase):
    """A read-only, seekable view of something that can be read by ranges.

    Args:
        fetch: Returns the bytes from a position to another one, exactly; called with ``start < stop <= size``.
        size: Size of the whole, bytes.
        tail: The last bytes of it, as far as they are known already.

    Example:
        >>> stream = RangeStream(lambda start, stop: b"0123456789"[start:stop], 10)
        >>> stream.seek(-3, 2), stream.read(2), stream.read()
        (7, b'78', b'9')
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int, *, tail: bytes = b"") -> None:
        super().__init__()
        self._fetch, self._size, self._tail = fetch, size, tail
        self._tail_start = size - len(tail)
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the position, bytes from the start."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position; nothing is fetched."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise ValueError(f"negative seek position {origin + offset}")
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        """Read at most one block into a buffer; 0 is the end."""
        view = memoryview(buffer).cast("B")
        piece = self._piece(self._position)[: len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read exactly so many bytes, fewer only at the end of the file."""
        end = self._size if size is None or size < 0 else min(self._position + size, self._size)
        pieces = []
        while self._position < end:
            wanted = end - self._position
            if wanted >= LARGE and self._position < self._tail_start:
                piece = self._fetch(self._position, min(self._position + LARGE, self._tail_start))
            else:
                piece = self._piece(self._position)[:wanted]
            pieces.append(piece)
            self._position += len(piece)
        return b"".join(pieces)

    def _piece(self, position: int) -> bytes:
        """Return the bytes from a position to the end of the block it is in."""
        if position >= self._size:
            return b""
        if position >= self._tail_start:
            return self._tail[position - self._tail_start :]
        number = position // BLOCK
        if number in self._blocks:
            self._blocks.move_to_end(number)
        else:
            self._blocks[number] = self._fetch(number * BLOCK, min((number + 1) * BLOCK, self._size))
            while len(self._blocks) > KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        return self._blocks[number][position - number * BLOCK :]
