"""Follow the expressions of code that is not run: what would this one give, if that can be known at all?

Called by :mod:`modelwright.project.adopting.static_code`, which follows the statements around them. Nothing of the code
is imported, called or executed. Source: CPython ``Doc/library/ast.rst`` (abstract grammar).
"""

from __future__ import annotations

import ast
import operator
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from modelwright.project.adopting.static_values import (
    BUILTINS,
    LIBRARY_VALUES,
    MAX_TEXT,
    Function,
    Imported,
    Located,
    Opened,
    Unread,
    Unreadable,
    World,
    check_growth,
    parsed_requirements,
)

MAX_BITS = 4096
"""Longest number that is computed, bits."""
MAX_STEPS = 200_000
"""Expressions that are followed at most; a defence against endless loops."""
SETUP = ("setuptools.setup", "distutils.core.setup", "skbuild.setup", "numpy.distutils.core.setup")
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Mod: operator.mod,
    ast.Div: operator.truediv,
    ast.Sub: operator.sub,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
}


class Expressions:
    """Expressions of one file.

    Attributes:
        world: What the file can see.
        names: Values of its top-level names so far.
        scopes: The same, and above it the names of the functions and comprehensions that are being followed.
    """

    def __init__(self, world: World, names: dict[str, Any]) -> None:
        self.world = world
        self.names = names
        self.scopes: list[dict[str, Any]] = [names]
        self._steps = 0

    def enter(self, function: Function, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        """Follow a function that the file defines."""
        raise NotImplementedError

    def record(self, call: ast.Call) -> None:
        """Record a call of ``setup``."""
        raise NotImplementedError

    def constants_of(self, file: str) -> dict[str, Any]:
        """Return the top-level names of another file of the project."""
        raise NotImplementedError

    def value(self, node: ast.expr) -> Any:
        """Return the value of an expression.

        Raises:
            Unreadable: It cannot be known without running the code.
        """
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Unreadable("the code is too long to be followed", node.lineno)
        try:
            return self._bounded(self._value(node))
        except Unreadable as error:
            raise Unreadable(error.why, error.line or node.lineno) from None

    def _bounded(self, value: Any) -> Any:
        if isinstance(value, str | bytes | list | tuple) and len(value) > MAX_TEXT:
            raise Unreadable("a value grows without bounds")
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise Unreadable("a number grows without bounds")
        return value

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return self.lookup(node.id, node)
            case ast.List() | ast.Tuple() | ast.Set():
                made = list(self._elements(node.elts))
                return made if isinstance(node, ast.List) else tuple(made) if isinstance(node, ast.Tuple) else set(made)
            case ast.Dict():
                return self._dict(node)
            case ast.JoinedStr():
                return "".join(self._piece(part) for part in node.values)
            case ast.BinOp():
                return self.operate(node.op, self.value(node.left), self.value(node.right))
            case ast.UnaryOp(op=ast.Not()):
                return not self.value(node.operand)
            case ast.UnaryOp(op=ast.USub()):
                return -self.value(node.operand)
            case ast.BoolOp():
                return self._bool(node)
            case ast.Compare():
                return self._compare(node)
            case ast.IfExp():
                return self.value(node.body if self.value(node.test) else node.orelse)
            case ast.Attribute():
                return self._constant(self.world.attribute(self.value(node.value), node.attr))
            case ast.Subscript():
                return self._known(self.value(node.value)[self._index(node.slice)])
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                made = [self.value(node.elt) for _ in self._comprehend(node.generators)]
                return set(made) if isinstance(node, ast.SetComp) else made
            case ast.DictComp():
                return {self.value(node.key): self.value(node.value) for _ in self._comprehend(node.generators)}
            case ast.Call():
                return self._call(node)
            case ast.Starred():
                return self.value(node.value)
            case ast.Lambda():
                return Function(node)
        raise Unreadable(f"{type(node).__name__.lower()} is not followed")

    def _known(self, value: Any) -> Any:
        if isinstance(value, Unread):
            raise Unreadable(value.why, value.line)
        return value

    def _constant(self, value: Any) -> Any:
        """Return what an imported name stands for, if it is a flag of :mod:`re` or a constant of the project."""
        if not isinstance(value, Imported):
            return value
        if value.name in LIBRARY_VALUES:
            return LIBRARY_VALUES[value.name]
        file, _, name = self.world.module_of(value.name)
        if not file or file == self.world.file:
            return value
        names = self.constants_of(file)
        return self._known(names[name]) if name in names else value

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            return slice(*(self.value(part) if part else None for part in (node.lower, node.upper, node.step)))
        return self.value(node)

    def lookup(self, name: str, node: ast.AST) -> Any:
        """Return the value of a name."""
        for scope in (self.scopes[-1], self.names):
            if name in scope:
                return self._constant(self._known(scope[name]))
        if name in BUILTINS or name in ("open", "print", "exec"):
            return Imported(name)
        raise Unreadable(f"nothing defines {name!r}", getattr(node, "lineno", 0))

    def _elements(self, nodes: Iterable[ast.expr]) -> Iterator[Any]:
        for node in nodes:
            if isinstance(node, ast.Starred):
                yield from self.items(self.value(node.value))
            else:
                yield self.value(node)

    def _dict(self, node: ast.Dict) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                made.update(self.value(value))
            else:
                made[self.value(key)] = self._or_unread(value)
        return made

    def _or_unread(self, node: ast.expr) -> Any:
        try:
            return self.value(node)
        except Unreadable as error:
            return Unread(error.why, error.line)

    def _piece(self, node: ast.expr) -> str:
        if isinstance(node, ast.FormattedValue):
            if node.format_spec is not None or node.conversion not in (-1, 115):
                raise Unreadable("a format is not followed")
            return str(_text(self.value(node.value)))
        return str(self.value(node))

    def operate(self, op: ast.operator, left: Any, right: Any) -> Any:
        """Return the result of an operator."""
        if isinstance(op, ast.Mult) and isinstance(left, int) and isinstance(right, int):
            return left * right
        if type(op) not in _OPERATORS:
            raise Unreadable(f"the operator {type(op).__name__} is not followed")
        if isinstance(left, Located) and isinstance(op, ast.Add) and isinstance(right, str):
            return Located(left.path + right)
        if isinstance(left, str | bytes) and isinstance(op, ast.Mod):
            check_growth(left, "format", ())
        return _OPERATORS[type(op)](left, right)

    def _bool(self, node: ast.BoolOp) -> Any:
        value: Any = None
        for each in node.values:
            value = self.value(each)
            if bool(value) is isinstance(node.op, ast.Or):
                return value
        return value

    def _compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            if isinstance(left, Imported) or isinstance(right, Imported):
                raise Unreadable("it depends on the interpreter or the platform")
            if not _OPERATORS[type(op)](left, right):
                return False
            left = right
        return True

    def _comprehend(self, generators: Sequence[ast.comprehension]) -> Iterator[None]:
        scope = dict(self.scopes[-1])
        self.scopes.append(scope)
        try:
            yield from self._nested(generators)
        finally:
            self.scopes.remove(scope)

    def _nested(self, generators: Sequence[ast.comprehension]) -> Iterator[None]:
        if not generators:
            yield
            return
        first, *rest = generators
        for item in self.items(self.value(first.iter)):
            self.store(first.target, item)
            if all(self.value(test) for test in first.ifs):
                yield from self._nested(rest)

    def items(self, value: Any) -> list[Any]:
        """Return what a loop over a value gives."""
        if isinstance(value, Opened):
            return value.readlines()
        if isinstance(value, str | list | tuple | dict | set) or hasattr(value, "__iter__"):
            return list(value)
        raise Unreadable("it loops over something that is not known")

    def store(self, target: ast.expr, value: Any) -> None:
        """Assign to a name, several names or an item."""
        match target:
            case ast.Name():
                self.assign(target.id, value)
            case ast.Tuple() | ast.List():
                for each, item in zip(target.elts, self.items(value), strict=True):
                    self.store(each, item)
            case ast.Subscript():
                self.value(target.value)[self._index(target.slice)] = value
            case _:
                raise Unreadable("an attribute is assigned", target.lineno)

    def assign(self, name: str, value: Any) -> None:
        """Assign to a name of the innermost scope."""
        self.scopes[-1][name] = value

    def _call(self, node: ast.Call) -> Any:
        function = self.value(node.func)
        if isinstance(function, Imported) and function.name in SETUP:
            self.record(node)
            return None
        if isinstance(function, Imported) and function.name == "print":
            return None
        if isinstance(function, Imported) and function.name == "runpy.run_path":
            return self.constants_of(posixpath.normpath(str(_text(self.value(node.args[0])))))
        if isinstance(function, Imported) and function.name.endswith(".parse_requirements"):
            return parsed_requirements(self.world, self.value(node.args[0]))
        arguments = list(self._elements(node.args))
        keywords = {word.arg: self.value(word.value) for word in node.keywords if word.arg}
        return self._result(function, arguments, keywords)

    def _result(self, function: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        if isinstance(function, Function):
            return self.enter(function, arguments, keywords)
        if isinstance(function, Imported):
            known = BUILTINS.get(function.name) or self.world.function(function.name)
            if known is None:
                raise Unreadable(f"{function.name}() would have to be called")
            function = known
        if not callable(function):
            raise Unreadable("something that is no function is called")
        arguments = [self._callable(each) for each in arguments]
        for each in arguments:
            if isinstance(each, Imported):
                raise Unreadable(f"{each.name} is known only when the code runs")
        arguments = [each.readlines() if isinstance(each, Opened) else each for each in arguments]
        if isinstance(getattr(function, "__self__", None), str):
            arguments = [_text(each) for each in arguments]
            check_growth(function.__self__, function.__name__, arguments)
        return function(*arguments, **{name: self._callable(value) for name, value in keywords.items()})

    def _callable(self, value: Any) -> Any:
        if isinstance(value, Function):
            return lambda *arguments: self.enter(value, list(arguments), {})
        if isinstance(value, Imported) and value.name in BUILTINS:
            return BUILTINS[value.name]
        if isinstance(value, Imported) and value.name.startswith("str."):
            return getattr(str, value.name[4:])
        return value


def _text(value: Any) -> Any:
    return value.path if isinstance(value, Located) else value
