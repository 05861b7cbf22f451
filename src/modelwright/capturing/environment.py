"""What a captured model needs to run: direct requirements, and the lock of everything that comes with them.

Called by capture once a fresh process has shown what the model imports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from modelwright.capturing import dependencies, locking
from modelwright.capturing.code import Collected
from modelwright.capturing.fresh import Fresh
from modelwright.capturing.interpreter import platform_tag, python_tag, python_version
from modelwright.capturing.referenced import referenced_objects
from modelwright.capturing.staging import Stage
from modelwright.capturing.storing import Stored
from modelwright.capturing.trace import Trace
from modelwright.spec.environment import Environment, Pins
from modelwright.steps import Listener, timed


class Needs(NamedTuple):
    """What the user says about the environment; see :func:`modelwright.capture`."""

    requirements: Sequence[str]
    pins: Pins
    system_libraries: Sequence[str]
    index_url: str | None


def this_environment(stored: Stored, collected: Collected, needs: Needs) -> Environment:
    """Return the environment as far as it is known before the model has run elsewhere: no dependencies yet."""
    return Environment(
        python=python_version(),
        interpreters=(python_tag(),),
        portable=stored.format.portable,
        platform=platform_tag(),
        dependencies=(),
        pins=needs.pins,
        variables=collected.variables,
        system_libraries=tuple(needs.system_libraries),
    )


def resolve_environment(
    environment: Environment,
    traced: Trace,
    *,
    model: object,
    stage: Stage,
    stored: Stored,
    collected: Collected,
    fresh: Fresh,
    needs: Needs,
    listener: Listener,
) -> Environment:
    """Infer the direct requirements, lock them, write both lock files, and return the complete environment.

    Raises:
        DependencyError: A module belongs to no distribution that can be installed.
        LockError: The environment cannot be locked.
    """
    with timed("dependencies", listener) as note:
        found = dependencies.direct(
            traced,
            package=stage.package,
            again=fresh.again,
            imports=collected.imports,
            modules=sorted({seen.module for seen in referenced_objects(model) if seen.home == "installed"}),
            distributions=stored.format.distributions,
            requirements=needs.requirements,
            pins=needs.pins,
        )
        note.detail = ", ".join(found.direct) or "the standard library only"
    with timed("lock", listener) as note:
        locked = locking.lock(found.direct, installed=found.installed, index_url=needs.index_url)
        stage.write("pylock.toml", locked.pylock)
        stage.write("requirements.txt", locked.requirements)
        note.detail = f"{len(locked.packages)} distributions with hashes" + (f"; {locked.note}" if locked.note else "")
    return msgspec.structs.replace(environment, dependencies=found.direct)
