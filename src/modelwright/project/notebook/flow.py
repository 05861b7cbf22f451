"""The def/use graph of a notebook: who makes each value, who changes it, who reads it.

Called by order and plan. A name that is bound anew is a new *value*; changing an object in place is not. Objects that
may be the same, or hold one another, form a *group*: a change of one is a change of all.

Source: Cytron et al. 1991, "Efficiently Computing Static Single Assignment Form"; Weiser 1981, "Program Slicing".
"""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from modelwright.project.notebook.effects import last_name, root
from modelwright.project.notebook.functions import Function, functions_of
from modelwright.project.notebook.statements import Statement
from modelwright.project.notebook.vocabulary import SAVERS

PROVIDED = frozenset(dir(builtins)) | {"display", "get_ipython", "In", "Out", "_", "__", "__file__", "__name__", "exit"}
"""Names that a notebook finds without defining them."""
PYTHON_2 = frozenset(["unicode", "basestring", "long", "unichr", "xrange", "raw_input", "reduce", "reload", "execfile"])
"""Builtins of Python 2, which a branch that is never taken may still name."""


@dataclass(eq=False)
class Value:
    """What a name stands for between two bindings.

    Attributes:
        name: The name in the notebook.
        made: Index of the statement that binds it.
        kind: ``data``, or ``import``, ``function``.
        writers: Indices of the statements that bind or change it, ascending.
        readers: Indices of the statements that read it.
        carries: Functions that its objects may call later.
    """

    name: str
    made: int
    kind: str = "data"
    writers: list[int] = field(default_factory=list)
    readers: list[int] = field(default_factory=list)
    carries: frozenset[str] = frozenset()


@dataclass
class Touch:
    """What one statement touches.

    Attributes:
        reads: Values it reads, also through the functions that it calls, by the name used for them.
        makes: Values it binds anew.
        changes: Values it changes.
        needs: Indices of statements whose results it needs.
        after: Indices of statements that it must follow, needed or not.
    """

    reads: dict[str, Value] = field(default_factory=dict)
    makes: list[Value] = field(default_factory=list)
    changes: list[Value] = field(default_factory=list)
    needs: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Undefined:
    """A name that is used where nothing has defined it.

    Attributes:
        name: The name.
        index: Index of the statement.
        through: Function that reads it; empty if the statement itself does.
    """

    name: str
    index: int
    through: str = ""


@dataclass
class Flow:
    """The graph.

    Attributes:
        statements: Statements in the order they are executed.
        touches: What each touches.
        values: Every value, in the order they are made.
        functions: The notebook's own functions and classes by name.
        undefined: Names that nothing has defined where they are used.
        pinned: Names that stand for one value throughout, because functions read them when they are called.
        together: For each value, those whose objects may be the same, or hold one another, itself included.
    """

    statements: Sequence[Statement]
    touches: list[Touch]
    values: list[Value]
    functions: dict[str, Function]
    undefined: list[Undefined]
    pinned: frozenset[str]
    together: dict[Value, frozenset[Value]]

    def needed(self, targets: Iterable[int]) -> set[int]:
        """Return the statements that some statements need, themselves included (a backward slice)."""
        found: set[int] = set()
        waiting = list(targets)
        while waiting:
            index = waiting.pop()
            if index not in found:
                found.add(index)
                waiting += self.touches[index].needs
        return found


class _Groups:
    """Values whose objects may be the same, or hold one another."""

    def __init__(self) -> None:
        self._leader: dict[Value, Value] = {}
        self._members: dict[Value, list[Value]] = {}

    def leader(self, value: Value) -> Value:
        while (above := self._leader.get(value, value)) is not value:
            value = above
        return value

    def join(self, one: Value, other: Value) -> None:
        one, other = self.leader(one), self.leader(other)
        if one is not other:
            self._members[one] = self.members(one) + self.members(other)
            self._leader[other] = one

    def members(self, value: Value) -> list[Value]:
        leader = self.leader(value)
        return self._members.get(leader, [leader])


