"""Find out which text a piece of code stands for, without running it: names, constants of classes, options, parts.

Called by datafiles. Known is what is bound to literal text once; anything else stands for no text that can be told.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from modelwright.project.notebook.commandline import attribute_of
from modelwright.project.notebook.effects import last_name

_JOINING = frozenset(["join", "Path", "PurePath", "PosixPath", "open", "joinpath"])


def literal_texts(statements: Iterable[ast.stmt]) -> dict[str, str]:
    """Return what stands for one literal text, by the code that reads it.

    Example:
        >>> tree = ast.parse("ROOT = 'in/'; PATH = ROOT + 'a.csv'; CONFIG = {'file': PATH}")
        >>> literal_texts(tree.body)["CONFIG['file']"]
        'in/a.csv'
    """
    statements = list(statements)
    options = dict(_options(statements))
    fields: dict[str, dict[str, str]] = {}
    found: dict[str, str] = {}
    for node in statements:
        if isinstance(node, ast.ClassDef):
            fields[node.name] = dict(_bound_texts(node.body, found))
            found |= {f"{node.name}.{name}": text for name, text in fields[node.name].items()}
        for name, value in _assigned(node):
            text = text_of(value, found)
            if text is not None:
                found[name] = text
            if isinstance(value, ast.Dict):
                found |= dict(_items(name, value, found))
            elif isinstance(value, ast.Call):
                made = options if last_name(value.func) == "parse_args" else fields.get(last_name(value.func), {})
                found |= {f"{name}.{attribute}": text for attribute, text in made.items()}
    return found


def text_of(node: ast.AST, texts: dict[str, str]) -> str | None:
    """Return the text that an expression stands for; ``None`` if that cannot be told.

    Args:
        node: The expression.
        texts: What stands for one literal text, by the code that reads it.

    Example:
        >>> text_of(ast.parse("os.path.join(ROOT, 'a.csv')", mode="eval").body, {"ROOT": "in"})
        'in/a.csv'
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return texts.get(ast.unparse(node))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Div):
        left, right = text_of(node.left, texts), text_of(node.right, texts)
        if left is None or right is None:
            return None
        return left + right if isinstance(node.op, ast.Add) else f"{left.rstrip('/')}/{right}"
    if isinstance(node, ast.JoinedStr):
        return _joined([one.value if isinstance(one, ast.FormattedValue) else one for one in node.values], texts, "")
    if isinstance(node, ast.Call) and last_name(node.func) in _JOINING:
        return _joined(node.args[: 1 if last_name(node.func) == "open" else None], texts, "/")
    return None


def _joined(parts: Iterable[ast.AST], texts: dict[str, str], between: str) -> str | None:
    found = [text_of(part, texts) for part in parts]
    known = [part for part in found if part is not None]
    if len(known) < len(found) or not found:
        return None
    return str(PurePosixPath(*known)) if between else "".join(known)


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        yield node.targets[0].id, node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value


def _bound_texts(body: list[ast.stmt], known: dict[str, str]) -> Iterator[tuple[str, str]]:
    for node in body:
        for name, value in _assigned(node):
            text = text_of(value, known)
            if text is not None:
                yield name, text


def _items(name: str, node: ast.Dict, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in zip(node.keys, node.values, strict=True):
        text = text_of(value, known)
        if text is not None and key is not None:
            yield f"{name}[{ast.unparse(key)}]", text


def _options(statements: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Return the attributes of a script's arguments whose defaults are texts."""
    for call in (child for node in statements for child in ast.walk(node) if isinstance(child, ast.Call)):
        if last_name(call.func) == "add_argument":
            default = next((one.value for one in call.keywords if one.arg == "default"), None)
            if isinstance(default, ast.Constant) and isinstance(default.value, str):
                yield attribute_of(call), default.value
