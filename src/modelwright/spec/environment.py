"""The environment a model was proved in: interpreter, platform, pins.

For: capture (infers it), build (wheel tag and Requires-Dist come from it), the runtime (checks it before
anything is loaded), verify (extends ``interpreters``). The complete lock is ``pylock.toml`` (PEP 751) beside it.
"""

from __future__ import annotations

from typing import Literal

from modelwright.spec.struct import Frozen

Pins = Literal["exact", "compatible"]


class Environment(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Interpreter and direct dependencies.

    Attributes:
        python: Full version of the interpreter the model was captured on (``3.11.7``).
        implementation: ``cpython``.
        interpreters: Interpreters the package was verified on, as PEP 425 python tags (``cp311``), ascending.
        portable: Whether the artifact is the same on every interpreter; then the wheel is ``py3-none-any``.
        platform: Platform the model was captured on, as PEP 425 platform tag (``linux_x86_64``).
        dependencies: Direct requirements (PEP 508), sorted; nothing else ends in Requires-Dist.
        pins: ``exact``: ``name==version``; ``compatible``: ``name~=version``, for libraries of models.
        variables: Names of environment variables the model reads; their values are never recorded.
        system_libraries: Shared libraries that pip cannot install (``libgomp.so.1``).
    """

    python: str
    implementation: str = "cpython"
    interpreters: tuple[str, ...]
    portable: bool = False
    platform: str = ""
    dependencies: tuple[str, ...]
    pins: Pins = "exact"
    variables: tuple[str, ...] = ()
    system_libraries: tuple[str, ...] = ()
