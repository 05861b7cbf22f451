"""Write the visualization module: a function for each cell that drew or showed something, and what runs them.

Called by convert. The functions are called by an observer of the pipeline, so the pipeline knows nothing of them, and a
picture that cannot be drawn any more stops nothing.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from modelwright.project.notebook.displays import Display
from modelwright.project.notebook.effects import last_name
from modelwright.project.notebook.flow import Value
from modelwright.project.notebook.layout import SUMMARIES
from modelwright.project.notebook.plan import Plan
from modelwright.project.notebook.sources import Imports, compose, group_of, indented
from modelwright.project.notebook.vocabulary import DISPLAY_FUNCTIONS, PRESENTATION
from modelwright.project.notebook.writing import Modules

EXPLORER = '''
class Explorer:
    """Draw while the pipeline runs: `run(settings, observe=Explorer(Path("reports/figures")))`.

    Attributes:
        folder: Where figures are saved.
        skipped: What could not be drawn, with the reason.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.skipped: dict[str, str] = {}
        self._known: dict[str, Any] = {}

    def __call__(self, step: str, /, **values: Any) -> None:
        """Run every drawing that has what it needs after this step."""
        self._known |= values
        for draw in AFTER.get(step, ()):
            wanted = inspect.signature(draw).parameters
            try:
                made = draw(**{name: self._known[name] for name in wanted})
            except Exception as error:  # a picture is never worth a training run
                self.skipped[draw.__name__] = f"{type(error).__name__}: {error}"
            else:
                self._known |= made or {}
            self._save(draw.__name__)

    def _save(self, name: str) -> None:
        pyplot = sys.modules.get("matplotlib.pyplot")
        for number in pyplot.get_fignums() if pyplot else ():
            self.folder.mkdir(parents=True, exist_ok=True)
            pyplot.figure(number).savefig(self.folder / f"{name}-{number}.png")
        if pyplot:
            pyplot.close("all")
'''


class Drawing:
    """Writes the visualization module.

    Args:
        modules: Writes the other modules.
        imports: Imports of the notebook.
        titles: Heading above each cell.
    """

    def __init__(self, modules: Modules, imports: Imports, titles: dict[int, str]) -> None:
        self.modules = modules
        self.plan: Plan = modules.plan
        self.imports = imports
        self.titles = titles
        essential = {self.plan.names[value] for block in self.plan.blocks for value in (*block.takes, *block.gives)}
        self.own = {
            value: value.name if value.name not in essential else f"{value.name}_{display.cell}"
            for display in self.plan.displays
            for value in display.makes
        }

    def text(self) -> str:
        """Return the text of the module; empty if nothing is drawn or shown."""
        if not self.plan.displays:
            return ""
        functions: list[str] = []
        after: dict[str, list[str]] = defaultdict(list)
        for display in self.plan.displays:
            name = self._name(display, [name for names in after.values() for name in names])
            functions.append(self._function(display, name))
            after[self.plan.blocks[display.after].step].append(name)
        table = "\n".join(
            [
                "AFTER = {",
                *(f'    "{step}": ({", ".join(names)},),' for step, names in after.items()),
                "}",
                '"""What is drawn after each step of the pipeline."""',
            ]
        )
        body = "\n\n\n".join([*self.modules.own_items("visualization"), *functions, f"{table}\n\n{EXPLORER}".rstrip()])
        text = compose(
            SUMMARIES["visualization"], body, imports=self.imports, homes=self.modules.homes, module="visualization"
        )
        return _with_own_imports(text)

    def _name(self, display: Display, taken: list[str]) -> str:
        words = re.findall(r"[a-z]+", self.titles.get(display.cell, "").lower())[:5]
        name = "_".join(["show", *words]) if words else f"show_cell_{display.cell}"
        return name if name not in taken else f"{name}_{display.cell}"

    def _function(self, display: Display, name: str) -> str:
        names = {value.name: self.own.get(value, value.name) for value in display.makes}
        names |= {value.name: self.own.get(value, value.name) for value in display.uses}
        names |= {value.name: self.plan.names[value] for value in display.looks_at}
        takes = sorted({names[value.name] for value in (*display.looks_at, *display.uses)})
        lines = [
            f"def {name}({', '.join(takes)}):",
            f'    """Draw or show what cell {display.cell} of the notebook did."""',
        ]
        nested = [one for one in self.plan.nested if any(one in self._reads(index) for index in display.statements)]
        for function in sorted(nested):
            index = max(i for i, one in enumerate(self.plan.flow.statements) if one.defines == function)
            lines.append(indented(self.modules.speller.statement(index).strip("\n")))
        for index in display.statements:
            lines.append(indented(self._statement(index, names)))
        left = {self.own[value]: names[value.name] for value in display.makes if self._used_later(value)}
        if left:
            lines.append("    return {" + ", ".join(f'"{key}": {name}' for key, name in sorted(left.items())) + "}")
        return "\n".join(lines)

    def _reads(self, index: int) -> set[str]:
        return set(self.plan.flow.touches[index].reads)

    def _used_later(self, value: Value) -> bool:
        return any(value in display.uses for display in self.plan.displays)

    def _statement(self, index: int, names: dict[str, str]) -> str:
        text = self.modules.speller.statement(index, names).strip("\n")
        node = self.plan.flow.statements[index].node
        if not isinstance(node, ast.Expr):
            return text
        call = node.value
        drawn = isinstance(call, ast.Call) and (
            last_name(call.func) in DISPLAY_FUNCTIONS | PRESENTATION or isinstance(call.func, ast.Name)
        )
        if drawn or self._draws(call):
            return text
        comments = "".join(line + "\n" for line in text.split("\n")[: node.lineno - 1])
        body = "\n".join(text.split("\n")[node.lineno - 1 :])
        return f"{comments}display({_without_comment(body)})"

    def _draws(self, node: ast.expr) -> bool:
        modules = {name for name in self.imports.lines if name in {"plt", "sns", "px", "go", "msno", "pd"}}
        head = ast.unparse(node).split(".")[0].split("(")[0]
        plots = isinstance(node, ast.Call) and re.search(r"\.(plot|hist|boxplot|info|show)\b", ast.unparse(node.func))
        return (head in modules and head != "pd") or bool(plots)


def _without_comment(text: str) -> str:
    """Return an expression without what stands behind it: a comment, a semicolon."""
    tree = ast.parse(text).body[0]
    lines = text.split("\n")[: tree.end_lineno]
    lines[-1] = lines[-1].encode()[: tree.end_col_offset].decode()
    return "\n".join(lines)


def _with_own_imports(text: str) -> str:
    head, _, rest = text.partition("from __future__ import annotations\n\n")
    own = ["import inspect", "import sys", "from pathlib import Path", "from typing import Any"]
    first, _, body = rest.partition("\n\n")
    return f"{head}from __future__ import annotations\n\n" + _merged(own, first) + "\n\n" + body


def _merged(own: list[str], first: str) -> str:
    lines = first.split("\n")
    if lines and all(line.startswith(("import ", "from ")) for line in lines) and group_of(lines[0]) == 0:
        every = sorted({*own, *lines}, key=lambda one: (one.startswith("from "), one.lower()))
        return "\n".join(every)
    return "\n".join(own) + "\n\n" + first
