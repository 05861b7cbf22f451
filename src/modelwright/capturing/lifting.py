"""Lift functions and classes out of a script or notebook into the text of a module.

Called by code collection. What a definition uses comes along: the imports it needs and only those, constants that can
be written as they are, other definitions, in an order that runs. What cannot come along is refused by name. It writes
no files and changes no object.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import symtable
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from modelwright.capturing.homes import home_of_module
from modelwright.capturing.literals import literal
from modelwright.capturing.module_text import import_block
from modelwright.capturing.sources import Definition, Found, MainSources
from modelwright.errors import SourceError


class Lifted(NamedTuple):
    """The text of a module, and what lives in it.

    Attributes:
        text: The source.
        objects: The lifted functions and classes, by their name in the new module.
        imports: Import statements that the text needs, absolute, as written in it before local ones become relative.
    """

    text: str
    objects: dict[str, Any]
    imports: tuple[str, ...]


class _Item(NamedTuple):
    """One statement of the new module."""

    text: str
    position: tuple[int, int]
    needed_first: frozenset[str]


def lift(values: Iterable[Any], namespace: Mapping[str, Any]) -> Lifted:
    """Write a module that defines the given functions and classes and all that they use.

    Args:
        values: Functions and classes of ``__main__``.
        namespace: The variables of ``__main__``.

    Raises:
        SourceError: A definition has no source, or uses a value that cannot be written down.
    """
    lifting = _Lifting(namespace)
    for value in values:
        lifting.take(value)
    return lifting.finish()


class _Lifting:
    def __init__(self, namespace: Mapping[str, Any]) -> None:
        script = namespace.get("__file__")
        self.namespace = namespace
        self.sources = MainSources(script if isinstance(script, str) else None)
        self.items: dict[str, _Item] = {}
        self.objects: dict[str, Any] = {}
        self.imports: set[str] = set()

    def take(self, value: Any) -> None:
        """Take a function or class that the model refers to, under a name that its module can have."""
        if any(known is value for known in self.objects.values()):
            return
        if _looked_up(self.namespace, value.__qualname__) is value:
            self.need(value.__qualname__.partition(".")[0], value.__qualname__)
            return
        named = [n for n, v in self.namespace.items() if v is value and not n.startswith("_")]
        if named:
            self.need(named[0], value.__qualname__)
        else:
            self._define(self._free_name(value), value)

    def _free_name(self, value: Any) -> str:
        plain = value.__name__ if value.__name__.isidentifier() else "function"
        taken = {*self.items, *self.namespace, *dir(builtins)}
        return next(n for n in (plain, *(f"{plain}_{i}" for i in range(1, 10_000))) if n not in taken)

    def need(self, name: str, user: str) -> None:
        """Bring a name of the namespace into the new module."""
        if name in self.items or name not in self.namespace or (name.startswith("__") and name.endswith("__")):
            return  # there already, or a builtin, or a mistake that running the code will show
        value = self.namespace[name]
        binding = self.sources.binding(name)
        if binding and isinstance(binding.node, ast.Import | ast.ImportFrom):
            self.imports.update(_import_statements(binding.node, name, self.namespace))
        elif isinstance(value, ModuleType):
            self.imports.add(_import_of_module(value, name))
        elif isinstance(value, FunctionType | type) and home_of_module(value.__module__) == "main":
            self._define(name, value)
        elif isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
            self.imports.add(_import_of_value(value, name))
        else:
            self._constant(name, value, user, binding)

    def _define(self, name: str, value: Any) -> None:
        found = self.sources.function(value) if isinstance(value, FunctionType) else self.sources.class_(value)
        if found is None:
            found = self._made_by_a_call(name, value)
        if found is None:
            raise _no_source(name, value)
        text = _as_definition(found, name)
        # The source of a decorated function has its decorators, which wrap it again; the wrapper's closure is theirs.
        plain = inspect.unwrap(value) if isinstance(value, FunctionType) else None
        if isinstance(plain, FunctionType) and plain.__closure__:
            text = _with_closure(text, name, plain)
        elif isinstance(found.node, Definition) and found.node.name != name:
            text += f"\n\n\n{name} = {found.node.name}"
        self.objects[name] = value
        self._add(name, text, found.position, value.__qualname__)

    def _made_by_a_call(self, name: str, value: Any) -> Found | None:
        """Take ``Point = namedtuple("Point", "x y")`` as it was written: the call makes the class again."""
        found = self.sources.binding(name)
        if isinstance(value, type) and found and isinstance(found.node, ast.Assign) and _is_call(found.node.value):
            return found
        return None

    def _constant(self, name: str, value: Any, user: str, binding: Found | None) -> None:
        position = binding.position if binding else (0, 0)
        if binding and isinstance(binding.node, ast.Assign) and _says(binding.node, name, value):
            self._add(name, binding.text, position, user)
            return
        written = literal(value)
        if written is not None:
            self.imports |= written.imports
            self._add(name, f"{name} = {written.expression}", position, user)
            return
        if binding and isinstance(binding.node, ast.Assign) and type(value).__module__ in ("typing", "types"):
            self._add(name, binding.text, position, user)  # a type alias, TypeVar or NewType
            return
        raise SourceError(
            f"{user} uses {name!r}, a {type(value).__qualname__} that cannot be written into a module.",
            where=f"__main__.{name}",
            why="Only constants that have a literal form travel with the code (numbers, text, containers of them, "
            "compiled patterns, relative paths, small arrays).",
            hint=f"Make {name!r} an argument or attribute of the model, or compute it inside {user}.",
        )

    def _add(self, name: str, text: str, position: tuple[int, int], user: str) -> None:
        names = names_used(text)
        self.items[name] = _Item(text, position, frozenset(names.first - {name}))
        for used in sorted(names.first | names.later):
            if used != name:
                self.need(used, user)

    def finish(self) -> Lifted:
        """Put imports, constants and definitions together."""
        futures = [f"from __future__ import {f}" for f in sorted(self.sources.futures() | _flags(self.objects))]
        imports = tuple(sorted(self.imports))
        bodies = [self.items[name].text.rstrip() for name in self._ordered()]
        head = '"""Functions and classes that the model needs, lifted out of the session that trained it."""'
        text = "\n\n".join(filter(None, [head, "\n".join(futures), import_block(imports)])) + "\n"
        before = "\n"
        for body in bodies:
            is_block = body.startswith(("def ", "class ", "@", "async "))
            text += ("\n\n" if is_block else before) + body + "\n"
            before = "\n\n" if is_block else ""
        return Lifted(text, self.objects, imports)

    def _ordered(self) -> Iterator[str]:
        done: set[str] = set()

        def visit(name: str) -> Iterator[str]:
            if name in done or name not in self.items:
                return
            done.add(name)
            for earlier in sorted(self.items[name].needed_first, key=self._place):
                yield from visit(earlier)
            yield name

        for name in sorted(self.items, key=self._place):
            yield from visit(name)

    def _place(self, name: str) -> tuple[bool, tuple[int, int], str]:
        item = self.items.get(name)
        return (name in self.objects, item.position if item else (0, 0), name)


def _looked_up(namespace: Mapping[str, Any], name: str) -> Any:
    top, *rest = name.split(".")
    found = namespace.get(top)
    for part in rest:
        found = getattr(found, part, None)
    return found


class Names(NamedTuple):
    """Names a text uses: ``first`` while the module runs (decorators, bases, defaults), ``later`` in bodies."""

    first: frozenset[str]
    later: frozenset[str]


def names_used(text: str) -> Names:
    r"""Return the module-level names that a text uses, variables of its functions and classes left out.

    Example:
        >>> names = names_used("def f(x, n=SIZE):\n    return g(x) + n")
        >>> sorted(names.first), sorted(names.later)
        (['SIZE'], ['g'])
    """
    first: set[str] = set()
    later: set[str] = set()
    waiting = [(symtable.symtable(text, "<lifted>", "exec"), True)]
    while waiting:
        table, runs_first = waiting.pop()
        top = table.get_type() == "module"
        for symbol in table.get_symbols():
            outer = symbol.is_global() if not top else not symbol.is_assigned() and not symbol.is_namespace()
            if outer and (symbol.is_referenced() or symbol.is_declared_global()):
                (first if runs_first else later).add(symbol.get_name())
        waiting += [(child, runs_first and child.get_type() == "class") for child in table.get_children()]
    for node in ast.walk(ast.parse(text)):
        first.update(leaf.id for part in _annotations(node) for leaf in ast.walk(part) if isinstance(leaf, ast.Name))
    return Names(frozenset(first), frozenset(later))


def _annotations(node: ast.AST) -> list[ast.expr]:
    return [p for p in (getattr(node, "annotation", None), getattr(node, "returns", None)) if isinstance(p, ast.expr)]


def _as_definition(found: Found, name: str) -> str:
    if not isinstance(found.node, ast.Lambda):
        return found.text
    arguments = ast.unparse(found.node.args)
    return f"def {name}({arguments}):\n    return {ast.unparse(found.node.body)}"


def _with_closure(text: str, name: str, function: FunctionType) -> str:
    """Wrap a definition so that the variables it closes over are there again."""
    arguments = []
    inner = function.__code__.co_name if function.__code__.co_name.isidentifier() else name
    for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if variable == inner:
            continue
        written = literal(cell.cell_contents)
        if written is None or written.imports:
            raise SourceError(
                f"The function {function.__qualname__} closes over {variable!r}, a "
                f"{type(cell.cell_contents).__qualname__} that cannot be written into a module.",
                hint=f"Make it a class with {variable!r} as an attribute, or use functools.partial.",
            )
        arguments.append((variable, written.expression))
    made = ", ".join(variable for variable, _ in arguments)
    given = ", ".join(f"{variable}={expression}" for variable, expression in arguments)
    body = textwrap.indent(text, "    ")
    return f"def _make_{name}({made}):\n{body}\n\n    return {inner}\n\n\n{name} = _make_{name}({given})"


def _says(node: ast.Assign, name: str, value: Any) -> bool:
    """Tell whether an assignment is a plain literal that still gives the value."""
    if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name) or node.targets[0].id != name:
        return False
    try:
        said = ast.literal_eval(node.value)
        return type(said) is type(value) and bool(said == value)
    except (ValueError, TypeError, SyntaxError):
        return False


def _is_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call)


def _import_statements(node: ast.Import | ast.ImportFrom, name: str, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Give the part of an import statement that binds a name; ``import a.b`` binds ``a`` and is kept whole."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if (alias.asname or alias.name.partition(".")[0]) == name:
                yield f"import {alias.name} as {name}" if alias.asname else f"import {alias.name}"
        return
    origin = node.module or ""
    if node.level:
        package = str(namespace.get("__package__") or "").split(".")
        origin = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
    for alias in node.names:
        if (alias.asname or alias.name) == name:
            yield f"from {origin} import {alias.name}" + (f" as {name}" if alias.asname else "")


def _import_of_module(module: ModuleType, name: str) -> str:
    return f"import {name}" if module.__name__ == name else f"import {module.__name__} as {name}"


def _import_of_value(value: Any, name: str) -> str:
    origin = value.__qualname__
    return f"from {value.__module__} import {origin}" + ("" if origin == name else f" as {name}")


def _flags(objects: Mapping[str, Any]) -> frozenset[str]:
    codes = [value.__code__ for value in objects.values() if isinstance(value, FunctionType)]
    return frozenset({"annotations"} if any(_has_future_annotations(code) for code in codes) else ())


def _has_future_annotations(code: CodeType) -> bool:
    return bool(code.co_flags & 0x1000000)  # CO_FUTURE_ANNOTATIONS. Source: PEP 563, Include/cpython/code.h


def _no_source(name: str, value: Any) -> SourceError:
    what = "lambda" if value.__name__ == "<lambda>" else "class" if isinstance(value, type) else "function"
    return SourceError(
        f"The {what} {value.__qualname__} has no source that can be shipped with the model.",
        where=f"__main__.{name}",
        why="It was typed into an interpreter, given to exec or -c, or made by a tool; it would not load elsewhere.",
        hint=f"Write it as 'def {name if name.isidentifier() else 'name'}(…)' in a file or notebook cell and use that.",
    )
