"""The loop that runs inside a model's own environment: load, warm, answer batches, one after another.

Started by :mod:`.process` as a script, with the environment's own Python, so nothing of ours is installed there: it is
standard library only, and what it needs of the model is the runtime that the wheel carries. In-process serving uses its
:class:`Session` directly. It writes nothing but to its socket, and ends when the socket does.

A frame, in both directions: two unsigned 32-bit numbers, little-endian, the lengths of a JSON head and of a payload;
then both. A large payload may lie in memory that both ends see instead: its length is ``shared`` in the head then.
Numbers in payloads are in native byte order: both ends are on one machine.
"""

from __future__ import annotations

import gc
import json
import os
import re
import struct
import sys
import time
from array import array
from importlib import import_module
from typing import Any

LENGTHS = struct.Struct("<II")
SHARED = 16 * 2**20
"""Size of the memory that both ends see, bytes; a payload that is larger goes through the socket."""
START = 16
"""Where payloads begin in it, bytes: where malloc lets large arrays begin in their page. What vector units add up
differs in the last bit with where rows begin, and answers should be those of the model alone."""
WORTH_SHARING = 2**40
"""A payload of so many bytes goes through shared memory; a smaller one is sent with its head."""
_write = json.JSONEncoder(separators=(",", ":")).encode
_BY_VALUE = "fiub"
"""Kinds of NumPy dtypes that go as bytes; everything else goes as JSON."""


class Session:
    """A loaded model, and how a batch is put to it.

    Args:
        package: Import name of the package.
        trust: Types that the operator vouches for.

    Attributes:
        model: The loaded model, as the runtime of the package gives it.
    """

    def __init__(self, package: str, trust: list[str]) -> None:
        self.model: Any = import_module(f"{package}.model").load(trust=trust)
        self._runtime = f"{package}.model._runtime"
        self._encode = import_module(f"{self._runtime}.encoding").encode
        outputs = self.model.manifest["signature"]["outputs"]
        self._floats = {output["name"] for output in outputs if output["datatype"].startswith("float")}
        decoder = import_module(f"{self._runtime}.encoding").decoder
        inputs = self.model.manifest["signature"]["inputs"]
        special = ("float", "bytes")
        self._decoders = {
            field["name"]: decoder(field) for field in inputs if field["datatype"].rstrip("0123456789") in special
        }
        if self.model.manifest["signature"]["container"] == "pandas":
            self._decoders |= {field["name"]: _fine_time for field in inputs if field["datatype"] == "datetime"}
        self._sent: dict[Any, Any] = {}
        self._names = [field["name"] for field in inputs]
        self._framed = self.model.manifest["signature"]["container"] in ("pandas", "numpy")

    def warm(self) -> list[dict[str, Any]]:
        """Run the scenarios of the package, and say what does not hold: name and problems of each that fails."""
        folder = sys.modules[f"{self._runtime.removesuffix('._runtime')}"].__path__[0]
        scenarios = import_module(f"{self._runtime}.scenarios")
        listed = import_module(f"{self._runtime}.documents").read_scenarios(_path(folder, "scenarios.jsonl"))
        results = [scenarios.run_scenario(self.model, scenario) for scenario in listed]
        return [{"name": result.name, "problems": result.problems[:20]} for result in results if not result.passed]

    def answer(
        self, methods: list[str], size: int, block: Any, columns: dict[str, Any] | None, judged: Any = False
    ) -> list[tuple[str, str, list[int], Any]]:
        """Return what methods of the model answer for a batch.

        Args:
            methods: Methods to call.
            size: Number of rows.
            block: Bytes of float64 ``[size, n_fields]``; ``None`` if there are columns.
            columns: Values per field; lists of JSON values, or arrays of numbers.
            judged: Whether the columns were judged already, and are in normal form.

        Returns:
            Per output: name, dtype, shape of one row's value, and bytes; or name, nothing, ``[]`` and a list.
        """
        rows: Any
        if block is not None:
            numpy = import_module("numpy")
            rows = numpy.frombuffer(block, dtype="float64").reshape(size, len(self._names))
        elif judged and hasattr(self.model, "answer_judged"):
            return self._values(self.model.answer_judged(columns, size, tuple(methods)))
        else:
            rows = {name: self._column(name, values) for name, values in (columns or {}).items()}
        return self._ask(methods, rows)

    def numbers(self, values: Any) -> Any:
        """Return an array of numbers as the model's container is built from it: NumPy's, or a list of Python's own."""
        return import_module("numpy").asarray(values) if self._framed else values.tolist()

    def _values(self, answered: dict[str, Any]) -> list[tuple[str, str, list[int], Any]]:
        return [self._value(name, column) for name, column in answered.items()]

    def answer_array(
        self, methods: list[str], block: Any, form: dict[str, Any]
    ) -> list[tuple[str, str, list[int], Any]]:
        """Return what methods of the model answer for an array, as :meth:`answer` does.

        Args:
            methods: Methods to call.
            block: Its bytes.
            form: ``dtype``, ``shape``, ``order`` (``C`` or ``F``: sums over rows of another order differ in the last
                bit), and ``framed``: whether the model is to get it as a pandas frame.
        """
        numpy = import_module("numpy")
        array = numpy.frombuffer(block, dtype=form["dtype"]).reshape(form["shape"], order=form["order"])
        if form["framed"]:  # a copy would be laid out in an order of pandas' own
            return self._ask(methods, import_module("pandas").DataFrame(array, columns=self._names, copy=False))
        return self._ask(methods, array)

    def _ask(self, methods: list[str], rows: Any) -> list[tuple[str, str, list[int], Any]]:
        ask = getattr(self.model, "answer_values", None)
        if ask is not None:
            return self._values(ask(rows, tuple(methods)))
        lists = self.model.answer_lists(rows)  # a runtime from before 0.2
        wanted = {
            output["name"]
            for output in self.model.manifest["signature"]["outputs"]
            if output.get("method", "predict") in methods
        }
        return [(name, "", [], self._encoded(name, values)) for name, values in lists.items() if name in wanted]

    def _column(self, name: str, values: Any) -> Any:
        decode = self._decoders.get(name)
        if decode is None or not isinstance(values, list):
            return values
        return [decode(value) for value in values]

    def _value(self, name: str, column: Any) -> tuple[str, str, list[int], Any]:
        dtype = getattr(column, "dtype", None)
        if type(column).__module__ != "numpy" or dtype is None or dtype.kind not in _BY_VALUE:
            return name, "", [], self._encoded(name, column.tolist() if hasattr(column, "tolist") else list(column))
        sent = self._sent.get(dtype)
        if sent is None:
            sent = self._sent[dtype] = _sent_as(dtype)
        if sent != dtype:
            column = column.astype(sent)
        return name, sent.name, list(column.shape[1:]), column.tobytes()

    def _encoded(self, name: str, values: list[Any]) -> Any:
        """Return the values of an output as JSON holds them; NaN is a number only where floats are answered."""
        return self._encode(values if name in self._floats else _nan_missing(values))


