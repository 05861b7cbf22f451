"""Find the console script that does what a file of ``scripts=[…]`` does, or say why there is none.

Called by :mod:`modelwright.project.adopting.adopt`. A wheel that modelwright builds installs commands as entry points
(PEP 621), so what a script does has to be a function in the package.
"""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from modelwright.errors import AdoptError
from modelwright.project.adopting.layout import Layout
from modelwright.project.adopting.report import Command
from modelwright.project.adopting.static_code import parse
from modelwright.project.adopting.tree import Tree

FOLDER = "scripts"
"""Sub-package that takes scripts along."""


class Converted(NamedTuple):
    """What becomes of the scripts.

    Attributes:
        commands: One for each.
        files: New files of the package, by path relative to the root.
    """

    commands: tuple[Command, ...]
    files: dict[str, str]


def convert_scripts(tree: Tree, scripts: list[str], layout: Layout) -> Converted:
    """Find the console script for each script.

    A script whose ``main`` comes from the package is that function. One that defines its own ``main()`` is copied
    into the package, so that an entry point can name it.
    """
    commands: list[Command] = []
    files: dict[str, str] = {}
    for script in scripts:
        command, copied = _convert(tree, script, layout)
        commands.append(command)
        files |= copied
    if files:
        files = {f"{layout.package}/{FOLDER}/__init__.py": '"""Commands of this project."""\n', **files}
    return Converted(tuple(commands), {path: text for path, text in files.items() if path not in tree.known})


def _convert(tree: Tree, script: str, layout: Layout) -> tuple[Command, dict[str, str]]:
    name = script.rpartition("/")[2]
    reason = ""
    if script not in tree.known:
        return Command(path=script, name=name, reason="there is no such file"), {}
    text = tree.text(script)
    if not script.endswith(".py") and "python" not in text.partition("\n")[0]:
        return Command(path=script, name=name, reason="it is no Python; an entry point names a function"), {}
    try:
        module = parse(text, where=str(tree.root / script))
    except AdoptError as error:
        return Command(path=script, name=name, reason=f"{error.what} {error.why}"), {}
    imported = _imported_main(module, layout.module)
    if imported:
        return Command(path=script, name=name, reference=imported), {}
    reason = _obstacle(module, text)
    if reason:
        return Command(path=script, name=name, reason=reason), {}
    stem = re.sub(r"\W", "_", name.removesuffix(".py"))
    reference = f"{layout.module}.{FOLDER}.{stem}:main"
    return Command(path=script, name=name, reference=reference), {f"{layout.package}/{FOLDER}/{stem}.py": text}


def _imported_main(module: ast.Module, package: str) -> str:
    """Return ``package.cli:main`` if that is the one thing the script imports from the package and calls."""
    called = _called_at_the_end(module)
    for node in module.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == package:
            for alias in node.names:
                if (alias.asname or alias.name) == called:
                    return f"{node.module}:{alias.name}"
    return ""


def _called_at_the_end(module: ast.Module) -> str:
    """Return the function that the script calls when it is run: ``main()`` or ``sys.exit(main())``."""
    last = module.body[-1] if module.body else None
    if isinstance(last, ast.If) and "__name__" in ast.unparse(last.test):
        last = last.body[-1]
    match last:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[])):
            return name
        case (
            ast.Expr(value=ast.Call(args=[ast.Call(func=ast.Name(id=name), args=[])]))
            | ast.Raise(exc=ast.Call(args=[ast.Call(func=ast.Name(id=name), args=[])]))
        ):
            return name
    return ""


def _obstacle(module: ast.Module, text: str) -> str:
    """Say why a script cannot be a console script; empty if it can."""
    main = next((node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "main"), None)
    if main is None:
        return "it has no main(); put what it does into a function main() in the package"
    needed = len(main.args.args) - len(main.args.defaults)
    if needed or any(default is None for default in main.args.kw_defaults):
        return "its main() needs arguments, and an entry point calls it without"
    if _called_at_the_end(module) != "main":
        return "it does more than to call main() when it is run"
    loose = next((node for node in module.body if _acts(node)), None)
    if loose is not None:
        return f"line {loose.lineno} acts whenever the file is imported"
    if "__file__" in text:
        return "it looks for files beside itself, and would stand elsewhere"
    return ""


def _acts(node: ast.stmt) -> bool:
    quiet = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
    if isinstance(node, quiet) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return False
    return not (isinstance(node, ast.If | ast.Try) or _is_call_of_main(node))


def _is_call_of_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr | ast.Raise) and "main()" in ast.unparse(node)
