"""Read a Python file as data: follow its statements without running them, record what it calls ``setup`` with.

Called for setup.py and for ``__version__`` in a package. Assignments, loops, small functions, ``with open``, ``exec``
of a file of the project and the text methods that setup.py files are made of are followed over plain values. The rest
gives :class:`Unread` with the reason and the line, which matters only if a keyword of ``setup`` needs it.

It never imports, calls or executes anything of the file. Source: CPython ``Doc/library/ast.rst`` (abstract grammar).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from modelwright.errors import AdoptError
from modelwright.project.adopting.static_expressions import SETUP, Expressions
from modelwright.project.adopting.static_values import Function, Imported, Located, Unread, Unreadable, World

_NO_FILE = "no file of the project"
_GIVE_UP = (
    ArithmeticError,
    MemoryError,
    re.error,
    RecursionError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    StopIteration,
)


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class _Leave(Exception):
    """``break`` or ``continue``."""

    def __init__(self, loop_ends: bool) -> None:
        self.loop_ends = loop_ends


def parse(source: str, *, where: str) -> ast.Module:
    """Return the syntax tree of a file.

    Raises:
        AdoptError: It is no Python 3; file and line are named.
    """
    try:
        return ast.parse(source)
    except SyntaxError as error:
        old = "print" in (error.text or "") or "Missing parentheses" in str(error.msg) or "except" in str(error.msg)
        raise AdoptError(
            "The file is not Python 3." if old else "The file has a syntax error.",
            where=f"{where}, line {error.lineno}",
            why=f"{error.msg}: {(error.text or '').strip()}" if error.text else str(error.msg),
            hint="Port it first: 2to3, or by hand; a model package runs on Python 3." if old else "Correct that line.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise AdoptError("The file is no Python source.", where=where, why=str(error)) from error


def read_setup(world: World, tree: ast.Module) -> dict[str, Any]:
    """Return the keywords that a setup.py calls ``setup`` with; :class:`Unread` where a value cannot be known.

    Raises:
        AdoptError: It never calls ``setup``.
    """
    reading = Reading(world)
    reading.run(tree.body)
    if reading.setup is None:
        raise AdoptError(
            "setup() is never called in a way that can be followed.",
            where=str(world.tree.root / world.file),
            hint="Call it at the top level of setup.py, or let the build backend say it: --run-setup.",
        )
    return reading.setup


def read_names(world: World, tree: ast.Module) -> dict[str, Any]:
    """Return what a module's top-level names are assigned, as far as that can be known."""
    reading = Reading(world)
    reading.run(tree.body)
    return reading.names


