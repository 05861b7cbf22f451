"""Find calls in a cell that stand for a command, belong to Google Colab, or fetch something from the network.

Called by magics. Syntax trees in, places out; nothing is executed and nothing is changed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

_FETCHING = re.compile(
    r"(?:^|\.)(?:urlretrieve|urlopen|fetch_openml|fetch_california_housing|fetch_20newsgroups|fetch_covtype|fetch_lfw_people|"
    r"fetch_kddcup99|fetch_rcv1|fetch_olivetti_faces|fetch_species_distributions|fetch_ucirepo|dataset_download|"
    r"competition_download)$|^requests\.(?:get|post|Session)$|^httpx\.(?:get|post)$|^(?:sns|seaborn)\.load_dataset$|"
    r"^(?:od|opendatasets|gdown|wget)\.download$|^yf\.download$"
)
"""Calls that always go to the network, as they are usually written."""
_URL = re.compile(r"^(?:https?|ftp|s3|gs|abfss?)://\S+$")
_READING = re.compile(r"(?:^|\.)(?:read_\w+|load\w*|get\w*|open\w*|scan_\w+|imread|genfromtxt)$")
_COLAB = "google.colab"


class Call(NamedTuple):
    """A statement to be replaced.

    Attributes:
        first: Its first line, counted from 1.
        last: Its last line.
        column: Its indentation, characters.
        text: What it stands for: a command, or the name that it binds.
    """

    first: int
    last: int
    column: int
    text: str


def exported_commands(tree: ast.Module) -> list[Call]:
    r"""Return statements such as ``get_ipython().run_line_magic("time", "f()")`` with the command they stand for.

    Example:
        >>> exported_commands(ast.parse("get_ipython().system('pip install pandas')"))[0].text
        '!pip install pandas'
    """
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and (text := _command(node.value)):
            found.append(_call(node, text))
        elif isinstance(node, ast.Assign) and (text := _command(node.value)):
            names = ", ".join(ast.unparse(target) for target in node.targets)
            found.append(_call(node, f"{names} = {text}"))
    return sorted(found)


def colab_statements(tree: ast.Module) -> list[Call]:
    r"""Return imports of ``google.colab`` and the statements that use them, with the name that each binds.

    Example:
        >>> [one.text for one in colab_statements(ast.parse("from google.colab import files\nup = files.upload()"))]
        ['', 'up']
    """
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and _imports_colab(node)
        for alias in node.names
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [_call(node, "")] if _imports_colab(node) else []
        elif isinstance(node, ast.Expr | ast.Assign) and _uses(node.value, names):
            targets = node.targets if isinstance(node, ast.Assign) else []
            found.append(_call(node, ", ".join(ast.unparse(target) for target in targets)))
    return sorted(found)


def downloads(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of each call that fetches something.

    Example:
        >>> list(downloads(ast.parse("import pandas as pd; df = pd.read_csv('https://example.org/a.csv')")))
        [(1, "pd.read_csv('https://example.org/a.csv')")]
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _fetches(node):
            yield node.lineno, ast.unparse(node)


def _fetches(node: ast.Call) -> bool:
    function = ast.unparse(node.func)
    if _FETCHING.search(function):
        return True
    first = node.args[0] if node.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return False
    return bool(_READING.search(function) and _URL.match(first.value))


def _command(node: ast.expr) -> str:
    """Return the command that a call of ``get_ipython()`` stands for."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return ""
    if not isinstance(node.func.value, ast.Call) or ast.unparse(node.func.value) != "get_ipython()":
        return ""
    words = [word.value for word in node.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
    method = node.func.attr
    if not words or len(words) != len(node.args):
        return ""
    if method in ("system", "getoutput"):
        return f"!{words[0]}"
    if method in ("magic", "run_line_magic"):
        return f"%{' '.join(words)}"
    if method == "run_cell_magic":
        return f"%%{' '.join(words[:-1])}".rstrip() + f"\n{words[-1]}".rstrip("\n")
    return ""


def _imports_colab(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").startswith(_COLAB)
    return all(alias.name.startswith(_COLAB) for alias in node.names)


def _uses(node: ast.expr, names: set[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    text = ast.unparse(node.func)
    return text.partition(".")[0] in names or text.startswith(_COLAB)


def _call(node: ast.stmt, text: str) -> Call:
    return Call(node.lineno, node.end_lineno or node.lineno, node.col_offset, text)
