"""Write the modules around the stages: the pipeline that runs them, and the settings.

Called by convert.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from modelwright.project.notebook.knobs import Knobs, Setting
from modelwright.project.notebook.sources import compose
from modelwright.project.notebook.writing import Modules

SETTINGS = Path(__file__).parents[1] / "templates" / "1" / "tasks" / "settings.py.jinja"
_INCLUDE = '{% include "tasks/" ~ task ~ "/settings.py.jinja" %}'
_ABOUT = {
    "general": "Constants of the notebook.",
    "data": "What is read, and how it is prepared.",
    "features": "How features are built.",
    "split": "How the rows are divided.",
    "model": "What is trained.",
    "evaluation": "How models are judged.",
    "output": "What is written.",
}


def pipeline_text(modules: Modules) -> str:
    """Return the module that runs the stages in order."""
    plan = modules.plan
    steps: list[str] = []
    for block in plan.blocks:
        takes = [plan.names[value] for value in modules.takes(block)]
        takes += ["settings"] if modules.takes_settings(block) else []
        gives = modules.gives(block)
        call = f"{block.function}({', '.join(takes)})"
        bound = [*gives, "found"] if block.measures else gives
        steps.append(f"{', '.join(bound)} = {call}" if bound else call)
        if block.measures:
            steps.append("measured |= found")
        observed = [*gives, *(["measured"] if block.measures else [])]
        steps.append(f'observe("{block.step}"{"".join(f", {name}={name}" for name in observed)})')
    body = _RUN.format(steps=textwrap.indent("\n".join(steps), "    "), results=_results(modules))
    text = compose("Run everything from the data to the measured model.", body, imports=modules.imports,
                   homes=modules.homes | {"Prepared": "serialise"}, module="pipeline")  # fmt: skip
    own = "from collections.abc import Callable\nfrom dataclasses import dataclass, field\nfrom typing import Any\n"
    return text.replace("from __future__ import annotations\n", f"from __future__ import annotations\n\n{own}", 1)


def _results(modules: Modules) -> str:
    plan = modules.plan
    bound = {name for block in plan.blocks for name in block.rows}
    before = "(" + "".join(f"{plan.names[value]}, " for value in plan.target.before).rstrip() + ")"
    fields = {"model": plan.names[plan.target.model], **({"before": before} if plan.target.before else {})}
    for name, rows in plan.target.rows().items():
        fields[name] = name if name in bound else modules.row_text(rows)
    return "".join(f"        {name}={text},\n" for name, text in [*fields.items(), ("measured", "measured")])


_RUN = '''
Observe = Callable[..., None]


@dataclass(frozen=True)
class Results:
    """What a run gives.

    Attributes:
        model: The trained model.
        rows: What it was trained on, before the transformers.
        truth: The targets of these rows.
        before: Fitted transformers that stand before the model, first to last.
        test_rows: Rows that it was tried on, before the transformers.
        test_truth: Their targets.
        asked: What the model itself was asked about, behind the transformers.
        measured: The numbers of the notebook, by name.
    """

    model: Any
    rows: Any
    truth: Any = None
    before: tuple[Any, ...] = ()
    test_rows: Any = None
    test_truth: Any = None
    asked: Any = None
    measured: dict[str, Any] = field(default_factory=dict)


def ignore(step: str, /, **values: Any) -> None:
    """Observe nothing."""


def run(settings: Settings | None = None, *, observe: Observe = ignore) -> Results:
    """Run all steps.

    Args:
        settings: The settings; by default those of the notebook.
        observe: Told after each step what came out of it.
    """
    settings = settings or Settings()
    measured: dict[str, Any] = {{}}
{steps}
    return Results(
{results}    )
'''


def settings_text(knobs: Knobs) -> str:
    """Return the module of the settings."""
    sections = {name: keys for name, keys in knobs.sections.items() if keys}
    classes = [_section(name, keys) for name, keys in sections.items()]
    fields = "".join(f"    {name}: {name.title()} = {name.title()}()\n" for name in sections)
    whole = "@dataclass(frozen=True)\nclass Settings:\n"
    whole += '    """All settings, one attribute for each table of config.toml."""\n'
    classes.append(whole + (f"\n{fields}" if fields else ""))
    return SETTINGS.read_text("utf-8").replace(_INCLUDE, "\n\n\n".join(one.strip("\n") for one in classes))


def _section(name: str, keys: dict[str, Setting]) -> str:
    lines = ["@dataclass(frozen=True)", f"class {name.title()}:", f'    """{_ABOUT[name]}', "", "    Attributes:"]
    lines += [f"        {key}: {one.about[:1].upper()}{one.about[1:]} (cell {one.cell})." for key, one in keys.items()]
    lines += ['    """', ""]
    return "\n".join([*lines, *(f"    {key}: {type(one.value).__name__} = {one.value!r}" for key, one in keys.items())])


def config_text(knobs: Knobs) -> str:
    """Return ``config.toml``: every setting with the notebook's value."""
    import tomlkit

    document = tomlkit.document()
    document.add(
        tomlkit.comment("Every setting with the value that it had in the notebook; --set table.key=value changes one.")
    )
    for name, keys in knobs.sections.items():
        if keys:
            table = tomlkit.table()
            for key, one in keys.items():
                table.add(key, one.value)
            document.add(name, table)
    return tomlkit.dumps(document)
