"""Run what a script's entry point does in the notebook's own scope: ``if __name__ == "__main__":`` and ``main()``.

Called by convert. A script hides its steps in a function that is called once; its body, put where the call stands, does
the same, and can be divided into stages like any cell. It is put there only if that is sound: nothing else has a name
that the function binds, and nothing returns half-way. What is not sound is left as it is, with the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import libcst as cst

from modelwright.project.notebook.effects import last_name, root
from modelwright.project.notebook.names import occurrences
from modelwright.project.notebook.statements import CodeCell

FITTING = frozenset(["fit", "fit_predict", "partial_fit", "fit_transform"])
_Definition = ast.FunctionDef | ast.AsyncFunctionDef
_LEAVING = frozenset(["exit", "quit", "SystemExit"])


@dataclass(frozen=True)
class Obstacle:
    """Why the body of an entry point stays where it is.

    Attributes:
        function: Its name.
        cell: Cell that defines it.
        why: The reason, as a sentence.
    """

    function: str
    cell: int
    why: str


@dataclass(frozen=True)
class Entered:
    """The cells, with the bodies of entry points where they are called.

    Attributes:
        cells: The cells.
        notes: What a person should know, with cell numbers.
        obstacles: What could not be put where it is called.
    """

    cells: tuple[CodeCell, ...]
    notes: tuple[str, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()


@dataclass(frozen=True)
class _Call:
    """An entry point's call, as a statement of the notebook's own scope."""

    cell: CodeCell
    position: int
    call: ast.Call
    targets: tuple[str, ...]


def enter(cells: Sequence[CodeCell]) -> Entered:
    r"""Put the bodies of entry points where they are called.

    Args:
        cells: The code cells, in the order in which they stand.

    Example:
        >>> script = "def main():\n    model.fit(X, y)\n\n\nif __name__ == '__main__':\n    main()\n"
        >>> print(enter([CodeCell(1, script)]).cells[0].code)
        model.fit(X, y)
        <BLANKLINE>
    """
    found = [_without_guard(cell) if "__main__" in cell.code else cell for cell in cells]
    notes: list[str] = []
    obstacles: dict[str, Obstacle] = {}
    while not _fits_openly(found):
        calls = [one for one in _entry_calls(found) if last_name(one.call.func) not in obstacles]
        if not calls:
            break
        name = last_name(calls[0].call.func)
        holder, definition = _definitions(found, name)[0]
        why = _obstacle(definition, calls[0], found)
        if why:
            obstacles[name] = Obstacle(name, holder.number, why)
            continue
        found = _entered(found, calls[0], holder, definition)
        notes.append(f"cell {holder.number}: the body of {name}() runs where it was called, step by step")
    return Entered(tuple(found), tuple(notes), tuple(obstacles.values()))


def _tree(cell: CodeCell) -> list[ast.stmt]:
    return ast.parse(cell.code).body


def _without_guard(cell: CodeCell) -> CodeCell:
    """Return a cell without the question whether it is run as a script, which it is."""
    module = cst.parse_module(cell.code)
    body: list[cst.BaseStatement] = []
    for part in module.body:
        if isinstance(part, cst.If) and _is_guard(module.code_for_node(part.test)):
            body += _opened(part.body, part.leading_lines)
        elif isinstance(part, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            body.append(part)
    return replace(cell, code=module.with_changes(body=body).code)


def _is_guard(test: str) -> bool:
    words = test.replace('"', "'").strip("() ").split()
    return sorted(words) == ["'__main__'", "==", "__name__"]


def _opened(suite: cst.BaseSuite, above: Sequence[cst.EmptyLine] = ()) -> list[cst.BaseStatement]:
    """Return the statements of a block, to stand in a scope of their own right."""
    if isinstance(suite, cst.IndentedBlock):
        body = list(suite.body)
    else:
        body = [cst.SimpleStatementLine([small]) for small in suite.body if isinstance(small, cst.BaseSmallStatement)]
    if not body:
        return body
    comments = [line for line in above if line.comment]
    first = body[0]
    lines = [*comments, *getattr(first, "leading_lines", ())]
    return [first.with_changes(leading_lines=lines), *body[1:]]


def _fits_openly(cells: Sequence[CodeCell]) -> bool:
    """Say whether the notebook's own scope fits something itself."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FITTING
        for cell in cells
        for statement in _tree(cell)
        for node in _own(statement)
    )


