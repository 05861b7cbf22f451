"""Begin with the same random numbers on both sides of a proof, where the notebook itself sets no seed.

Copied into the two processes of a proof as ``mw_seeds``. Standard library only; numpy is seeded if it is installed.
"""

from __future__ import annotations

import importlib
import random

SEED = 0


def sow() -> None:
    """Seed the generators that scikit-learn and most notebooks use.

    Example:
        >>> import random
        >>> sow(); first = random.random()
        >>> sow(); first == random.random()
        True
    """
    random.seed(SEED)
    try:
        numpy = importlib.import_module("numpy")
    except ImportError:
        return
    numpy.random.seed(SEED)
