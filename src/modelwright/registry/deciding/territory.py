"""Say whether a file would install what belongs to somebody else's project. Pure.

Called when a library is published. Two distributions that own one package overwrite each other's files without a word
from any installer: a helper library with a package ``churn`` would replace the code of the model ``churn``. So the
packages of models and of their weights are theirs alone; libraries among themselves share namespaces as everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from packaging.utils import canonicalize_name

from modelwright.errors import Problem, TakenError, UploadError


def check_territory(project: str, top_level: Iterable[str], protected: Collection[str], *, filename: str) -> None:
    """Refuse a file that would install a package of another project.

    Args:
        project: Name of the project that the file is for, normalised.
        top_level: Modules and packages that the file adds to what can be imported; a project's package is its name
            with ``_`` for ``-``, and some file systems do not tell ``Churn`` from ``churn``.
        protected: Names of the projects whose packages are theirs alone: models and weights.
        filename: What to call it in messages.

    Raises:
        UploadError: It would; every package is listed.
    """
    foreign = sorted(name for name in top_level if canonicalize_name(name) in set(protected) - {project})
    if foreign:
        raise UploadError(
            "The wheel would install packages of other projects.",
            where=filename,
            why="Whoever installs both would run a mixture of them.",
            hint="Give the packages names of their own.",
            problems=[
                Problem(None, None, f"belongs to the project {canonicalize_name(name)!r}", item=name)
                for name in foreign
            ],
        )


def check_unsettled(project: str, settled: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Refuse the first file of a model whose package another project installs already.

    Args:
        project: Name of the model or of its weights, normalised.
        settled: Other projects, and the modules and packages that each installs.

    Raises:
        TakenError: One of them does.
    """
    for other, packages in settled:
        if project in {canonicalize_name(name) for name in packages}:
            raise TakenError(
                f"The package of {project} is installed by {other} already.",
                where=project,
                why="Whoever installs both would run a mixture of them.",
                hint="Choose another name, or delete the releases of the library that install it.",
            )
