r"""Separate a cell's Python from everything that only IPython, a shell or Colab understands.

Called by convert. What is taken out leaves a comment or ``pass`` in its line, so that line numbers stay; what measures
or hides (``%%time``, ``%%capture``) is taken off and the code in it kept. Look-alikes inside strings are not touched: a
cell that is Python as it stands has no commands in it.

Source: IPython documentation, "Built-in magic commands" and "IPython reference: system shell access, dynamic object
information".
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

from modelwright.project.notebook import calls, commands
from modelwright.project.notebook.cells import Cell
from modelwright.project.notebook.lines import Scanner
from modelwright.project.notebook.syntax import dedented, parse
from modelwright.spec.struct import Frozen

_LINE = re.compile(r"^(?P<indent>\s*)(?:(?P<names>[\w.,\s]+?)\s*=\s*)?(?P<mark>[!%]{1,2})\s*(?P<rest>\S.*)$", re.DOTALL)
_HELP = re.compile(r"^\s*\?{1,2}\s*%{0,2}[\w.*]+\s*$|^\s*%{0,2}[A-Za-z_][\w.*\[\]'\"]*\?{1,2}\s*;?\s*$")
_BARE = re.compile(
    r"^\s*(?:(?:pip3?|conda|mamba)\s+(?:install|uninstall|list|show)\b|(?:cd|ls|mkdir|cat|rm|cp|mv)\s+[\w./~-])"
)
_QUIET = re.compile(r"^\s*;[\s;]*$")
"""A semicolon alone, for IPython an empty text, keeps a cell from showing its last value."""
_COMMAND = re.compile(r"(?P<name>[\w.]+)\s*(?P<rest>.*)", re.DOTALL)


class ShellLine(Frozen, frozen=True, kw_only=True):
    """Something that was taken out of a cell.

    Attributes:
        line: Its line in the cell, counted from 1.
        text: The text of it.
    """

    line: int
    text: str


class Unkept(Frozen, frozen=True, kw_only=True):
    """An assignment whose value only a shell, IPython or Colab can give; it matters if the name is used.

    Attributes:
        name: The name that it binds.
        line: Its line in the cell, counted from 1.
        text: The text of it.
    """

    name: str
    line: int
    text: str


class Separated(Frozen, frozen=True, kw_only=True):
    """The Python of a cell, and what was taken out of it.

    Attributes:
        code: Valid Python with the cell's comments and line numbers.
        installs: Requirements (PEP 508) that the cell installs.
        shell: Shell commands, also those that install; the lines of a ``%%bash`` cell are one.
        magics: Commands of IPython.
        colab: What only Google Colab understands: mounted drives, uploads.
        unkept: Assignments that were taken out.
        written: Content of the files that the cell writes, by path (``%%writefile``).
        downloads: What needs the network: shell commands, and calls in Python code that fetch.
        network: Whether there are any.
    """

    code: str
    installs: tuple[str, ...] = ()
    shell: tuple[ShellLine, ...] = ()
    magics: tuple[ShellLine, ...] = ()
    colab: tuple[ShellLine, ...] = ()
    unkept: tuple[Unkept, ...] = ()
    written: dict[str, str] = {}
    downloads: tuple[ShellLine, ...] = ()
    network: bool = False


def separate(cell: Cell) -> Separated:
    r"""Separate the Python of a code cell from commands.

    Args:
        cell: The cell.

    Raises:
        CellError: What remains is no Python 3.

    Example:
        >>> found = separate(Cell(number=1, kind="code", source="!pip install -q pandas\n%time x = 1"))
        >>> found.code, found.installs
        ('# !pip install -q pandas\nx = 1', ('pandas',))
    """
    taken = _Taken()
    code = _cell_magic(dedented(cell.source), taken)
    if not _is_python(code):
        code = _line_magics(code, taken)
    code = _exported(code, taken)
    tree = parse(code, number=cell.number)
    code = _without_colab(code, tree, taken)
    taken.downloads += [ShellLine(line=line, text=text) for line, text in calls.downloads(tree)]
    return taken.separated(code)


@dataclass
class _Taken:
    """What has been taken out so far.

    Attributes:
        above: Lines of the cell above the text that is looked at now.
    """

    above: int = 0
    installs: list[str] = field(default_factory=list)
    shell: list[ShellLine] = field(default_factory=list)
    magics: list[ShellLine] = field(default_factory=list)
    colab: list[ShellLine] = field(default_factory=list)
    unkept: list[Unkept] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    downloads: list[ShellLine] = field(default_factory=list)

    def run_by_shell(self, line: int, text: str) -> None:
        taken = ShellLine(line=self.above + line, text=text.strip())
        self.shell.append(taken)
        self.installs += commands.requirements_of(text)
        if commands.needs_network(text):
            self.downloads.append(taken)

    def magic(self, line: int, text: str) -> None:
        self.magics.append(ShellLine(line=self.above + line, text=text.strip()))

    def separated(self, code: str) -> Separated:
        return Separated(
            code=code,
            installs=tuple(dict.fromkeys(self.installs)),
            shell=tuple(sorted(self.shell, key=_line)),
            magics=tuple(sorted(self.magics, key=_line)),
            colab=tuple(sorted(self.colab, key=_line)),
            unkept=tuple(sorted(self.unkept, key=_line)),
            written=self.written,
            downloads=tuple(sorted(self.downloads, key=_line)),
            network=bool(self.downloads),
        )


def _line(taken: ShellLine | Unkept) -> int:
    return taken.line


def _is_python(code: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True


def _cell_magic(source: str, taken: _Taken) -> str:
    """Take off ``%%…`` lines at the begin of a cell; there may be several (``%%capture``, then ``%%time``)."""
    lines = source.split("\n")
    for number, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line.startswith("%%"):
            break
        found = _COMMAND.match(line[2:])
        name, rest = (found["name"], found["rest"]) if found else ("", "")
        if name not in commands.MEASURING:
            return _whole_cell(name, rest, lines, number, taken)
        taken.magic(number + 1, line)
        setup = commands.without_options(name, rest) if name in ("time", "timeit") else ""
        lines[number] = setup if setup and _is_python(setup) else f"# {line}"
    return "\n".join(lines)


def _whole_cell(name: str, rest: str, lines: list[str], number: int, taken: _Taken) -> str:
    """Take out a cell that is not Python for this process."""
    body = "\n".join(lines[number + 1 :])
    taken.magic(number + 1, lines[number])
    if name in commands.WRITING:
        path = commands.without_options(name, rest).strip("'\"")
        content = body if body.endswith("\n") else f"{body}\n"
        taken.written[path] = content
    elif name in ("bash", "sh", "script", "system", "sx", "!"):
        for offset, line in enumerate(body.split("\n"), start=number + 2):
            if line.strip() and not line.lstrip().startswith("#"):
                taken.run_by_shell(offset, line)
    return "\n".join(lines[:number] + [f"# {line}".rstrip() for line in lines[number:]])


def _line_magics(code: str, taken: _Taken) -> str:
    """Replace each command that stands where a statement can begin."""
    result: list[str] = []
    waiting: list[str] = []
    scanner = Scanner()
    for line in code.split("\n"):
        if waiting or (scanner.at_statement and _is_command(line)):
            waiting.append(line)
            if not line.endswith("\\"):
                result += _replaced(waiting, len(result) + 1, taken)
                waiting = []
        else:
            scanner.feed(line)
            result.append(line)
    result += _replaced(waiting, len(result) + 1, taken) if waiting else []
    return "\n".join(result)


def _is_command(line: str) -> bool:
    found = _LINE.match(line)
    if found and (found["mark"] != "!" or not found["rest"].startswith("=")):
        return found["mark"] != "%%" or found["names"] is None
    return any(one.match(line) for one in (_HELP, _BARE, _QUIET))


def _replaced(lines: list[str], number: int, taken: _Taken) -> list[str]:
    """Return as many lines as there were, without the command in them."""
    text = "\n".join(line.removesuffix("\\").rstrip() if line.endswith("\\") else line for line in lines)
    found = _LINE.match(text.replace("\n", " "))
    kept = _kept(found, number, text, taken) if found else _bare(text, number, taken)
    indent = re.match(r"\s*", lines[0])
    begin = indent[0] if indent else ""
    if kept:
        return [begin + kept, *(f"{begin}#" for _ in lines[1:])]
    mark = "pass  # " if begin else "# "
    return [f"{begin}{mark}{lines[0].strip()}", *(f"{begin}# {line.strip()}" for line in lines[1:])]


def _kept(found: re.Match[str], number: int, text: str, taken: _Taken) -> str:
    """Take note of a command; return the code in it that stays."""
    names, rest = found["names"], found["rest"]
    if found["mark"].startswith("!"):
        taken.run_by_shell(number, rest.lstrip("!"))
        return _unkept(names, number, text, taken)
    command = _COMMAND.match(rest)
    name, argument = (command["name"], command["rest"]) if command else ("", "")
    taken.magic(number, text)
    if name in ("pip", "conda", "mamba", "uv", "system", "sx", "sc"):
        taken.run_by_shell(number, argument if name in ("system", "sx", "sc") else f"{name} {argument}")
        taken.magics.pop()
    if name in commands.LIBRARIES and not names:
        return f"{commands.LIBRARIES[name]}  # %{rest}"
    if name in commands.MEASURING and name not in ("capture", "debug", "pdb"):
        code = commands.without_options(name, argument)
        if code and names is None:
            return code
        if code and name == "time":
            return f"{names} = {code}"
    return _unkept(names, number, text, taken)


def _bare(text: str, number: int, taken: _Taken) -> str:
    if _BARE.match(text):
        taken.run_by_shell(number, text)
    return ""


def _unkept(names: str | None, number: int, text: str, taken: _Taken) -> str:
    for name in (names or "").split(","):
        if name.strip():
            taken.unkept.append(Unkept(name=name.strip(), line=taken.above + number, text=text.strip()))
    return ""


def _exported(code: str, taken: _Taken) -> str:
    """Take out the calls that Jupyter writes for commands when it exports a notebook as a script."""
    if "get_ipython" not in code or not _is_python(code):
        return code

    def replacement(call: calls.Call) -> str:
        taken.above = call.first - 1
        return _line_magics(_cell_magic(call.text, taken), taken)

    rewritten = _rewritten(code, calls.exported_commands(ast.parse(code)), replacement)
    taken.above = 0
    return rewritten


def _rewritten(code: str, found: list[calls.Call], replacement: Callable[[calls.Call], str]) -> str:
    lines = code.split("\n")
    for call in reversed(found):
        new = replacement(call).split("\n")
        indent = " " * call.column
        if indent and all(line.startswith("#") for line in new):
            new[0] = f"pass  {new[0]}"
        height = call.last - call.first + 1
        new += ["#"] * (height - len(new))
        lines[call.first - 1 : call.last] = [indent + line for line in new]
    return "\n".join(lines)


def _without_colab(code: str, tree: ast.Module, taken: _Taken) -> str:
    """Take out what only Google Colab understands."""
    found = calls.colab_statements(tree)
    if not found:
        return code
    lines = code.split("\n")
    for call in found:
        text = "\n".join(lines[call.first - 1 : call.last]).strip()
        taken.colab.append(ShellLine(line=call.first, text=text))
        _unkept(call.text or None, call.first, text, taken)
    return _rewritten(
        code, found, lambda call: "\n".join(f"# {line.strip()}" for line in lines[call.first - 1 : call.last])
    )
