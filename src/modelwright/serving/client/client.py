"""``mw.Client``: the models of a server, asked as if they were here.

For: programs and notebooks. It waits for answers; :class:`modelwright.serving.client.async_client.AsyncClient` awaits
them. What is asked, and what answers mean, stands in :mod:`.asking`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from modelwright.plugins import need
from modelwright.serving.client.asking import Answered, Asking, Options
from modelwright.serving.client.served import ServedModel, check_method
from modelwright.serving.client.wire import Patience

if TYPE_CHECKING:
    from modelwright.serving.client.connection import Address


class Questions:
    """What both clients have in common: defaults, and the plans of a server. Arguments as :class:`Client` says."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        model: str = "",
        version: str = "",
        timeout_s: float = 30.0,
        retries: int = 3,
        batch_rows: int = 0,
        certificate: str = "",
    ) -> None:
        need("remote", "httpx2")
        from modelwright.serving.client.connection import Address, checked

        self.url = checked(url)
        self._defaults = Options(model, version, batch_rows=batch_rows, patience=Patience(timeout_s, retries))
        self._asking = Asking(self.url)
        self._open(Address(self.url, token or "", certificate=certificate))

    def _open(self, address: Address) -> None:
        """Make the connection that carries plans out."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Show where it leads, and not with which token."""
        return f"<{type(self).__name__} of {self.url}>"

    def __dir__(self) -> list[str]:
        """List the methods of the models that are known, too, without asking."""
        known = {method for model in self._asking.known.values() for method in model.methods}
        return sorted({*super().__dir__(), *known})

    @property
    def _patience(self) -> Patience:
        return self._defaults.patience

    def _options(self, model: str, version: str, unit: str, request_id: str, timeout_s: float | None) -> Options:
        patience = self._patience if timeout_s is None else self._patience._replace(timeout_s=timeout_s)
        given = self._defaults
        return given._replace(
            model=model or given.model,
            version=version or given.version,
            unit=unit,
            request_id=request_id,
            patience=patience,
        )


class Client(Questions):
    """Asks the models of a server; threads may share it.

    Besides :meth:`predict`, every method that the model has is there under its own name (``predict_proba`` …).

    Args:
        url: Address of the server, as ``modelwright serve`` prints it.
        token: Secret of a token, if the server asks for one.
        model: Name of the model, where the server has several.
        version: Version that is to answer; empty: whichever the server chooses.
        timeout_s: Longest time from a question to its answer, repetitions included, seconds.
        retries: How often a request is sent again that the server says it has not begun.
        batch_rows: Most rows of one request; more are sent in several. 0: all at once.
        certificate: PEM file with the certificates to trust; empty: those of the system.

    Raises:
        MissingExtraError: The HTTP client is not installed; one line installs it.
        UnreachableError: The address is none.

    Example:
        >>> Client("http://127.0.0.1:8080", timeout_s=5)
        <Client of http://127.0.0.1:8080>
    """

    def _open(self, address: Address) -> None:
        from modelwright.serving.client.connection import Connection

        self._connection = Connection(address)

    def predict(self, rows: Any, **how: Any) -> Any:
        """Return what the model predicts for rows, in the kind of container that they came in.

        Args:
            rows: A pandas, polars or PyArrow table, a NumPy array ``[n_rows, n_features]``, a list of dicts, or a
                dict of columns.
            how: As for :meth:`ask`.

        Raises:
            ModelwrightError: As :meth:`ask`.
        """
        return self.ask("predict", rows, **how).predictions

    def ask(
        self,
        method: str,
        rows: Any,
        *,
        model: str = "",
        version: str = "",
        unit: str = "",
        request_id: str = "",
        timeout_s: float | None = None,
    ) -> Answered:
        """Return what a method answers for rows, and which version and request it was.

        Args:
            method: Name of the method.
            rows: As for :meth:`predict`.
            model: Name of the model; empty: the client's, or the only one.
            version: Version that is to answer; empty: the client's, or whichever the server chooses.
            unit: What the request is about (a customer, a session): the same unit gets the same variant.
            request_id: Id of the request; empty: a new one.
            timeout_s: Longest time until the answer, seconds; ``None``: the client's.

        Raises:
            AttributeError: The model has no such method.
            ContainerError: The rows are in no container that is understood.
            SignatureError: The rows do not fit the signature; every problem is listed.
            UnknownModelError: There is no such model or version, or no name and several models.
            OverloadedError: The server has too much to do, also after repetitions.
            DeadlineError: The answer did not come in time.
            UnreachableError: No server answers at the address.
            ModelwrightError: Whatever else the server refuses, as it says it.
        """
        options = self._options(model, version, unit, request_id, timeout_s)
        return self._connection.run(self._asking.ask(method, rows, options))

    def __getattr__(self, name: str) -> Any:
        """Return a method that the model has."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no {name!r}.")
        check_method(name, self.model())
        return partial(self._call, name)

    def _call(self, method: str, rows: Any, **how: Any) -> Any:
        return self.ask(method, rows, **how).predictions

    def models(self) -> tuple[ServedModel, ...]:
        """Return the models of the server, without their signatures.

        Raises:
            ModelwrightError: The server refuses or cannot be reached.
        """
        return self._connection.run(self._asking.models(self._patience))

    def model(self, name: str = "") -> ServedModel:
        """Return one model with its signature and an example; by default the client's, or the only one.

        Raises:
            UnknownModelError: There is no such model, or no name and several.
        """
        return self._connection.run(self._asking.model(name or self._defaults.model, self._patience))

    def outcome(self, request_id: str, outcome: Mapping[str, Any], *, row: int = 0) -> None:
        """Tell the server what turned out to be true of a row of an earlier request.

        Args:
            request_id: Id of that request.
            outcome: What turned out, by name (``{"churned": True}``): truth values, numbers or texts.
            row: Which row of the request, from 0.

        Raises:
            OutcomeError: It is malformed, or the server keeps none.
        """
        self.outcomes([{"request_id": request_id, "row": row, "outcome": outcome}])

    def outcomes(self, told: Sequence[Mapping[str, Any]]) -> None:
        """Tell the server many outcomes at once: all are taken, or none.

        Args:
            told: Each with ``outcome``, and either ``request_id`` and ``row``, or ``unit`` and ``time`` (ISO 8601).

        Raises:
            OutcomeError: One is malformed, so that none was taken, or the server keeps none.
        """
        self._connection.run(self._asking.outcomes(told, self._patience))

    def close(self) -> None:
        """Close its connections."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
