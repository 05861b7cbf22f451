"""Write the commands that lead on from an adopted project, ready to be pasted in its folder.

Called by :mod:`modelwright.project.adopting.adopt`. The capture command is as complete as the project tells: rows and
target from the training code, trust for the project's own functions, requirements that nothing in the model names.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from modelwright.capturing.distributions import owner, reachable
from modelwright.errors import AdoptError
from modelwright.project.adopting.imports import imported
from modelwright.project.adopting.report import Adoption, SavedModel
from modelwright.project.adopting.saved_models import sample_for
from modelwright.project.adopting.static_code import parse
from modelwright.project.adopting.static_values import World
from modelwright.project.adopting.surroundings import Surroundings


def next_steps(report: Adoption, around: Surroundings) -> tuple[str, ...]:
    """Return the commands that lead from a report to a wheel."""
    lines = ["modelwright adopt . --write"] if report.changes else []
    if not report.captured:
        lines += _capture(report, around)
    return (*lines, "modelwright build .")


def _capture(report: Adoption, around: Surroundings) -> list[str]:
    package = around.layout.package
    models = [model for model in report.models if model.kind == "pickle" and not model.problem]
    inside = [model for model in models if model.path.startswith(f"{package}/")] or models
    if not inside:
        trains = next((each.path for each in around.training if each.fits), "TRAIN.py")
        return [f"python {shlex.quote(trains)}", "modelwright adopt ."]
    model = max(inside, key=_likely)
    sample, target = sample_for(around.tree, around.training, report.data)
    command = ["modelwright", "capture", model.path, "--sample", sample or "ROWS.csv"]
    command += ["--target", target] if target else []
    command += ["--name", report.name, "--version", report.version or "1.0.0", "--to", "."]
    command += [part for name in model.unreviewed for part in ("--trust", name)]
    command += [part for text in _uncovered(model, report, around) for part in ("--requirement", text)]
    path = f"PYTHONPATH={around.layout.source} " if any(_own_files(model, around)) else ""
    return [path + shlex.join(command)]


def _likely(model: SavedModel) -> tuple[bool, int]:
    """Rank saved models: a whole pipeline before its parts, then the largest."""
    return any(name.endswith("Pipeline") for name in model.types), model.size


def _own_files(model: SavedModel, around: Surroundings) -> Iterator[str]:
    """Give the files of the package that a saved model names."""
    for name in {*model.types, *model.unreviewed}:
        if name.partition(".")[0] == around.layout.module:
            yield World(around.tree, "").module_of(name)[0] or around.layout.package


def _uncovered(model: SavedModel, report: Adoption, around: Surroundings) -> list[str]:
    """Return the project's requirements that capture would not find in the model or in the code that it names."""
    modules = {name.partition(".")[0] for name in (*model.types, *model.unreviewed)}
    for file in _own_files(model, around):
        if file in around.tree.known:
            modules |= _imports(file, around)
    covered: set[NormalizedName] = set()
    for name in filter(None, map(owner, modules)):
        covered |= reachable(name)
    wanted = around.declared.table.get("dependencies", ())
    kept = {each.name for each in report.requirements if each.verdict == "needed"} if report.requirements else None
    names = {text: canonicalize_name(Requirement(text).name) for text in wanted}
    return [text for text, name in names.items() if name not in covered and (kept is None or name in kept)]


def _imports(file: str, around: Surroundings) -> set[str]:
    try:
        return set(imported(parse(around.tree.text(file), where=file)))
    except AdoptError:
        return set()