def _sent_as(dtype: Any) -> Any:
    """Return the dtype that numbers are sent as: of the machine's byte order, and one that C has a type for."""
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):  # half and extended precision
        return import_module("numpy").dtype("float32" if dtype.itemsize == 2 else "float64")
    return dtype.newbyteorder("=")


def _nan_missing(value: Any) -> Any:
    """Return a value without NaN in it, which stands for what is missing among texts, and in objects."""
    if isinstance(value, float):
        return None if value != value else value
    if isinstance(value, dict):
        return {key: _nan_missing(element) for key, element in value.items()}
    if isinstance(value, list | tuple):
        return [_nan_missing(element) for element in value]
    return _nan_missing(value.tolist()) if type(value).__module__ == "numpy" else value


def _fine_time(value: Any) -> Any:
    """Return a time with nanoseconds as pandas holds it; Python's own have none, so the runtime would cut them off."""
    if isinstance(value, str) and re.search(r"\.\d{9}(?!\d)", value):
        return import_module("pandas").Timestamp(value)
    return value


def _path(folder: str, name: str) -> Any:
    return import_module("pathlib").Path(folder, name)


def settle() -> None:
    """Take what was loaded out of the garbage collector's sight: scanning it again and again costs whole milliseconds.

    Source: CPython documentation of :func:`gc.freeze`.
    """
    gc.collect()
    gc.freeze()


