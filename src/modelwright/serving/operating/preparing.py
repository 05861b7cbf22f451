"""Make a version ready to be started: find it, get its wheel, make its environment. Never while a request waits.

Called by variants, in a thread. What is made is kept for the next time; :class:`Prepared` keeps it from being removed
meanwhile.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from modelwright.errors import DeploymentError
from modelwright.inspecting.environments import kept
from modelwright.inspecting.installers import InstallerName, choose
from modelwright.inspecting.obtain import obtain
from modelwright.inspecting.processes import model_variables
from modelwright.package import Package
from modelwright.serving.contract import Contract, contract_of
from modelwright.serving.workers.process import Launch, ProcessWorker
from modelwright.serving.workers.thread import ThreadWorker
from modelwright.serving.workers.worker import Worker
from modelwright.steps import Listener, ignore, timed


class Prepared(NamedTuple):
    """A version that can be started.

    Attributes:
        contract: What it promises.
        make: Makes one worker of it, not started yet.
        release: Gives back what is held for it.
    """

    contract: Contract
    make: Callable[[], Worker]
    release: Callable[[], None]


class Installed(NamedTuple):
    """A package in its environment.

    Attributes:
        contract: What it promises.
        launch: How a process of it is started.
        release: Gives back what is held for it.
    """

    contract: Contract
    launch: Launch
    release: Callable[[], None]


class Preparing(NamedTuple):
    """How versions are prepared.

    Attributes:
        installer: ``uv``, ``pip``, or ``auto``.
        python: Version or path of the Python to use; by default one that the package was verified on.
        offline: Whether only the installer's cache may be used.
        threads: Threads that numerical libraries may use in one worker; 0: as they like.
        cache: Folder of kept environments; by default one in the user's cache folder.
        listener: Told about each step.
    """

    installer: InstallerName = "auto"
    python: str | None = None
    offline: bool = False
    threads: int = 1
    cache: Path | None = None
    listener: Listener = ignore


AS_USUAL = Preparing()


def prepare(package: Package, *, trust: tuple[str, ...] = (), how: Preparing = AS_USUAL) -> Prepared:
    """Make the environment of a package, and say how to make workers of it; see :func:`install`."""
    contract, launch, release = install(package, trust=trust, how=how)
    return Prepared(contract, lambda: ProcessWorker(launch, contract), release)


def install(package: Package, *, trust: tuple[str, ...] = (), how: Preparing = AS_USUAL) -> Installed:
    """Make the environment of a package, or find it, and check every digest of its wheel.

    Raises:
        PackageError: The wheel contradicts itself.
        IntegrityError: A file is not the file that was captured.
        EnvironmentBuildError: The environment cannot be made.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="modelwright-serve-"))
        wheel = obtain(package, Path(folder), listener=how.listener)
        with timed("environment", how.listener) as note:
            installer = choose(how.installer, offline=how.offline)
            environment, proved = stack.enter_context(
                kept(wheel, python=how.python, installer=installer, cache=how.cache)
            )
            note.detail = f"{len(environment.wanted)} distributions, Python {environment.interpreter.version}"
        contract = contract_of(proved, digest=proved.sha256)
        launch = Launch(
            python=environment.python,
            package=proved.import_name,
            variables=model_variables(proved.manifest.environment.variables),
            trust=trust,
            threads=how.threads,
        )
        held = stack.pop_all()
    return Installed(contract, launch, held.close)


def prepare_here(package: Package, *, trust: tuple[str, ...] = ()) -> Prepared:
    """Prepare a package that is installed in this environment, for a thread of this process.

    Raises:
        DeploymentError: It is not installed here, or this is not an environment for it.
    """
    manifest = package.manifest
    try:
        installed = distribution(manifest.name).version
    except PackageNotFoundError:
        installed = ""
    if installed != manifest.version:
        has = f"has {installed}" if installed else "does not have it"
        raise DeploymentError(
            f"{manifest.name} {manifest.version} can be served in this process only if it is installed here.",
            why=f"This environment ({sys.prefix}) {has}.",
            hint=f"pip install {manifest.name}=={manifest.version}; or leave out --in-process.",
        )
    contract = contract_of(package, digest=package.sha256)
    return Prepared(contract, lambda: ThreadWorker(package.import_name, contract, trust=trust), lambda: None)