class Reading(Expressions):
    """One file that is being read.

    Attributes:
        names: Values of its top-level names so far.
        setup: Keywords of the first call of ``setup``; ``None`` before it.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world, {"__file__": Located(world.file), "__name__": "__main__"})
        self.setup: dict[str, Any] | None = None

    def run(self, body: Sequence[ast.stmt]) -> None:
        """Follow statements; one that cannot be followed makes what it would have assigned unknown."""
        for statement in body:
            with suppress(_Return, _Leave):
                self._try_to_follow(statement)

    def _block(self, body: Sequence[ast.stmt]) -> None:
        """Follow the statements of a block; where one that cannot be followed might leave it, give the block up."""
        for statement in body:
            unread = self._try_to_follow(statement)
            if unread is not None and not _is_guard(statement) and _may_leave(statement):
                raise Unreadable(unread.why, unread.line)

    def _try_to_follow(self, statement: ast.stmt) -> Unread | None:
        try:
            self._follow(statement)
        except (Unreadable, *_GIVE_UP) as error:
            why = error.why if isinstance(error, Unreadable) else f"{type(error).__name__}: {error}"
            unread = Unread(why, getattr(error, "line", 0) or statement.lineno)
            self._forget(statement, unread)
            return unread
        return None

    def _follow(self, node: ast.stmt) -> None:
        match node:
            case ast.Import():
                for alias in node.names:
                    top = alias.name if alias.asname else alias.name.partition(".")[0]
                    self.assign(alias.asname or top, Imported(top))
            case ast.ImportFrom():
                for alias in node.names:
                    self.assign(alias.asname or alias.name, self._imported(node.module or "", alias.name))
            case ast.FunctionDef():
                self.assign(node.name, Function(node))
            case ast.Assign():
                value = self.value(node.value)
                for target in node.targets:
                    self.store(target, value)
            case ast.AnnAssign(value=ast.expr() as given):
                self.store(node.target, self.value(given))
            case ast.AugAssign(target=ast.Name(id=name)):
                self.assign(name, self.operate(node.op, self.lookup(name, node), self.value(node.value)))
            case ast.Expr():
                self._expression(node.value)
            case ast.If():
                self._block(node.body if self.value(node.test) else node.orelse)
            case ast.With():
                for item in node.items:
                    opened = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.store(item.optional_vars, opened)
                self._block(node.body)
            case ast.For():
                self._loop(node)
            case ast.Try():
                self._try(node)
            case ast.Return():
                raise _Return(self.value(node.value) if node.value else None)
            case ast.Break() | ast.Continue():
                raise _Leave(isinstance(node, ast.Break))
            case ast.Raise():
                raise Unreadable("it would raise an error", node.lineno)
            case ast.Pass() | ast.Global() | ast.AnnAssign() | ast.Assert() | ast.ClassDef():
                if isinstance(node, ast.ClassDef):
                    self.assign(node.name, Unread("a class is not followed", node.lineno))
            case _:
                raise Unreadable(f"{type(node).__name__.lower()} is not followed", node.lineno)

    def _imported(self, module: str, name: str) -> Imported:
        return Imported(f"{module}.{name}")

    def _expression(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant):
            return
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "exec":
            self._exec(node)
            return
        self.value(node)

    def _exec(self, node: ast.Call) -> None:
        """``exec(open("pkg/version.py").read(), about)``: read that text as we read this file."""
        text = self.value(node.args[0])
        if not isinstance(text, str):
            raise Unreadable("what exec() runs is no text", node.lineno)
        inner = Reading(self.world)
        inner.run(parse(text, where=f"{self.world.file}, line {node.lineno}: exec").body)
        into = self.value(node.args[-1]) if len(node.args) > 1 else self.scopes[-1]
        if not isinstance(into, dict):
            raise Unreadable("exec() fills something that is no dict", node.lineno)
        into.update({name: value for name, value in inner.names.items() if not name.startswith("__f")})

    def _loop(self, node: ast.For) -> None:
        for item in self.items(self.value(node.iter)):
            self.store(node.target, item)
            try:
                self._block(node.body)
            except _Leave as leave:
                if leave.loop_ends:
                    return
        self._block(node.orelse)

    def _try(self, node: ast.Try) -> None:
        """Follow the body; where it would fail for want of a file, what stands in the first handler."""
        before = dict(self.scopes[-1])
        problem = ""
        try:
            self._block(node.body)
        except Unreadable as error:
            problem = error.why
        unread = {name for name in _stored(node.body) if isinstance(self.scopes[-1].get(name), Unread)}
        problem = problem or next((self.scopes[-1][name].why for name in unread), "")
        if _NO_FILE in problem and node.handlers:
            self.scopes[-1].update({name: before[name] for name in unread & before.keys()})
            self._block(node.handlers[0].body)
        elif problem and not unread:
            raise Unreadable(problem, node.lineno)
        else:
            self._block(node.orelse)
        self._block(node.finalbody)

    def _forget(self, node: ast.stmt, unread: Unread) -> None:
        """Make everything unknown that a statement may have assigned or changed."""
        if _is_guard(node):
            return  # 'if sys.version_info < (3, 7): sys.exit(…)' changes nothing
        for name in {*_stored([node]), *_changed([node])}:
            if not isinstance(self.scopes[-1].get(name), Imported | Function):
                self.scopes[-1][name] = unread
        for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
            if self.setup is None and self._is_setup(call.func):
                self.record(call)

    def _is_setup(self, node: ast.expr) -> bool:
        try:
            found = self.value(node)
        except Unreadable:
            return False
        return isinstance(found, Imported) and found.name in SETUP

    def record(self, call: ast.Call) -> None:
        """Record what setup() is called with, each keyword for itself."""
        found: dict[str, Any] = {}
        for keyword in call.keywords:
            try:
                value = self.value(keyword.value)
            except Unreadable as error:
                value = Unread(error.why, error.line or keyword.value.lineno)
            except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
                value = Unread(f"{type(error).__name__}: {error}", keyword.value.lineno)
            if keyword.arg:
                found[keyword.arg] = value
            elif isinstance(value, dict):
                found.update(value)
            else:
                found["**"] = value if isinstance(value, Unread) else Unread("it is no dict", keyword.value.lineno)
        self.setup = found

    def constants_of(self, file: str) -> dict[str, Any]:
        """Return the top-level names of another file of the project."""
        if file not in self.world.tree.known:
            raise Unreadable(f"it reads {file}, which is {_NO_FILE}")
        return read_names(World(self.world.tree, file), parse(self.world.tree.text(file), where=file))

    def enter(self, function: Function, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        """Follow a function that the file defines."""
        node = function.node
        names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        scope = dict(
            zip(names[len(names) - len(node.args.defaults) :], map(self.value, node.args.defaults), strict=True)
        )
        defaults = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        scope |= {argument.arg: self.value(default) for argument, default in defaults if default is not None}
        scope |= dict(zip(names, arguments, strict=False)) | keywords
        if node.args.kwarg:
            known = {*names, *(argument.arg for argument in node.args.kwonlyargs)}
            scope[node.args.kwarg.arg] = {name: value for name, value in keywords.items() if name not in known}
        if node.args.vararg:
            scope[node.args.vararg.arg] = tuple(arguments[len(names) :])
        if len(self.scopes) > 50:
            raise Unreadable("functions call each other without end")
        self.scopes.append(scope)
        try:
            if isinstance(node, ast.Lambda):
                return self.value(node.body)
            self._body(node.body)
        except _Return as returned:
            return returned.value
        finally:
            self.scopes.pop()
        return None

    def _body(self, body: Sequence[ast.stmt]) -> None:
        """Follow a function's statements; unlike at the top level, one that cannot be followed ends it."""
        self._block(body)
        unread = [value for value in self.scopes[-1].values() if isinstance(value, Unread)]
        if unread and any(isinstance(node, ast.Return) and node.value for each in body for node in ast.walk(each)):
            raise Unreadable(unread[0].why, unread[0].line)


def _stored(body: Sequence[ast.stmt]) -> set[str]:
    return {
        node.id
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _changed(body: Sequence[ast.stmt]) -> set[str]:
    """Names whose value a statement may change in place: ``x.append(…)``, ``x[…] = …``, ``exec(…, x)``."""
    found: set[str] = set()
    for node in (n for statement in body for n in ast.walk(statement)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            found.add(node.func.value.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "exec":
            found |= {argument.id for argument in node.args if isinstance(argument, ast.Name)}
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            found.add(node.value.id)
    return found


def _may_leave(node: ast.stmt) -> bool:
    return any(isinstance(each, ast.Return | ast.Break | ast.Continue | ast.Raise) for each in ast.walk(node))


def _is_guard(node: ast.stmt) -> bool:
    """Tell whether an ``if`` only stops the program or prints."""
    if not isinstance(node, ast.If) or node.orelse or _stored(node.body):
        return False
    return all(isinstance(each, ast.Raise | ast.Expr) for each in node.body)
