"""Judge names and calls: which are known to be harmless, which run programs, open files or connections. Pure.

Called by scan. A list of what is dangerous is never complete, so it only decides how loudly something is told; what
is *not* told at all has to be on the reviewed list of the skops format, or be the package's own code.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Literal

Severity = Literal["info", "warning", "danger"]

_HARMLESS_STANDARD = frozenset(
    {"collections", "copyreg", "datetime", "decimal", "enum", "fractions", "numbers", "types", "uuid", "_codecs"}
)
_DANGEROUS_ELSEWHERE = (
    "joblib.load",
    "joblib.numpy_pickle.",
    "numpy.distutils",
    "numpy.f2py",
    "numpy.fromfile",
    "numpy.load",
    "numpy.memmap",
    "numpy.testing",
    "pandas.eval",
    "pandas.io",
    "pandas.read_",
    "torch.hub",
    "torch.load",
)
_HARMLESS_BUILTINS = frozenset(
    {"NoneType", "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object"}
    | {"range", "set", "slice", "str", "tuple"}
)
_CALLS: dict[str, Severity] = {
    "builtins.__import__": "warning",
    "builtins.compile": "warning",
    "builtins.eval": "warning",
    "builtins.exec": "warning",
    "builtins.open": "info",
    "ctypes": "warning",
    "http": "info",
    "httpx": "info",
    "importlib.import_module": "info",
    "marshal.loads": "warning",
    "os.exec": "warning",
    "os.fork": "warning",
    "os.kill": "warning",
    "os.popen": "warning",
    "os.remove": "info",
    "os.spawn": "warning",
    "os.system": "warning",
    "os.unlink": "info",
    "pickle.load": "warning",
    "pty": "warning",
    "requests": "info",
    "runpy": "warning",
    "shutil.rmtree": "info",
    "smtplib": "warning",
    "socket": "warning",
    "subprocess": "warning",
    "urllib": "info",
    "webbrowser": "warning",
}
"""Calls in source code that are worth a look, by full name or beginning of it."""


def judge_name(name: str, *, package: str, reviewed: frozenset[str]) -> Severity | None:
    """Say how serious it is that loading an artifact constructs or calls something; ``None``: harmless.

    Args:
        name: Full name.
        package: Import name of the package, whose own code is imported anyway.
        reviewed: Names that somebody reviewed.

    Example:
        >>> judge_name("posix.system", package="churn", reviewed=frozenset())
        'danger'
        >>> judge_name("lightgbm.sklearn.LGBMClassifier", package="churn", reviewed=frozenset())
        'warning'
        >>> judge_name("churn.features.Ratio", package="churn", reviewed=frozenset()) is None
        True
    """
    module, _, last = name.rpartition(".")
    root = name.partition(".")[0]
    if name in reviewed or (package and root == package):
        return None
    if root == "builtins":
        return None if last in _HARMLESS_BUILTINS else "danger"
    if root == "?" or name.startswith(_DANGEROUS_ELSEWHERE):
        return "danger"
    if root in sys.stdlib_module_names:
        return None if module in _HARMLESS_STANDARD else "danger"
    return "warning"


def suspicious_calls(source: str) -> Iterator[tuple[int, str, Severity]]:
    r"""Yield calls in Python source that run programs, open connections or make code: line, full name, severity.

    Names are followed through imports (``from os import system as s``), not through assignments: this informs a
    reader, it stops nobody.

    Raises:
        SyntaxError: It is no Python of this interpreter.
        ValueError: It contains null bytes.

    Example:
        >>> list(suspicious_calls("import subprocess as s\ns.run(['id'])\n"))
        [(2, 'subprocess.run', 'warning')]
    """
    tree = ast.parse(source)
    known = _imported(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _full_name(node.func, known)
        severity = _severity(name) if name else None
        if severity:
            yield node.lineno, name.removeprefix("builtins."), severity


def _severity(name: str) -> Severity | None:
    for known, severity in _CALLS.items():
        family = known if known.startswith(("os.", "pickle.")) else f"{known}."  # os.exec: os.execv, os.execvp …
        if name == known or name.startswith(family):
            return severity
    return None


def _imported(tree: ast.AST) -> dict[str, str]:
    """Return the full name that each imported name stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _full_name(function: ast.expr, known: dict[str, str]) -> str:
    """Return the full name of what is called; empty when it is no plain name."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return ""
    if function.id in known:
        root = known[function.id]
    elif not parts:
        root = f"builtins.{function.id}"
    else:
        return ""
    return ".".join([root, *reversed(parts)])
