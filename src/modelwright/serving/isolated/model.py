"""The model that ``mw.load`` gives: it looks like the package's own, and every call goes to its process.

Called by :mod:`.load`. One call at a time is under way; threads wait for one another. A process that was lost is
replaced by the next call.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from functools import partial
from types import TracebackType
from typing import Any, NoReturn

from modelwright.errors import DeadlineError, NotReadyError
from modelwright.runtime.suggestions import nearest
from modelwright.serving.isolated.process import Child
from modelwright.serving.isolated.returning import Returning
from modelwright.serving.isolated.rows import Fitter
from modelwright.serving.operating.preparing import Installed
from modelwright.spec.manifest import Manifest


class IsolatedModel:
    """A model in a process of its own.

    Besides :meth:`predict`, every method that the model has is there under its own name (``predict_proba`` …).
    Threads may share it; processes may not. The process ends with :meth:`close`, with the last reference to this
    object, and with this process, however that ends.

    Args:
        installed: The package in its environment.
        timeout_s: Longest time of a call, seconds; ``None``: as long as it takes.

    Attributes:
        manifest: The manifest of its package.
        name: Name of the package.
        version: Its version.
        digest: sha256 of its wheel.
        methods: Methods that it answers.

    Raises:
        ModelwrightError: The model cannot be loaded, or a scenario does not hold.
    """

    def __init__(self, installed: Installed, *, timeout_s: float | None = None) -> None:
        contract = installed.contract
        self.manifest: Manifest = contract.manifest
        self.name, self.version, self.digest = contract.name, contract.version, contract.digest
        self.methods: tuple[str, ...] = contract.methods
        self._title, self._timeout_s = contract.title, timeout_s
        self._fitter = Fitter(contract)
        self._returning = {method: Returning(method, contract) for method in self.methods}
        self._lock = threading.Lock()
        _loaded.add(self)
        self._child = Child(installed.launch, contract)
        self._end = weakref.finalize(self, _end, self._child, installed, os.getpid())
        try:
            self._child.start()
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        """Show name and version, and where it runs."""
        where = f"in process {self.pid}" if self.pid else "closed" if not self._end.alive else "not running"
        return f"<IsolatedModel {self._title}, {where}>"

    def __dir__(self) -> list[str]:
        """List the methods of the model, too."""
        return sorted({*super().__dir__(), *self.methods})

    def __getattr__(self, name: str) -> Any:
        """Return a method that the model has."""
        methods = self.__dict__.get("methods", ())
        if name in methods:
            return partial(self.call, name)
        meant = nearest(name, methods)
        advice = f" Did you mean {meant!r}?" if meant else ""
        raise AttributeError(f"This model has no {name!r}; it has {', '.join(methods)}.{advice}")

    def __reduce__(self) -> NoReturn:
        """Refuse to be sent elsewhere: its process stays here."""
        raise TypeError(
            f"{self._title} runs in a process of this program, and cannot be pickled or copied. "
            "Send the reference, and call mw.load there."
        )

    @property
    def pid(self) -> int:
        """Number of the process that holds the model; 0 if there is none at the moment."""
        return self._child.pid

    def predict(self, rows: Any, *, timeout_s: float | None = None) -> Any:
        """Return what the model predicts for rows, in the kind of container that they came in.

        Args:
            rows: A pandas, polars or PyArrow table, a NumPy array ``[n_rows, n_features]``, a list of dicts, or a
                dict of columns.
            timeout_s: Longest time until the answer, seconds; ``None``: the model's.

        Raises:
            ModelwrightError: As :meth:`call`.
        """
        return self.call("predict", rows, timeout_s=timeout_s)

    def call(self, method: str, rows: Any, *, timeout_s: float | None = None) -> Any:
        """Return what a method of the model answers for rows, in the kind of container that they came in.

        Args:
            method: Name of the method.
            rows: As for :meth:`predict`.
            timeout_s: Longest time until the answer, seconds; ``None``: the model's.

        Raises:
            AttributeError: The model has no such method.
            ContainerError: The rows are in no container that is understood.
            SignatureError: The rows do not fit the signature; every problem is listed.
            OutputError: The model failed, or answered what its signature does not allow.
            TooLargeError: The rows, or the answer, are more than a process is sent at once.
            DeadlineError: The answer did not come in time; the process was ended for it.
            WorkerError: The process ended meanwhile; the next call gets another one.
            NotReadyError: The model was closed.
        """
        limit = self._timeout_s if timeout_s is None else timeout_s
        until = None if limit is None else time.monotonic() + limit
        returning = self._returning.get(method) or self.__getattr__(method)
        fitted = self._fitter.fit(rows)
        if not fitted.size:
            self._check_open()
            return returning.nothing(fitted.kind, fitted.index)
        self._enter(until)
        try:
            self._check_open()
            values = self._child.ask(method, fitted, until)
        finally:
            self._lock.release()
        return returning.give(values, fitted)

    def _enter(self, until: float | None) -> None:
        """Wait for the calls of other threads."""
        if not self._lock.acquire(timeout=-1 if until is None else max(0.0, until - time.monotonic())):
            raise DeadlineError(
                f"{self._title} was not free in time.",
                why="Another thread's call was still under way; this one was not begun.",
                hint="Give it more time (timeout_s=…), or load the model once per thread.",
            )

    def _check_open(self) -> None:
        if not self._end.alive:
            raise NotReadyError(f"{self._title} was closed.", hint="Load it again: mw.load.")

    def close(self) -> None:
        """End its process; nothing can be asked any more."""
        self._end()

    def __enter__(self) -> IsolatedModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_loaded: weakref.WeakSet[IsolatedModel] = weakref.WeakSet()


def _unlock() -> None:
    """Give every model a lock of its own in a fork: it is a copy of a process whose threads may hold the other."""
    for model in _loaded:
        model._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


def _end(child: Child, installed: Installed, owner: int) -> None:
    """End the process and give its environment back, unless this process is a fork of the one that has them."""
    if os.getpid() == owner:
        child.end()
        installed.release()
    elif not child.forked():
        child.end()
