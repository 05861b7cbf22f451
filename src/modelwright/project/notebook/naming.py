"""Choose what each value is called in the project.

Called by plan. A value keeps the notebook's name unless another value of that name is still needed when it is made (the
notebook used the name twice, and the stages brought the two together), or the name would hide a builtin, an import or
a function of the project.
"""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Mapping

from modelwright.project.notebook.flow import Value

RESERVED = frozenset(
    {"settings", "observe", "measured", "results", "self", "found", "rows", "truth", "test_rows", "test_truth", "asked"}
)
"""Names that the project itself uses in the functions of the stages."""


def choose_names(lives: Mapping[Value, tuple[int, int]], *, taken: frozenset[str]) -> dict[Value, str]:
    """Choose a name for each value.

    Args:
        lives: For each value, the positions at which it is made and last needed.
        taken: Names of imports and functions.

    Example:
        >>> first, second = Value("model", 0), Value("model", 1)
        >>> list(choose_names({first: (0, 5), second: (2, 3)}, taken=frozenset()).values())
        ['model', 'model_2']
    """
    given: dict[Value, str] = {}
    busy: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for value, (start, last) in sorted(lives.items(), key=lambda item: (item[1], item[0].name)):
        base, end = value.name, max(last, start + 1)  # also a value that nobody reads overwrites what it is bound to
        if base in RESERVED or hasattr(builtins, base):
            base = f"{base}_"
        number = 1
        name = base
        while name in taken or any(start < other_end and other_start < end for other_start, other_end in busy[name]):
            number += 1
            name = f"{base}_{number}"
        given[value] = name
        busy[name].append((start, end))
    return given
