"""What a server says of its models, and which one is meant.

For: the plans beside this module, and whoever asks a client for ``models()``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelwright.errors import UnknownModelError
from modelwright.runtime.suggestions import nearest
from modelwright.spec.struct import Frozen


class ServedVariant(Frozen, frozen=True, kw_only=True):
    """One version of a served model.

    Attributes:
        name: Its name in the deployment.
        version: Version of the package.
        role: ``live`` or ``shadow``.
        weight: Its share, relative to the other live ones.
        ready: Whether it can answer now.
    """

    name: str = ""
    version: str = ""
    role: str = "live"
    weight: float = 1.0
    ready: bool = True


class ServedModel(Frozen, frozen=True, kw_only=True):
    """One model of a server.

    Attributes:
        name: Name that it is served under.
        version: Version that stands for it: that of the control.
        digest: sha256 of its wheel.
        methods: Methods that it answers.
        ready: Whether it can answer now.
        versions: Versions that can be asked for by number.
        variants: What is deployed of it.
        signature: Its signature; only where one model was asked for.
        example: Rows that surely fit.
    """

    name: str
    version: str = ""
    digest: str = ""
    methods: tuple[str, ...] = ("predict",)
    ready: bool = True
    versions: tuple[str, ...] = ()
    variants: tuple[ServedVariant, ...] = ()
    signature: dict[str, Any] | None = None
    example: tuple[dict[str, Any], ...] = ()

    @property
    def deployed(self) -> frozenset[str]:
        """All versions that may answer."""
        return frozenset((self.version, *self.versions, *(variant.version for variant in self.variants)))


class ServedModels(Frozen, frozen=True, kw_only=True):
    """The models of a server."""

    models: tuple[ServedModel, ...]


def chosen(names: Sequence[str], *, where: str) -> str:
    """Return the name of the only model.

    Args:
        names: Names of the models that the server has.
        where: The server's address.

    Raises:
        UnknownModelError: There are several, or none.

    Example:
        >>> chosen(["churn"], where="http://127.0.0.1:8080")
        'churn'
    """
    if len(names) == 1:
        return names[0]
    if not names:
        raise UnknownModelError("The server has no models.", where=where)
    raise UnknownModelError(
        f"Which model? The server has {len(names)}.",
        where=where,
        why=f"They are {', '.join(names)}.",
        hint=f"Say it: model={names[0]!r}.",
    )


def check_method(method: str, model: ServedModel) -> None:
    """Refuse a method that a model does not have, as the model itself does.

    Raises:
        AttributeError: It has none of that name.
    """
    if method not in model.methods:
        meant = nearest(method, model.methods)
        advice = f" Did you mean {meant!r}?" if meant else ""
        raise AttributeError(f"{model.name} has no {method!r}; it has {', '.join(model.methods)}.{advice}")
