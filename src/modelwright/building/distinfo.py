"""Put together the ``.dist-info`` folder of a wheel, RECORD excepted.

Called by build, by the sdist (which carries it precomputed) and by the PEP 517 hooks that ask for metadata only.
Source: PyPA "Binary distribution format", PEP 639 (licenses/), PEP 770 (sboms/).
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from modelwright.building.entry_points import entry_points
from modelwright.building.licences import licence_files
from modelwright.building.metadata import core_metadata, weights_metadata
from modelwright.building.project import Project
from modelwright.building.tags import stem, wheel_tags
from modelwright.spec.environment import Environment
from modelwright.spec.weights import weights_name


def dist_info_name(project: Project) -> str:
    """Return the name of the folder, ``churn-1.3.0.dist-info``."""
    return f"{stem(project.manifest)}.dist-info"


def dist_info(project: Project, *, epoch: int) -> dict[str, bytes]:
    """Return the files of the folder by their path in it.

    Args:
        project: What is being built.
        epoch: Time that the bill of materials carries, seconds since 1970 UTC.

    Raises:
        ProjectError: [project] is invalid or contradicts the manifest.
        PackageError: The card or the lock is missing or malformed.
    """
    from modelwright.building.sbom import model_bom  # what it needs costs more than everything else here

    return {
        "METADATA": core_metadata(project),
        "WHEEL": wheel_file(project.manifest.environment),
        "entry_points.txt": entry_points(project),
        f"sboms/{project.manifest.name}.cdx.json": model_bom(project.package, epoch=epoch),
        **_licences(project),
    }


def weights_dist_info(project: Project, *, epoch: int) -> dict[str, bytes]:
    """Return the files of the folder of the wheel that holds a model's weights, by their path in it.

    Args:
        project: What is being built; its manifest says the version of the weights.
        epoch: Time that the bill of materials carries, seconds since 1970 UTC.

    Raises:
        ProjectError: The licence in [project] is invalid or contradicts the manifest.
    """
    from modelwright.building.sbom import weights_bom

    name = weights_name(project.manifest.name)
    return {
        "METADATA": weights_metadata(project),
        "WHEEL": _wheel_file(["py3-none-any"]),
        f"sboms/{name}.cdx.json": weights_bom(project.manifest, epoch=epoch),
        **_licences(project),
    }


def _licences(project: Project) -> dict[str, bytes]:
    return {f"licenses/{name}": path.read_bytes() for name, path in licence_files(project).items()}


def wheel_file(environment: Environment) -> bytes:
    """Return the WHEEL file: who wrote it, and every tag on a line of its own."""
    return _wheel_file(wheel_tags(environment))


def _wheel_file(tags: Iterable[str]) -> bytes:
    lines = [
        "Wheel-Version: 1.0",
        f"Generator: modelwright {version('modelwright')}",
        "Root-Is-Purelib: true",
        *(f"Tag: {tag}" for tag in tags),
    ]
    return ("\n".join(lines) + "\n").encode()
