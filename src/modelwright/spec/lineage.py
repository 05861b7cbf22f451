"""Where a model came from: data references, code revision, notebook, parent release.

For: the model card, ``inspect``, ``diff`` and the registry. Hyperparameters are beside it in the manifest.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from modelwright.spec.struct import Frozen

Role = Literal["training", "validation", "test", "other"]


class DataReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A data set, by reference: where it is and how to know that it is still the same.

    Attributes:
        uri: Where the data are (``s3://…``, ``file:…``, a table name). Credentials are refused.
        version: Version or timestamp of the data, as the store names it.
        role: What the data were used for.
        sha256: Digest of the bytes, 64 hexadecimal digits.
        rows: Number of rows.
        summary: One sentence for people.

    Example:
        >>> DataReference("s3://lake/churn.parquet", version="2026-10-01").role
        'training'
    """

    uri: str
    version: str = ""
    role: Role = "training"
    sha256: str = ""
    rows: int | None = None
    summary: str = ""


class GitRevision(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """The commit the working tree was at.

    Attributes:
        revision: Full commit hash.
        dirty: Whether tracked files differed from it.
        branch: Branch name, empty when detached.
        remote: URL of ``origin`` without credentials.
    """

    revision: str
    dirty: bool
    branch: str = ""
    remote: str = ""


class NotebookReference(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """The notebook that captured the model.

    Attributes:
        name: File name without folders.
        sha256: Digest of the file as it was saved on disk at the time.
    """

    name: str
    sha256: str


class Lineage(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Where a model came from.

    Attributes:
        data: Data sets, in the order they were given.
        git: Revision of the code; ``None`` outside a repository.
        notebook: The notebook, when captured from one.
        parent: The release this one was retrained from (``churn==1.2.0``).
    """

    data: tuple[DataReference, ...] = ()
    git: GitRevision | None = None
    notebook: NotebookReference | None = None
    parent: str = ""
