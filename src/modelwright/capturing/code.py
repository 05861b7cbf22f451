"""Collect the code that a model needs and is not installed from an index, and give it a home in the package.

For: capture. Functions and classes of a script or notebook are lifted into one module; the user's own modules come
along with relative imports. While the model is saved, its references point to the new homes
(:meth:`Collected.rehomed`), so that every format stores ``churn.features.ratio`` instead of ``__main__.ratio``.

It does not: save the model, decide about dependencies, or leave any object changed.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from modelwright.capturing.lifting import Lifted, lift
from modelwright.capturing.local_modules import (
    Imported,
    LocalModule,
    imports_of,
    is_local,
    local_closure,
    relative_source,
)
from modelwright.capturing.referenced import Reference, referenced_objects
from modelwright.errors import SourceError
from modelwright.spec.manifest import File

OWN_FILES = ("model", "__init__", "__main__")
"""Module names that every package has for itself."""
LIFTED_NAMES = ("features", "lifted", "lifted_code")
"""Names for the lifted module; the first that no local module has."""


@dataclass(frozen=True)
class Collected:
    """The code of a model, ready to be written, and where its references will point.

    Attributes:
        package: Import name of the package.
        files: Text of each file, by path relative to the import package.
        imports: What the files import that is not part of the package, for dependencies.
        lifted: Names of the functions and classes that were lifted (``ratio``), in order.
        modules: Names of the local modules that came along, as they were written (``shop.prices``).
        model_modules: Modules of the installed types and functions that the model refers to, for dependencies.
        data_files: Files beside the local modules that the code names; they do not travel by themselves.
        variables: Environment variables that the code reads; never their values.
    """

    package: str
    files: dict[str, str]
    imports: tuple[Imported, ...] = ()
    lifted: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    model_modules: tuple[str, ...] = ()
    data_files: tuple[Path, ...] = ()
    variables: tuple[str, ...] = ()
    _homes: tuple[tuple[Any, str, str], ...] = field(default=(), repr=False)
    _stubs: dict[str, ModuleType] = field(default_factory=dict, repr=False)

    def write(self, folder: Path) -> tuple[File, ...]:
        """Write the files into an import package; return them as the manifest lists them.

        Args:
            folder: The import package's folder (``…/churn``).
        """
        return tuple(_written(folder, name, text.encode()) for name, text in sorted(self.files.items()))

    @contextmanager
    def rehomed(self) -> Iterator[None]:
        """Let the references of the model point into the package; put everything back afterwards, also on error.

        Functions and classes get the module and name they will have, and modules of those names stand in
        ``sys.modules``, in the place of a package of the same name that may be imported. Other threads see this too:
        one capture at a time.
        """
        if not self._homes:
            yield
            return
        with ExitStack() as stack:
            hidden = {n: m for n, m in sys.modules.items() if n == self.package or n.startswith(f"{self.package}.")}
            stack.callback(_swap_modules, self.package, hidden)
            _swap_modules(self.package, self._stubs)
            for value, module, name in self._homes:
                for attribute, new in _identity(value, module, name).items():
                    stack.callback(setattr, value, attribute, getattr(value, attribute))
                    setattr(value, attribute, new)
            yield


def collect(
    *models: object, package: str, modules: Sequence[str | ModuleType] = (), project: Path | None = None
) -> Collected:
    """Find and read all the code that a model needs beside installed distributions.

    Args:
        models: The live model and its parts: objects, functions, classes or modules.
        package: Import name of the package it will live in.
        modules: Local modules to bring along although nothing is seen to import them (loaded by name, plug-ins).
        project: The import package of a project that the model is captured into; its modules keep name and place.

    Raises:
        SourceError: A function, class, constant or module has no source that can be shipped; it is named.
    """
    references = referenced_objects(*models)
    lifted = _lift([r for r in references if r.home == "main"])
    wanted = [r.module for r in references if r.home == "local"]
    wanted += [m if isinstance(m, str) else m.__name__ for m in modules]
    wanted += [module for statement in lifted.imports for module in _imported_names(statement)]
    reached = local_closure(wanted)
    local = {name: module for name, module in reached.items() if not _is_at_home(module.file, project)}
    references = tuple(r for r in references if r.file is None or not _is_at_home(r.file, project))
    _refuse_taken_names(package, local)
    files = {m.path: relative_source(m.source, parent=m.parent) for m in local.values()}
    home = next(n for n in LIFTED_NAMES if f"{n}.py" not in files and f"{n}/__init__.py" not in files)
    imports = [found for module in reached.values() for found in imports_of(module)]
    if lifted.objects:
        files[f"{home}.py"] = lifted.text
        lifted_module = LocalModule(home, Path(f"{home}.py"), lifted.text, is_package=False)
        imports += imports_of(lifted_module)
    homes = _new_homes(references, package, lifted, home)
    return Collected(
        package=package,
        files=files,
        imports=tuple(sorted(set(imports))),
        lifted=tuple(lifted.objects),
        modules=tuple(local),
        model_modules=tuple(sorted({r.module for r in references if r.home == "installed"})),
        data_files=tuple(_data_files(local.values())),
        variables=tuple(sorted({name for text in files.values() for name in _variables(text)})),
        _homes=homes,
        _stubs=_stub_modules(package, homes, local, {home: lifted.objects} if lifted.objects else {}),
    )


def _is_at_home(file: Path, project: Path | None) -> bool:
    return project is not None and file.resolve().is_relative_to(project.resolve())


def _lift(references: list[Reference]) -> Lifted:
    for reference in references:
        if isinstance(reference.value, ModuleType):
            raise SourceError(
                "The running script itself cannot be the model.",
                why="A script also trains the model; a package must only predict.",
                hint="Put predict into a file of its own and give its path.",
            )
        if not isinstance(reference.value, FunctionType | type):
            raise SourceError(
                f"{reference.name!r} in __main__ is a {type(reference.value).__qualname__}, which has no source.",
                hint="Define it with def or class.",
            )
    if not references:
        return Lifted("", {}, ())
    return lift([reference.value for reference in references], vars(sys.modules["__main__"]))


def _imported_names(statement: str) -> Iterator[str]:
    for node in ast.parse(statement).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (n for alias in node.names if is_local(n := f"{node.module}.{alias.name}"))


def _refuse_taken_names(package: str, local: dict[str, LocalModule]) -> None:
    for module in local.values():
        top = module.name.partition(".")[0]
        if top in OWN_FILES:
            raise SourceError(
                f"The local module {top!r} has a name that every package uses for itself.",
                where=str(module.file),
                why=f"It would become {package}.{top}, where the model folder is.",
                hint=f"Rename it, for example to '{top}_code.py'.",
            )


def _new_homes(
    references: Iterable[Reference], package: str, lifted: Lifted, home: str
) -> tuple[tuple[Any, str, str], ...]:
    homes = [(value, f"{package}.{home}", name) for name, value in lifted.objects.items()]
    taken = {id(value) for value, _, _ in homes}
    for reference in references:
        if id(reference.value) in taken or reference.home not in ("main", "local"):
            continue
        if reference.home == "main":  # a class inside a lifted class
            homes.append((reference.value, f"{package}.{home}", reference.name))
        elif not isinstance(reference.value, ModuleType):
            homes.append((reference.value, f"{package}.{reference.module}", _importable_name(reference)))
        else:
            homes.append((reference.value, f"{package}.{reference.module}", ""))
    return tuple(homes)


def _importable_name(reference: Reference) -> str:
    """Return the name a local function or class is found under; a lambda has one if its module gave it one."""
    if "<" not in reference.name:
        return reference.name
    namespace = vars(sys.modules.get(reference.module, ModuleType("")))
    named = [name for name, value in namespace.items() if value is reference.value]
    if not named:
        raise SourceError(
            f"{reference.name} of the local module {reference.module!r} has no name of its own.",
            where=str(reference.file),
            why="It is a lambda or was made inside a function, so nothing can look it up after loading.",
            hint="Define it with def at the top level of the module.",
        )
    return named[0]


def _identity(value: Any, module: str, name: str) -> dict[str, str]:
    if isinstance(value, ModuleType):
        return {"__name__": module}
    new = {"__module__": module, "__qualname__": name}
    return new | ({"__name__": name} if "." not in name else {})


def _stub_modules(
    package: str,
    homes: Iterable[tuple[Any, str, str]],
    local: dict[str, LocalModule],
    lifted: dict[str, dict[str, Any]],
) -> dict[str, ModuleType]:
    """Make modules of the new names that hold the live objects, for formats that look references up while saving."""
    stubs: dict[str, ModuleType] = {package: ModuleType(package)}
    for name in local:
        stub = ModuleType(f"{package}.{name}")
        vars(stub).update(vars(sys.modules.get(name, stub)) | {"__name__": stub.__name__})
        stubs[stub.__name__] = stub
    for name, objects in lifted.items():
        stub = ModuleType(f"{package}.{name}")
        vars(stub).update(objects)
        stubs[stub.__name__] = stub
    for value, module, name in homes:
        if name and "." not in name:
            stubs.setdefault(module, ModuleType(module))
            setattr(stubs[module], name, value)
    return stubs


def _swap_modules(package: str, modules: dict[str, ModuleType]) -> None:
    for name in [n for n in sys.modules if n == package or n.startswith(f"{package}.")]:
        del sys.modules[name]
    sys.modules.update(modules)


def _data_files(modules: Iterable[LocalModule]) -> Iterator[Path]:
    """Find files that the code names in its text and that lie beside it."""
    seen: set[Path] = set()
    for module in modules:
        for node in ast.walk(ast.parse(module.source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
                path = module.file.parent / node.value.strip("/")
                if "\n" not in node.value and len(node.value) < 200 and path.suffix != ".py" and path.is_file():
                    seen.add(path.resolve())
    yield from sorted(seen)


def _variables(source: str) -> Iterator[str]:
    """Find ``os.environ["X"]``, ``os.environ.get("X")`` and ``os.getenv("X")``."""
    for node in ast.walk(ast.parse(source)):
        asked: ast.expr | None = None
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("os.environ", "environ"):
            asked = node.slice
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "os.environ.get",
            "environ.get",
            "os.getenv",
            "getenv",
        ):
            asked = node.args[0] if node.args else None
        if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
            yield asked.value


def _written(folder: Path, name: str, content: bytes) -> File:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return File(path=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
