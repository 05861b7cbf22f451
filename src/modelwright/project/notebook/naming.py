"""Choose what each value and each function is called in the project.

Called by plan. A value keeps the notebook's name unless another value of that name is still needed when it is made (the
notebook used the name twice, and the stages brought the two together), or the name would hide a builtin, an import or
a function of the project.
A function is called by its stage; a further one of the same stage by what its cells say they do.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from modelwright.project.notebook.flow import Flow, Value
from modelwright.project.notebook.layout import PLACES
from modelwright.project.notebook.roles import Stage
from modelwright.project.notebook.stages import Staging

RESERVED = frozenset(
    {"settings", "observe", "measured", "results", "self", "found", "rows", "truth", "test_rows", "test_truth", "asked"}
)
"""Names that the project itself uses in the functions of the stages."""


_JOINING = frozenset("a an and as at by for from in into of on or our the this to using we with".split())  # noqa: SIM905
"""Words that no name ends with."""


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


def name_functions(
    flow: Flow, staging: Staging, parts: Sequence[tuple[int, ...]], titles: Mapping[int, str]
) -> Iterator[tuple[str, str]]:
    """Name the functions: the first of a stage by the stage, the others by what their cells are called."""
    taken: set[str] = set()
    count: dict[Stage, int] = {}
    for part in parts:
        stage = staging.stage[part[0]]
        where = PLACES[stage]
        count[stage] = number = count.get(stage, 0) + 1
        words = _words(titles.get(flow.statements[part[0]].cell.number, "")) or _columns(flow, part)
        name = where.function if number == 1 else "_".join([where.step, *words] if words else [where.step, str(number)])
        if name in taken or name in flow.functions:
            name = f"{name}_{number}"
        taken.add(name)
        yield name, where.step if number == 1 else f"{where.step}_{number}"


def _words(title: str) -> list[str]:
    """Return the words by which a function is called after a title.

    Example:
        >>> _words("3. Delete unnecessary columns from the data"), _words("Missing values!")
        (['delete', 'unnecessary', 'columns'], ['missing', 'values'])
    """
    words = re.findall(r"[a-z]+", title.lower())[:4]
    while words and words[-1] in _JOINING:
        words.pop()
    return words


def _columns(flow: Flow, part: tuple[int, ...]) -> list[str]:
    """Return the one column that statements write, as a word; nothing if they write several."""
    found = {
        key.value
        for index in part
        for node in ast.walk(flow.statements[index].node)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
        for key in (node.slice.elts[-1:] if isinstance(node.slice, ast.Tuple) else [node.slice])
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    words = re.sub(r"\W+", "_", found.pop()).strip("_").lower() if len(found) == 1 else ""
    return [words] if words.isidentifier() else []
