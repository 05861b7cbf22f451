"""Find what a statement does to objects beside binding names: what it changes, shares, draws, shows and reads.

Called by :mod:`~modelwright.project.notebook.statements`. Where the code does not tell, the answer is the one that
keeps more of the notebook's order.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from modelwright.project.notebook import vocabulary


@dataclass(frozen=True)
class Effects:
    """What a statement does beside binding names.

    Attributes:
        mutated: Names of objects that it changes in place.
        shared: Pairs of names that may be the same object afterwards, or hold one another.
        calls: Last part of the name of every function and method that it calls (``read_csv``).
        attributes: Every attribute that it reads.
        random: Whether it may draw from, or seed, a global generator of random numbers.
        draws: Whether it draws or shows something.
    """

    mutated: frozenset[str]
    shared: tuple[tuple[str, str], ...]
    calls: tuple[str, ...]
    attributes: frozenset[str]
    random: bool
    draws: bool


def effects(statement: ast.stmt, modules: dict[str, str]) -> Effects:
    """Return what a statement does to objects.

    Args:
        statement: A statement of the notebook's own scope.
        modules: Module that each imported name stands for (``{"pd": "pandas", "shuffle": "random.shuffle"}``).

    Example:
        >>> found = effects(ast.parse("df.drop(columns='x', inplace=True)").body[0], {})
        >>> sorted(found.mutated), found.calls
        (['df'], ('drop',))
    """
    nodes = list(_executed(statement))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return Effects(
        mutated=frozenset(_mutated(nodes, calls, modules)),
        shared=tuple(_shared(nodes, modules)),
        calls=tuple(last_name(call.func) for call in calls),
        attributes=frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute)),
        random=any(_random(call, modules) for call in calls),
        draws=any(_draws(call, modules) for call in calls) or _shows(statement) or _styles(statement, modules),
    )


def _executed(statement: ast.stmt) -> Iterator[ast.AST]:
    """Walk what runs when the statement runs: not the bodies of functions that it defines."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += node.decorator_list
        elif not isinstance(node, ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def root(node: ast.AST) -> str:
    """Return the name that a chain of attributes and subscripts begins with; empty if it begins with something else.

    Example:
        >>> root(ast.parse("df.loc[0, 'x']", mode="eval").body), root(ast.parse("f(x).y", mode="eval").body)
        ('df', '')
    """
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def last_name(node: ast.AST) -> str:
    """Return the last part of a dotted name; empty if there is none.

    Example:
        >>> last_name(ast.parse("pd.read_csv", mode="eval").body)
        'read_csv'
    """
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _mutated(nodes: list[ast.AST], calls: list[ast.Call], modules: dict[str, str]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            yield from _known(root(node), modules)
        elif isinstance(node, ast.AugAssign):
            yield from _known(root(node.target), modules)
    for call in calls:
        name = last_name(call.func)
        inplace = any(
            keyword.arg == "inplace" and getattr(keyword.value, "value", None) is True for keyword in call.keywords
        )
        if isinstance(call.func, ast.Attribute) and (inplace or name in vocabulary.MUTATING_METHODS):
            yield from _known(root(call.func.value), modules)
        position = vocabulary.MUTATING_FUNCTIONS.get(name)
        if position is not None and len(call.args) > position:
            yield from _known(root(call.args[position]), modules)
        if name in ("setattr", "delattr") and call.args:
            yield from _known(root(call.args[0]), modules)
    for call in (node.value for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr not in vocabulary.PURE_METHODS:
            yield from _known(root(call.func.value), modules)


def _known(name: str, modules: dict[str, str]) -> Iterator[str]:
    if name and name not in modules:
        yield name


def _shared(nodes: list[ast.AST], modules: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Pair a bound name with the names of objects that it may be, or hold."""
    for node in nodes:
        if isinstance(node, ast.Assign):
            targets = [child.id for target in node.targets for child in ast.walk(target) if isinstance(child, ast.Name)]
            for name in _held(node.value, modules):
                yield from ((target, name) for target in targets if target != name)
        elif isinstance(node, ast.For):
            targets = [child.id for child in ast.walk(node.target) if isinstance(child, ast.Name)]
            for name in _iterated(node.iter):
                yield from ((target, name) for target in targets if target != name)


def _held(value: ast.AST, modules: dict[str, str]) -> Iterator[str]:
    if isinstance(value, ast.Name):
        yield value.id
    elif isinstance(value, ast.List | ast.Tuple | ast.Set):
        for item in value.elts:
            yield from _held(item, modules)
    elif isinstance(value, ast.Dict):
        for item in value.values:
            yield from _held(item, modules)
    elif isinstance(value, ast.IfExp):
        yield from _held(value.body, modules)
        yield from _held(value.orelse, modules)
    elif isinstance(value, ast.Call) and not _draws(value, modules):
        name = last_name(value.func)
        if name[:1].isupper() or name.startswith("make_") or name in ("dict", "list", "zip", "next", "max", "min"):
            for argument in (*value.args, *(keyword.value for keyword in value.keywords)):
                yield from _held(argument, modules)
    elif (isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name | ast.Attribute)) or isinstance(
        value, ast.Attribute
    ):
        yield f"[]{root(value)}"


def _iterated(value: ast.AST) -> Iterator[str]:
    if isinstance(value, ast.Call):
        if isinstance(value.func, ast.Attribute) and value.func.attr in ("items", "values"):
            yield from _iterated(value.func.value)
        for argument in value.args:
            yield from _iterated(argument)
    elif isinstance(value, ast.List | ast.Tuple):
        for item in value.elts:
            yield from _iterated(item)
    elif isinstance(value, ast.Name):
        yield value.id


def _random(call: ast.Call, modules: dict[str, str]) -> bool:
    path = dotted(call.func)
    head, _, rest = path.partition(".")
    full = f"{modules.get(head, head)}.{rest}" if rest else modules.get(head, head)
    seeded = any(keyword.arg in ("random_state", "seed") for keyword in call.keywords)
    if full.startswith(("random.", "numpy.random.", "torch.manual_seed", "torch.rand", "tensorflow.random")):
        return not full.startswith(("numpy.random.default_rng", "numpy.random.RandomState", "random.Random"))
    name = last_name(call.func)
    return not seeded and name in ("sample", "shuffle", "train_test_split", "permutation")


def dotted(node: ast.AST) -> str:
    """Return a dotted name as text; empty if the node is something else.

    Example:
        >>> dotted(ast.parse("np.random.seed", mode="eval").body)
        'np.random.seed'
    """
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def _draws(call: ast.Call, modules: dict[str, str]) -> bool:
    name = last_name(call.func)
    if name in vocabulary.DISPLAY_FUNCTIONS or name in vocabulary.PRESENTATION:
        return True
    head = root(call.func)
    module = modules.get(head, "")
    if module.split(".")[0] in vocabulary.PLOTTING_MODULES:
        return True
    return isinstance(call.func, ast.Attribute) and name in vocabulary.PLOTTING_METHODS and head not in modules


def _shows(statement: ast.stmt) -> bool:
    """Say whether the value of an expression statement is what the notebook shows below the cell."""
    return isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant)


def _styles(statement: ast.stmt, modules: dict[str, str]) -> bool:
    """Say whether a statement only sets how things look (``plt.rcParams["figure.figsize"] = …``)."""
    if not isinstance(statement, ast.Assign):
        return False
    paths = [ast.unparse(target) for target in statement.targets]
    styled = ("rcParams", ".options.", ".display.")
    return all(root(target) in modules for target in statement.targets) and any(
        word in path for path in paths for word in styled
    )
