"""Whether one version can stand in for another: it needs no more, and gives no less.

Requests are judged by the control's signature; a variant may look at fewer fields (a baseline that needs only the
region), and must give every output that the control gives, by the same method. Called when a variant joins, never for
a request.
"""

from __future__ import annotations

from array import array
from typing import Any

from modelwright.errors import DeploymentError, Problem
from modelwright.runtime.values import family_of
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Column, Table
from modelwright.serving.intake.judging import table_of


def check_stands_in(variant: Contract, control: Contract) -> None:
    """Check that a variant can answer requests that fit the control.

    Raises:
        DeploymentError: It cannot; every field and output that stands in the way is listed.
    """
    problems = [*_inputs(variant, control), *_outputs(variant, control)]
    if problems:
        raise DeploymentError(
            f"{variant.title} cannot stand in for {control.title}.",
            problems=problems,
            why="Requests are judged by the signature of the control, and callers expect its outputs.",
            hint=f"modelwright diff {control.title.replace(' ', '==')} {variant.title.replace(' ', '==')}",
        )


def _inputs(variant: Contract, control: Contract) -> list[Problem]:
    given = {field["name"]: field for field in control.inputs}
    problems = []
    for field in variant.inputs:
        name, has = field["name"], given.get(field["name"])
        if has is None:
            problems.append(Problem(None, name, f"is needed by {variant.title}, and no field of {control.title}"))
        elif family_of(has["datatype"]) != family_of(field["datatype"]):
            problems.append(Problem(None, name, f"is {field['datatype']} here and {has['datatype']} there"))
    return problems


def _outputs(variant: Contract, control: Contract) -> list[Problem]:
    problems = []
    for method, outputs in control.outputs.items():
        if method not in variant.outputs:
            problems.append(
                Problem(None, None, f"is a method of {control.title}, and none of {variant.title}", "", method)
            )
            continue
        gives = {output["name"]: output for output in variant.outputs[method]}
        for output in outputs:
            name, has = output["name"], gives.get(output["name"])
            if has is None:
                problems.append(Problem(None, name, f"is an output of {control.title}, and none of {variant.title}"))
            elif family_of(has["datatype"]) != family_of(output["datatype"]):
                problems.append(Problem(None, name, f"is {has['datatype']} here and {output['datatype']} there"))
    return problems


def adapted(table: Table, control: Contract, variant: Contract) -> Table:
    """Return a table that fits the control in the form that a variant takes.

    Raises:
        SignatureError: A row fits the control, and not the variant (a null, a level, a range).
    """
    if variant.inputs == control.inputs and variant.blocked == control.blocked:
        return table
    columns = columns_of(table, control)
    return table_of(variant, {name: _as_list(columns[name]) for name in variant.fields}, table.size)


def columns_of(table: Table, contract: Contract) -> dict[str, Column]:
    """Return the values of a table per field, whatever its form."""
    if table.columns is not None:
        return dict(table.columns)
    values = array("d", table.block or b"")
    width = len(contract.fields)
    return {name: values[place::width] for place, name in enumerate(contract.fields)}


def _as_list(values: Column) -> list[Any]:
    if not isinstance(values, array):
        return values
    return [None if value != value else value for value in values.tolist()]
