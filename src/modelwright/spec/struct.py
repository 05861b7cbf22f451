"""The two settings every struct of the format shares: frozen, and defaults left out of the file.

Called by the other modules of :mod:`modelwright.spec` only.
"""

from __future__ import annotations

import msgspec


class Frozen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Immutable data whose JSON leaves defaults out, so that a reader sees only what was said.

    Readers ignore fields they do not know (see the rule in :mod:`modelwright.spec.manifest`).
    """