class _Tracing:
    """Builds the graph, statement by statement."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.statements = statements
        self.functions = functions_of(statements)
        self.pinned = self._pinned()
        self.bound = {name for one in statements for name in one.binds | one.may_bind}
        self.bound_later = {name for one in statements for name in one.deferred_binds} - self.bound
        self.current: dict[str, Value] = {}
        self.groups = _Groups()
        self.containers: set[Value] = set()
        self.scalars: set[Value] = set()
        self.values: list[Value] = []
        self.undefined: list[Undefined] = []
        self.random: list[int] = []
        self.files: dict[str, list[int]] = defaultdict(list)
        self.star = any(one.node.names[0].name == "*" for one in statements if isinstance(one.node, ast.ImportFrom))

    def _pinned(self) -> frozenset[str]:
        data = {name for one in self.statements if not one.defines and not one.is_import for name in one.binds}
        data |= {name for one in self.statements for name in one.may_bind}
        read_later = {name for one in self.statements for name in one.deferred}
        bound_later = {name for one in self.statements for name in one.deferred_binds}
        return frozenset((read_later & data) | bound_later)

    def run(self) -> Flow:
        touches = [self._touch(index, one) for index, one in enumerate(self.statements)]
        together = {value: frozenset(self.groups.members(value)) for value in self.values}
        return Flow(self.statements, touches, self.values, self.functions, self.undefined, self.pinned, together)

    def _touch(self, index: int, statement: Statement) -> Touch:
        touch = Touch()
        self._read(index, statement, touch)
        changed = self._changed(statement, touch)
        self._change(index, touch, changed)
        self._order_hidden(index, statement, touch)
        self._bind(index, statement, touch)
        self._share(statement)
        touch.needs.discard(index)
        touch.after = (touch.after | touch.needs) - {index}
        return touch

    def _read(self, index: int, statement: Statement, touch: Touch) -> None:
        for name in sorted(statement.reads):
            if name in self.current or name not in statement.may_bind | statement.binds:
                self._read_name(index, name, touch)
        for name in sorted(set(touch.reads)):
            for function in {name} | set(touch.reads[name].carries):
                self._read_through(index, function, touch)

    def _read_through(self, index: int, function: str, touch: Touch) -> None:
        found = self.functions.get(function)
        for name in sorted(found.reads if found else ()):
            if name not in touch.reads:
                self._read_name(index, name, touch, through=function)

    def _read_name(self, index: int, name: str, touch: Touch, *, through: str = "") -> None:
        value = self.current.get(name)
        if value is None:
            if not (self.star or self._comes_from_elsewhere(index, name, through)):
                self.undefined.append(Undefined(name, index, through))
            return
        touch.reads[name] = value
        self._need(touch, value)
        for member in self.groups.members(value):
            member.readers.append(index)

    def _comes_from_elsewhere(self, index: int, name: str, through: str) -> bool:
        """Say whether a name needs no definition by then: provided, bound in a function, or perhaps never read."""
        if name in PROVIDED or name in self.bound_later:
            return True
        if through:  # nobody knows which methods of a class are called
            return name not in self.bound and self._is_class(through)
        certain = any(one.certain for one in self.statements[index].occurrences if one.name == name)
        return name in PYTHON_2 and not certain

    def _is_class(self, name: str) -> bool:
        return any(isinstance(one.node, ast.ClassDef) and one.defines == name for one in self.statements)

    def _need(self, touch: Touch, value: Value) -> None:
        """Need what made a value and every change of it, also those made through other names."""
        for member in self.groups.members(value):
            touch.needs |= set(member.writers) if member is value else set(member.writers) - {member.made}

    def _changed(self, statement: Statement, touch: Touch) -> set[str]:
        changed = set(statement.effects.mutated)
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Call):
                changed |= self._changed_by_call(node)
        for name in touch.reads:
            if name in self.functions and not statement.defines:
                changed |= self.functions[name].changes
        changed |= {source.removeprefix("[]") for target, source in statement.effects.shared if target in changed}
        changed -= statement.binds - statement.reads  # what it changes is then what it has bound itself
        return changed | (set(statement.may_bind) & set(self.current))

    def _changed_by_call(self, call: ast.Call) -> set[str]:
        function = self.functions.get(last_name(call.func))
        if function is None:
            return set()
        given = function.arguments(call)
        changed = {root(value) for name, value in given.items() if name in function.changes_parameters}
        if isinstance(call.func, ast.Attribute) and function.changes_itself:
            changed.add(root(call.func.value))
        return changed - {""}

    def _change(self, index: int, touch: Touch, names: Iterable[str]) -> None:
        for name in sorted(names):
            value = self.current.get(name)
            if value is None or value.kind != "data":
                continue
            self._write(index, touch, value)

    def _write(self, index: int, touch: Touch, value: Value) -> None:
        touch.changes.append(value)
        self._need(touch, value)
        for member in self.groups.members(value):
            touch.after |= set(member.readers)
        value.writers.append(index)
        for member in self.groups.members(value):
            if member is not value:
                member.writers.append(index)

    def _order_hidden(self, index: int, statement: Statement, touch: Touch) -> None:
        """Keep the order of what has no name: the global generator of random numbers, files on disk."""
        if statement.effects.random:
            touch.needs |= set(self.random[-1:])
            self.random.append(index)
        for text in _paths(statement.node):
            touch.needs |= set(self.files[text])
            if _writes_files(statement):
                self.files[text].append(index)

    def _bind(self, index: int, statement: Statement, touch: Touch) -> None:
        kind = "import" if statement.is_import else "function" if statement.defines else "data"
        carries = frozenset(
            name for name in touch.reads if name in self.functions and self.functions[name].reads & self.pinned
        )
        for name in sorted(statement.binds | statement.may_bind):
            old = self.current.get(name)
            again = name in self.pinned or name in statement.may_bind
            if old is not None and again and old.kind == kind == "data":
                if name in self.pinned and name in statement.binds:
                    self._write(index, touch, old)
                continue
            value = Value(name, index, kind, writers=[index], carries=carries)
            self.current[name] = value
            self.values.append(value)
            touch.makes.append(value)
            if isinstance(getattr(statement.node, "value", None), ast.Constant | ast.UnaryOp):
                self.scalars.add(value)
            if isinstance(getattr(statement.node, "value", None), ast.Dict | ast.List | ast.Tuple | ast.DictComp):
                self.containers.add(value)

    def _share(self, statement: Statement) -> None:
        for target, source in statement.effects.shared:
            one, other = self.current.get(target), self.current.get(source.removeprefix("[]"))
            if one is None or other is None or one.kind != "data" or other.kind != "data":
                continue
            if {one, other} & self.scalars:
                continue
            if source.startswith("[]") and not self.containers & set(self.groups.members(other)):
                continue
            self.groups.join(one, other)
            if {one, other} & self.containers:
                self.containers |= {one, other}


def _paths(node: ast.stmt) -> set[str]:
    return {
        child.value
        for child in ast.walk(node)
        if isinstance(child, ast.Constant) and isinstance(child.value, str) and "." in child.value[1:]
    }


def _writes_files(statement: Statement) -> bool:
    modes = {"w", "wb", "a", "x", "wt"}
    strings = {child.value for child in ast.walk(statement.node) if isinstance(child, ast.Constant)}
    return bool(SAVERS & set(statement.effects.calls)) or ("open" in statement.effects.calls and bool(modes & strings))


def trace(statements: Sequence[Statement]) -> Flow:
    """Build the graph of statements in the order they are executed."""
    return _Tracing(statements).run()