class Channel:
    """Frames over a connected socket.

    Args:
        descriptor: Its file descriptor.
        shared: File descriptor of memory that the other end sees as well; -1: there is none.
    """

    def __init__(self, descriptor: int, shared: int = -1) -> None:
        import socket

        self._socket = socket.socket(fileno=descriptor)
        self._buffer = bytearray(2**20)
        self._shared = memoryview(b"")
        if shared >= 0:
            import mmap

            self._shared = memoryview(mmap.mmap(shared, SHARED))[START:]
            os.close(shared)

    def receive(self) -> tuple[dict[str, Any], memoryview] | None:
        """Return the next head and payload; ``None`` when the other end is gone.

        Nothing but one frame is ever under way, so that a small one comes with one call of the system.
        """
        there = self._fill(0, LENGTHS.size)
        if not there:
            return None
        head, payload = LENGTHS.unpack_from(self._buffer)
        start = LENGTHS.size + head
        stop = start + payload
        if stop > len(self._buffer):
            self._buffer = self._buffer[:there] + bytes(stop - there)
        if there < stop and not self._fill(there, stop):
            return None
        view = memoryview(self._buffer)
        told = json.loads(bytes(view[LENGTHS.size : start]))
        return told, self._shared[: told["shared"]] if "shared" in told else view[start:stop]

    def _fill(self, start: int, stop: int) -> int:
        """Receive until the buffer is filled at least so far; return how far it is, 0 when the other end is gone."""
        view = memoryview(self._buffer)
        while start < stop:
            count = self._socket.recv_into(view[start:])
            if not count:
                return 0
            start += count
        return start

    def send(self, head: dict[str, Any], payload: bytes = b"") -> None:
        """Send a head and a payload."""
        if WORTH_SHARING <= len(payload) <= len(self._shared):
            self._shared[: len(payload)] = payload
            head, payload = {**head, "shared": len(payload)}, b""
        text = _write(head).encode()
        self._socket.sendall(LENGTHS.pack(len(text), len(payload)) + text + payload)


def answered(session: Session, head: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], bytes]:
    """Return head and payload of the answer to one batch."""
    columns: Any = head.get("columns")
    for name, (code, start, stop) in head.get("arrays", {}).items():
        columns[name] = array(code)
        columns[name].frombytes(payload[start:stop])
        if head.get("judged"):
            columns[name] = session.numbers(columns[name])
    begun = time.perf_counter()
    if "array" in head:
        found = session.answer_array(head["methods"], payload, head["array"])
    else:
        block = payload if columns is None else None
        found = session.answer(head["methods"], head["size"], block, columns, head.get("judged", False))
    taken = time.perf_counter() - begun
    outputs, parts, place = [], [], 0
    for name, dtype, shape, data in found:
        if dtype:
            outputs.append([name, dtype, shape, place, place + len(data)])
            parts.append(data)
            place += len(data)
        else:
            outputs.append([name, data])
    return {"id": head["id"], "seconds": taken, "outputs": outputs}, b"".join(parts)


def refusal(error: BaseException) -> dict[str, Any]:
    """Return an error as plain data; one that nobody designed has no code."""
    to_dict = getattr(error, "to_dict", None)
    if to_dict is not None:
        return dict(to_dict())
    return {"error": f"{type(error).__name__}: {error}", "code": ""}


def serve(channel: Channel, session: Session) -> None:
    """Answer until the other end is gone."""
    while (message := channel.receive()) is not None:
        head, payload = message
        try:
            if "warm" in head:
                failed = session.warm()
                settle()
                channel.send({"id": head["id"], "failed": failed})
            else:
                channel.send(*answered(session, head, payload))
        except OSError:
            raise
        except Exception as error:  # whatever the model raises, its process goes on
            channel.send({"id": head["id"], "refusal": refusal(error)})


def _end_with_parent() -> None:
    """Ask the kernel to end this process with the thread that started it, which it cannot notice while it computes."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL: prctl(2)


def main(arguments: list[str]) -> int:
    """Run the loop: ``loop.py DESCRIPTOR SHARED``; the first frame says which package."""
    _end_with_parent()
    channel = Channel(*map(int, arguments))
    message = channel.receive()
    if message is None:
        return 0
    head, _ = message
    begun = time.perf_counter()
    try:
        session = Session(head["package"], head["trust"])
    except Exception as error:  # whatever loading raises, the server is told
        channel.send({"id": head["id"], "refusal": refusal(error)})
        return 1
    channel.send({"id": head["id"], "seconds": time.perf_counter() - begun, "pid": os.getpid()})
    serve(channel, session)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
