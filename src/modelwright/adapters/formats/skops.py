"""The skops format: scikit-learn models without code execution, with the same bytes every time.

For: capture, as the default for scikit-learn. What skops writes is rewritten: skops names things by their memory
address, by random identifiers and in the order of a hash, and dates every entry.

It does not decide whom to trust: the reviewed list is in the loader, beside the code that applies it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from modelwright.adapters.formats.padding import zero_padding
from modelwright.adapters.loaders import skops_loader
from modelwright.capturing.formats import Saved
from modelwright.capturing.unpicklable import Culprit, culprit
from modelwright.errors import MissingExtraError, SerialisationError

ENTRY_DATE = (1980, 1, 1, 0, 0, 0)
"""Date of every entry: the earliest that ZIP can hold. Source: APPNOTE.TXT 6.3.10, 4.4.6."""


class SkopsFormat:
    """skops files; see :class:`modelwright.capturing.formats.Format`."""

    name = "skops"
    loader = Path(skops_loader.__file__)
    distributions = ("skops",)
    executes_code = False
    portable = False
    reviewed = skops_loader.REVIEWED

    def claims(self, model: object) -> int:
        """Claim scikit-learn estimators, also those of other libraries that derive from them."""
        kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(model).__mro__}
        return 90 if "sklearn.base.BaseEstimator" in kinds and find_spec("skops") else 0

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write ``model.skops``.

        Raises:
            SerialisationError: skops cannot store a part of the model; the part is named if pickle refuses it too.
            MissingExtraError: skops is not installed.
        """
        path = artifacts / skops_loader.ARTIFACT
        with path.open("wb") as stream:
            rewrite(_dumped(model), stream)
        types = tuple(skops_loader.audit(artifacts, {}, package))
        # skops stores any object by its attributes, even a lock that has none and could not be made again.
        if types and (part := culprit(model)):
            raise _refusal(model, part, "")
        return Saved(types=types)


def _dumped(model: object) -> bytes:
    try:
        import skops.io
    except ModuleNotFoundError as error:
        raise MissingExtraError("The skops format needs skops.", hint='pip install "modelwright[sklearn]"') from error
    try:
        dumped: bytes = skops.io.dumps(model)
    except Exception as error:  # skops calls the __getstate__ and __reduce__ of foreign objects
        raise _refusal(model, culprit(model), str(error)) from error
    return dumped


def _refusal(model: object, part: Culprit | None, why: str) -> SerialisationError:
    return SerialisationError(
        f"{part} and cannot be saved." if part else f"skops cannot store this {type(model).__qualname__}.",
        why=part.reason if part else why,
        hint="Remove it before capture, or leave it out in __getstate__." if part else "Choose format='joblib'.",
    )


def rewrite(dumped: bytes, stream: Any) -> None:
    """Write a skops file again so that the same model gives the same bytes.

    Members are named by the order of their first use; identities are kept only where two places share one object;
    sets are sorted; the padding of structured arrays is zeroed; entries are stored, in order and undated.

    Args:
        dumped: What ``skops.io.dumps`` gave.
        stream: Seekable binary stream to write to.
    """
    with zipfile.ZipFile(io.BytesIO(dumped)) as source, zipfile.ZipFile(stream, "w") as target:
        schema = json.loads(source.read("schema.json"))
        members = _normalise(schema)
        for old, new in members.items():
            content = source.read(old)
            target.writestr(_entry(new), _without_padding(content) if new.endswith(".npy") else content)
        target.writestr(_entry("schema.json"), json.dumps(schema, separators=(",", ":")))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, ENTRY_DATE)
    entry.create_system, entry.external_attr = 3, 0o100644 << 16
    return entry


# Identity matters where two places share one mutable object. Which equal texts, numbers and classes are one object is
# an accident of the process; they are shared whenever they are equal, which also makes loading a third faster.
_VALUES = {"JsonNode", "TypeNode", "FunctionNode"}


def _normalise(schema: dict[str, Any]) -> dict[str, str]:
    """Rename members and identities in place; return the members' new names by their old ones, in order."""
    for node in _nodes(schema):
        if node["__loader__"] == "SetNode":
            node["content"].sort(key=lambda item: json.dumps([item.get("content"), item["__class__"]], default=str))
    nodes = _nodes(schema)
    identities = [_identity(node) for node in nodes]
    uses = Counter(identities)
    numbers: dict[Any, int] = {}
    members: dict[str, str] = {}
    for node, identity in zip(nodes, identities, strict=True):
        node.pop("__id__", None)
        if identity is not None and uses[identity] > 1:
            node["__id__"] = numbers.setdefault(identity, len(numbers) + 1)
        if isinstance(node.get("file"), str):
            old = node["file"]
            node["file"] = members.setdefault(old, f"{len(members)}{Path(old).suffix}")
    return members


def _identity(node: dict[str, Any]) -> Any:
    if node["__loader__"] in _VALUES:
        return node["__loader__"], node["__module__"], node["__class__"], node.get("content")
    return node.get("__id__")


def _nodes(schema: Any) -> list[dict[str, Any]]:
    """List the nodes of a schema depth first, in the order of the document."""
    found: list[dict[str, Any]] = []
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("__loader__"), str):
                found.append(value)
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))
    return found


def _without_padding(content: bytes) -> bytes:
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    written = io.BytesIO()
    np.save(written, zero_padding(array), allow_pickle=False)
    return written.getvalue()


FORMAT = SkopsFormat()
