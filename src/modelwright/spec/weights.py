"""The weights of a model in a wheel of their own: what that wheel is called and what it says of itself.

For: building (which writes it), inspecting and the registry (which look into it), bundling (which takes it along).
The model's manifest says which version of it the model needs (:attr:`~modelwright.spec.manifest.Manifest.weights`)
and, as ever, the digest of every artifact; the weights wheel holds the artifacts folder and nothing that runs.
"""

from __future__ import annotations

import msgspec

from modelwright.errors import ManifestError
from modelwright.spec.manifest import File, Manifest
from modelwright.spec.struct import Frozen

SUFFIX = "-weights"
DOCUMENT = "weights.json"
"""Name of the document in the weights' import package, beside ``artifacts/``."""
FORMAT_VERSION = 1


class Weights(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a weights wheel says of itself, in ``weights.json``.

    Attributes:
        format_version: Version of this document; it follows the rule of the manifest.
        name: Distribution name, normalised (``churn-weights``).
        version: The release of the model that introduced these weights.
        model: Distribution name of the model (``churn``).
        artifacts: Files below ``artifacts/``, sorted by path; the same list as in the manifests of the models.
    """

    format_version: int
    name: str
    version: str
    model: str
    artifacts: tuple[File, ...]


def weights_name(model: str) -> str:
    """Return the distribution that holds the weights of a model.

    Example:
        >>> weights_name("credit-risk")
        'credit-risk-weights'
    """
    return f"{model}{SUFFIX}"


def weights_folder(model: str) -> str:
    """Return the import package of that distribution; derived from its name alone, so that no two share one.

    Example:
        >>> weights_folder("credit-risk")
        'credit_risk_weights'
    """
    return weights_name(model).replace("-", "_")


def weights_file_name(model: str, version: str) -> str:
    """Return the file name of the wheel: data, so any Python; which Python may load it says the model's own tag.

    Example:
        >>> weights_file_name("credit-risk", "1.2.0")
        'credit_risk_weights-1.2.0-py3-none-any.whl'
    """
    return f"{weights_folder(model)}-{version}-py3-none-any.whl"


def weights_requirement(manifest: Manifest) -> str:
    """Return the requirement by which a model asks for its weights; empty: it carries them itself."""
    return f"{weights_name(manifest.name)}=={manifest.weights}" if manifest.weights else ""


def parse_weights(content: bytes, *, where: str) -> Weights:
    """Read ``weights.json``.

    Args:
        content: The JSON document.
        where: What to call it in an error.

    Raises:
        ManifestError: It is malformed, or written by a newer modelwright.
    """
    try:
        weights = msgspec.json.decode(content, type=Weights)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{DOCUMENT} is malformed.", where=where, why=str(error)) from error
    if weights.format_version != FORMAT_VERSION:
        raise ManifestError(
            f"{DOCUMENT} has format version {weights.format_version}; this modelwright reads {FORMAT_VERSION}.",
            where=where,
            hint="pip install --upgrade modelwright",
        )
    return weights


def dump_weights(weights: Weights) -> bytes:
    """Write ``weights.json``; the same weights give the same bytes."""
    return msgspec.json.format(msgspec.json.encode(weights), indent=2) + b"\n"