def _own(statement: ast.AST) -> Iterator[ast.AST]:
    """Walk a statement without the insides of what it defines."""
    waiting = [statement]
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _entry_calls(cells: Sequence[CodeCell]) -> Iterator[_Call]:
    """Return calls that stand alone, of functions that are called once and fit a model that nobody else would see."""
    for cell in cells:
        for position, statement in enumerate(_tree(cell)):
            call = _called(statement)
            if call is None or not isinstance(call.func, ast.Name):
                continue
            targets = getattr(statement, "targets", [])
            if targets and any(not isinstance(one, ast.Constant) for one in _given(call)):
                continue  # what is made of rows and bound to a name is a step already
            if len(_definitions(cells, call.func.id)) == 1 and _fits(call.func.id, cells, frozenset()):
                yield _Call(cell, position, call, tuple(ast.unparse(one) for one in targets))


def _called(statement: ast.stmt) -> ast.Call | None:
    """Return the call that a statement is, also within ``sys.exit(…)``."""
    value = statement.exc if isinstance(statement, ast.Raise) else getattr(statement, "value", None)
    if not isinstance(statement, ast.Expr | ast.Raise | ast.Assign) or not isinstance(value, ast.Call):
        return None
    if last_name(value.func) in _LEAVING and len(value.args) == 1 and isinstance(value.args[0], ast.Call):
        return value.args[0]
    return None if isinstance(statement, ast.Raise) else value


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(one.value for one in call.keywords)]


def _definitions(cells: Sequence[CodeCell], name: str) -> list[tuple[CodeCell, _Definition]]:
    return [
        (cell, node)
        for cell in cells
        for node in _tree(cell)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    ]


def _fits(name: str, cells: Sequence[CodeCell], seen: frozenset[str]) -> bool:
    """Say whether a function, or one that it calls, fits something that it was not given."""
    definitions = _definitions(cells, name)
    if name in seen or not definitions:
        return False
    node = definitions[0][1]
    given = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
    for child in ast.walk(node):
        if not isinstance(child, ast.Call):
            continue
        if isinstance(child.func, ast.Attribute) and child.func.attr in FITTING and root(child.func) not in given:
            return True
        if isinstance(child.func, ast.Name) and _fits(child.func.id, cells, seen | {name}):
            return True
    return False


def _obstacle(node: _Definition, call: _Call, cells: Sequence[CodeCell]) -> str:
    """Return why a body cannot stand where it is called; empty: it can."""
    inside = list(_inside(node))
    if isinstance(node, ast.AsyncFunctionDef) or any(isinstance(one, ast.Yield | ast.YieldFrom) for one in inside):
        return "It runs in turns with its caller."
    if node.decorator_list or node.args.vararg or node.args.kwarg or node.args.posonlyargs:
        return "It is decorated, or takes any number of arguments."
    if any(isinstance(one, ast.Nonlocal) for one in ast.walk(node)):
        return "Functions inside it bind its names."
    returns = [one for one in inside if isinstance(one, ast.Return)]
    if any(one is not node.body[-1] for one in returns):
        return "It returns before its end."
    if call.targets and not (returns and returns[-1].value is not None):
        return "Its result is used, and it ends without one."
    if _bindings(node, call.call) is None:
        return "It is called with other arguments than it takes."
    used = {one for cell in cells for one in _loads(cell, node.name, call)}
    if node.name in used:
        return "It is called more than once."
    clash = sorted(_local_names(node) & used)
    if clash:
        return f"{', '.join(map(repr, clash))} inside it is something else outside; give one of them another name."
    return ""


def _inside(node: _Definition) -> Iterator[ast.AST]:
    for statement in node.body:
        yield from _own(statement)


def _loads(cell: CodeCell, function: str, call: _Call) -> Iterator[str]:
    """Return the names of the notebook's own scope that a cell reads, outside of a function and its call."""
    for position, statement in enumerate(_tree(cell)):
        if getattr(statement, "name", "") != function and (cell is not call.cell or position != call.position):
            yield from (one.name for one in occurrences(statement) if one.context == "load")


