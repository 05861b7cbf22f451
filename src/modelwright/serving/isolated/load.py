"""``mw.load``: from a reference to a model in a process of its own.

For: programs and notebooks that want one model, or several whose environments contradict one another, without a
server. It finds the package and makes its environment; :mod:`.model` asks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from modelwright.errors import DeploymentError
from modelwright.inspecting.installers import InstallerName
from modelwright.inspecting.read import read
from modelwright.package import Package
from modelwright.registry.registry import Registry
from modelwright.serving.isolated.model import IsolatedModel
from modelwright.serving.operating.finding import find, release_of
from modelwright.serving.operating.preparing import Preparing, install
from modelwright.steps import Listener, ignore, timed


def load(
    reference: str | Path | Package,
    *,
    registry: Registry | str | Path | None = None,
    trust: Iterable[str] = (),
    timeout_s: float | None = None,
    python: str | None = None,
    offline: bool = False,
    installer: InstallerName = "auto",
    threads: int = 0,
    cache: Path | None = None,
    listener: Listener = ignore,
) -> IsolatedModel:
    """Load a model in a process of its own, in its own environment, which is made once from its lock and kept.

    Its scenarios are run first: a model that behaves differently here from when it was captured is refused.

    Args:
        reference: A wheel, its URL, a model folder, ``name``, ``name==version``, ``name@stage``, or a package.
        registry: Where releases are looked for: a registry, or the folder or URL of one; ``None``: only here.
        trust: Types in the artifact that the caller vouches for.
        timeout_s: Longest time of a call, seconds, unless the call says another; ``None``: as long as it takes.
        python: Version or path of the Python to use; by default one that the package was verified on.
        offline: Whether only the installer's cache may be used.
        installer: ``uv``, ``pip``, or ``auto``: uv where it runs, else pip.
        threads: Threads that the model's numerical libraries may use; 0: as they like.
        cache: Folder of kept environments; by default one in the user's cache folder.
        listener: Told about each step.

    Raises:
        UnknownPackageError: The reference leads to no package.
        UnknownReleaseError: The registry has no such release.
        DeploymentError: The reference names a stage, and no registry is named.
        PackageError: The package cannot be used.
        EnvironmentBuildError: Its environment cannot be made.
        TrustError: The artifact names types that nobody vouched for.
        SelftestError: A scenario does not hold here.
        ModelwrightError: Whatever else the package refuses with when it is loaded, as its own class.
    """
    how = Preparing(
        installer=installer, python=python, offline=offline, threads=threads, cache=cache, listener=listener
    )
    installed = install(_found(reference, registry), trust=tuple(trust), how=how)
    with timed("load", listener) as note:
        model = IsolatedModel(installed, timeout_s=timeout_s)
        note.detail = f"{model.name} {model.version}, process {model.pid}"
    return model


def _found(reference: str | Path | Package, registry: Registry | str | Path | None) -> Package:
    if not isinstance(reference, str):
        return read(reference)
    if isinstance(registry, str | Path):
        registry = Registry(registry)
    release = release_of(reference)
    if registry is None and release is not None and release.stage:
        raise DeploymentError(
            f"{reference} names a stage, and no registry is named.",
            hint=f'mw.load("{reference}", registry="FOLDER_OR_URL")',
        )
    return find(reference, registry)
