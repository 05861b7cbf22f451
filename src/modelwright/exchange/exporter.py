"""What an exporter is: given versions and settings, it says which files another system needs, and what it cannot carry.

For: :mod:`.exporting`, which asks one by name, and the adapters in the entry-point group ``modelwright.exporters``.
An exporter decides; it reads packages, but writes nothing and starts nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from modelwright.exchange.fidelity import Carried
from modelwright.package import Package

GROUP = "modelwright.exporters"
"""Entry-point group of exporters, by the name that ``--to`` takes."""


class ExportVariant(NamedTuple):
    """One version that is exported.

    Attributes:
        name: ``control`` or ``canary``.
        package: The package.
        wheel: Its wheel, on this machine.
        sha256: Digest of the wheel.
        weight: Its share of the requests, percent.
        weights: The wheel with its weights, if they are one of their own; ``None``: they are in the package.
        weights_sha256: Digest of that wheel.
    """

    name: str
    package: Package
    wheel: Path
    sha256: str
    weight: float
    weights: Path | None = None
    weights_sha256: str = ""

    @property
    def version(self) -> str:
        """Version of the package."""
        return self.package.manifest.version

    @property
    def wheels(self) -> tuple[tuple[Path, str], ...]:
        """Every wheel that has to be installed without its requirements, with its digest; weights first."""
        own = ((self.wheel, self.sha256),)
        return own if self.weights is None else ((self.weights, self.weights_sha256), *own)


class ExportSettings(NamedTuple):
    """What is asked of the target.

    Attributes:
        image: Container image, ``HOST/NAME`` or ``HOST/NAME:TAG``; empty: the model's name.
        namespace: Namespace of the cluster; empty: whichever is current.
        workers: Processes per version.
        index_url: URL of the package index that the wheels come from; empty: they are copied into the folder.
    """

    image: str = ""
    namespace: str = ""
    workers: int = 1
    index_url: str = ""


class Exported(NamedTuple):
    """What an exporter wants to be written.

    Attributes:
        texts: Text of each file, by path in the folder, ``/`` between parts.
        copies: Files that are copied, by path in the folder.
        carried: What carries over, and what does not.
        commands: What to do next in the folder, ready to be pasted.
    """

    texts: dict[str, str]
    copies: dict[str, Path]
    carried: tuple[Carried, ...]
    commands: tuple[str, ...]


class Exporter(Protocol):
    """What exports to one system.

    Attributes:
        name: The name that ``--to`` takes.
        title: The system's own name.
        settings: Names of the settings of :class:`ExportSettings` that mean something to it.
    """

    name: str
    title: str
    settings: frozenset[str]

    def export(self, variants: tuple[ExportVariant, ...], settings: ExportSettings) -> Exported:
        """Say what is to be written.

        Args:
            variants: One version, or two that share traffic, the control first.
            settings: What is asked of the target.

        Raises:
            TargetError: A setting is one that the target does not allow.
        """
        ...