def _local_names(node: _Definition) -> set[str]:
    declared = {name for one in _inside(node) if isinstance(one, ast.Global) for name in one.names}
    imported = {
        alias.asname or alias.name.partition(".")[0]
        for one in _inside(node)
        if isinstance(one, ast.Import | ast.ImportFrom)
        for alias in one.names
    }
    found = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
    for statement in node.body:
        found |= {one.name for one in occurrences(statement) if one.context == "store" and not one.deferred}
    return found - declared - imported


def _bindings(node: _Definition, call: ast.Call) -> dict[str, str] | None:
    """Return what each parameter stands for in a call, as code; ``None`` if that cannot be told."""
    names = [one.arg for one in (*node.args.args, *node.args.kwonlyargs)]
    defaults = dict(zip([one.arg for one in reversed(node.args.args)], reversed(node.args.defaults), strict=False))
    given: dict[str, ast.expr] = dict(defaults)
    given |= {one.arg: value for one, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if value}
    starred = any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords)
    if starred or len(call.args) > len(node.args.args) or {one.arg for one in call.keywords} - set(names):
        return None
    given |= dict(zip(names, call.args, strict=False)) | {str(one.arg): one.value for one in call.keywords}
    return {name: ast.unparse(given[name]) for name in names} if len(given) == len(names) else None


def _entered(cells: Sequence[CodeCell], entry: _Call, holder: CodeCell, node: _Definition) -> list[CodeCell]:
    """Return the cells with a body in the place of its call, and without the function."""
    body = _body(holder, node.name, entry)
    alone = holder is not entry.cell and len(_tree(holder)) == len(_tree(entry.cell)) == 1
    found: list[CodeCell] = []
    for cell in cells:
        if cell is entry.cell:
            number = holder.number if alone else cell.number
            found.append(replace(cell, code=_rewritten(cell, node.name, {entry.position: body}), number=number))
        elif cell is not holder:
            found.append(cell)
        elif not alone:
            found.append(replace(cell, code=_rewritten(cell, node.name, {})))
    return found


def _rewritten(cell: CodeCell, left_out: str, inserted: dict[int, list[cst.BaseStatement]]) -> str:
    """Return the code of a cell without a function, and with other statements in the place of some."""
    module = cst.parse_module(cell.code)
    parts: list[cst.BaseStatement] = []
    position = 0
    for part in module.body:
        simple = list(part.body) if isinstance(part, cst.SimpleStatementLine) else []
        if len(simple) > 1 and any(position <= one < position + len(simple) for one in inserted):
            plain = [one.with_changes(semicolon=cst.MaybeSentinel.DEFAULT) for one in simple]
            lines: list[cst.BaseStatement] = [cst.SimpleStatementLine([one]) for one in plain]
        else:
            lines = [part] if isinstance(part, cst.SimpleStatementLine | cst.BaseCompoundStatement) else []
        for line in lines:
            if not (isinstance(line, cst.FunctionDef) and line.name.value == left_out):
                parts += inserted.get(position, [line])
            position += max(1, len(simple) // len(lines))
    return module.with_changes(body=parts).code


def _body(holder: CodeCell, name: str, entry: _Call) -> list[cst.BaseStatement]:
    module = cst.parse_module(holder.code)
    definition = next(one for one in module.body if isinstance(one, cst.FunctionDef) and one.name.value == name)
    node = next(one for one in _tree(holder) if isinstance(one, ast.FunctionDef) and one.name == name)
    body = [one for one in _opened(definition.body) if not _is_global(one)]
    body = body[1:] if ast.get_docstring(node) is not None else body
    if isinstance(node.body[-1], ast.Return):
        value = node.body[-1].value
        text = ast.unparse(value) if value is not None else ""
        bound = "".join(f"{one} = " for one in entry.targets if one not in (text, f"({text})", text.strip("()")))
        last = [cst.parse_statement(bound + text)] if bound else []
        body = [*body[:-1], *last]
    bindings = (_bindings(node, entry.call) or {}).items()
    first = [cst.parse_statement(f"{name} = {value}") for name, value in bindings if name != value]
    return [*first, *body]


def _is_global(part: cst.BaseStatement) -> bool:
    return isinstance(part, cst.SimpleStatementLine) and isinstance(part.body[0], cst.Global)
