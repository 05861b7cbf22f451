"""Turn the rules that a person wrote into scenarios of one signature, every name and value in them checked.

For: capture. It does not call the model: that a rule holds is checked by the runtime, the way it will be checked for
ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from modelwright.capturing.column import Column
from modelwright.capturing.encoding import encode, encode_float
from modelwright.capturing.rules import (
    DirectionRule,
    ExampleRule,
    InvarianceRule,
    MinimumRule,
    Rule,
    Tolerances,
    is_rule,
)
from modelwright.capturing.signature import did_you_mean
from modelwright.capturing.table import Table
from modelwright.errors import SampleError, ScenarioError
from modelwright.spec import scenario as spec
from modelwright.spec.scenario import Row, Scenario, Tolerance
from modelwright.spec.signature import Field, Output


def resolve(
    rules: Sequence[Rule],
    fields: Sequence[Field],
    outputs: Sequence[Output],
    *,
    typical: Sequence[Row],
    taken: Sequence[str] = (),
) -> tuple[Scenario, ...]:
    """Turn rules into scenarios, every name in them checked against the signature.

    Args:
        rules: What the user gave.
        fields: Inputs of the model.
        outputs: Outputs of the model.
        typical: Rows, already encoded, for rules that name none.
        taken: Names of scenarios that exist already.

    Returns:
        The scenarios; an example without expected answers has an empty ``expected``, which capture fills by asking
        the captured model.

    Raises:
        ScenarioError: A rule names an unknown field, output or label, judges nothing, has rows that are no rows of this
            model, or a name that is taken.
    """
    made: list[Scenario] = []
    for position, rule in enumerate(rules):
        if not is_rule(rule):
            raise ScenarioError(
                f"Scenario {position} is a {type(rule).__qualname__}.",
                hint="Make scenarios with mw.example, mw.minimum, mw.invariance or mw.direction.",
            )
        name = rule.name or _default_name(rule)
        names = {*taken, *(scenario.name for scenario in made)}
        if name in names and rule.name:
            raise ScenarioError(f"There are two scenarios called {name!r}.", hint="Give each a name of its own.")
        name = next(text for text in (name, *(f"{name}-{n}" for n in range(2, len(names) + 3))) if text not in names)
        made.append(_Resolver(name, tuple(fields), tuple(outputs), tuple(typical)).scenario(rule))
    return tuple(made)


def _default_name(rule: Rule) -> str:
    if isinstance(rule, InvarianceRule):
        return "invariance-" + "-".join(rule.change)
    if isinstance(rule, DirectionRule):
        return f"{rule.field}-never-{rule.never}"
    return "minimum" if isinstance(rule, MinimumRule) else "example"


@dataclass(frozen=True)
class _Resolver:
    """Resolves one rule against one signature."""

    name: str
    fields: tuple[Field, ...]
    outputs: tuple[Output, ...]
    typical: tuple[Row, ...]

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    def scenario(self, rule: Rule) -> Scenario:
        if isinstance(rule, ExampleRule):
            rows = self._rows(rule.rows)
            return spec.Example(
                name=self.name,
                inputs=rows,
                reason=rule.reason,
                origin="user",
                expected=self._expected(rule.expected, len(rows)),
                tolerance=self._tolerance(rule.tolerance),
            )
        if isinstance(rule, InvarianceRule):
            return spec.Invariance(
                name=self.name,
                inputs=self._rows(rule.rows),
                reason=rule.reason,
                origin="user",
                change={name: self._value(name, value) for name, value in rule.change.items()},
                tolerance=self._tolerance(rule.tolerance),
            )
        return self._minimum(rule) if isinstance(rule, MinimumRule) else self._direction(rule)

    def _minimum(self, rule: MinimumRule) -> Scenario:
        if rule.equals is None and rule.at_least is None and rule.at_most is None:
            raise self._error("The rule demands nothing.", hint="Give equals, at_least or at_most.")
        output = self._output(rule.output, rule.label)
        if rule.equals is None and output.datatype in ("string", "bytes", "json"):
            raise self._error(
                f"The output {output.name!r} is {output.datatype}, which has no order.", hint="Use equals."
            )
        return spec.Minimum(
            name=self.name,
            inputs=self._rows(rule.rows),
            reason=rule.reason,
            origin="user",
            output=output.name,
            label=rule.label,
            equals=rule.equals,
            at_least=rule.at_least,
            at_most=rule.at_most,
        )

    def _direction(self, rule: DirectionRule) -> Scenario:
        moved = self._field(rule.field)
        if not moved.datatype.startswith(("int", "uint", "float", "duration")) or moved.shape:
            raise self._error(
                f"The field {moved.name!r} is {moved.datatype}; only a number can be raised.", hint="Use invariance."
            )
        if not np.isfinite(rule.add) or rule.add == 0:
            raise self._error(f"add={rule.add!r} moves nothing.", hint="Give a number other than 0.")
        if rule.never not in ("lower", "higher"):
            raise self._error(f"never={rule.never!r} is no direction.", hint="Use 'lower' or 'higher'.")
        output = self._output(rule.output, rule.label)
        if not output.datatype.startswith(("int", "uint", "float")):
            raise self._error(
                f"The output {output.name!r} is {output.datatype}, which has no order.",
                hint="Name an output with numbers, for example output='probability', label=….",
            )
        return spec.Direction(
            name=self.name,
            inputs=self._rows(rule.rows),
            reason=rule.reason,
            origin="user",
            field=moved.name,
            add=float(rule.add),
            output=output.name,
            label=rule.label,
            never=rule.never,
        )

    def _rows(self, rows: Any) -> tuple[Row, ...]:
        if rows is None:
            return self.typical
        try:
            table = Table.of(rows)
            self._check_columns(table.names)
            return tuple(
                {field.name: self._cell(table.column(field.name), row, field) for field in self.fields}
                for row in range(table.n_rows)
            )
        except SampleError as error:
            raise self._error(error.what, hint=error.hint) from error

    def _check_columns(self, names: Sequence[str]) -> None:
        known, given = self._by_name, set(names)
        if unknown := next((name for name in names if name not in known), None):
            raise self._error(
                f"The rows have a column {unknown!r}, which is no field.", hint=did_you_mean(unknown, known)
            )
        if absent := [name for name in known if name not in given]:
            raise self._error(
                f"The rows lack {', '.join(map(repr, absent[:10]))}.",
                hint="Give every field; None where the value is missing.",
            )

    def _cell(self, column: Column, row: int, field: Field) -> Any:
        if column.nulls[row]:
            return None
        if field.datatype == column.datatype or field.shape:
            return column.cell(row)
        return self._value(field.name, column.values[row])

    def _value(self, name: str, value: Any) -> Any:
        """Encode one value by the datatype of its field, not by its own."""
        field = self._field(name)
        if value is None:
            return None
        number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if field.datatype.startswith("float") and number:
            return encode_float(float(value))
        if field.datatype.startswith(("int", "uint")) and number and float(value).is_integer():
            return int(value)
        if isinstance(value, str) and field.datatype in ("date", "datetime", "bytes"):
            return value
        own = Table.of({name: [value]}).columns[0]
        if own.datatype != field.datatype and field.datatype != "json":
            raise self._error(f"{value!r} is {own.datatype}, and the field {name!r} is {field.datatype}.", hint="")
        return encode(own.values[0], own.datatype, timezone=own.timezone)

    def _expected(self, expected: Any, n_rows: int) -> dict[str, tuple[Any, ...]]:
        if expected is None:
            return {}
        given = expected if isinstance(expected, Mapping) else {self.outputs[0].name: expected}
        made = {}
        for name, values in given.items():
            output = self._output(str(name), None)
            listed = values.tolist() if hasattr(values, "tolist") else list(values)
            if len(listed) != n_rows:
                raise self._error(
                    f"{len(listed)} values are expected of {name!r} for {n_rows} rows.", hint="Give one per row."
                )
            made[output.name] = tuple(self._answer(value, output) for value in listed)
        return made

    def _answer(self, value: Any, output: Output) -> Any:
        if isinstance(value, Mapping) and output.labels is not None:
            if missing := next((label for label in output.labels if label not in value), None):
                raise self._error(f"An expected answer lacks the label {missing!r}.", hint="Give every label.")
            value = [value[label] for label in output.labels]
        if isinstance(value, list | tuple):
            return [self._answer(item, output) for item in value]
        if value is None or isinstance(value, str):
            return value
        return encode(value, output.datatype) if output.datatype.startswith("float") else encode(value, "json")

    def _tolerance(self, tolerance: Tolerances | None) -> dict[str, Tolerance]:
        if tolerance is None:
            return {}
        given = tolerance if isinstance(tolerance, Mapping) else {output.name: tolerance for output in self.outputs}
        return {
            self._output(name, None).name: value if isinstance(value, Tolerance) else Tolerance(atol=float(value))
            for name, value in given.items()
        }

    def _field(self, name: str) -> Field:
        if name not in self._by_name:
            raise self._error(f"There is no field {name!r}.", hint=did_you_mean(name, self._by_name))
        return self._by_name[name]

    def _output(self, name: str, label: Any) -> Output:
        known = {output.name: output for output in self.outputs}
        labelled = [output for output in self.outputs if output.labels is not None]
        if not name:
            output = labelled[0] if label is not None and labelled else self.outputs[0]
        elif name in known:
            output = known[name]
        else:
            raise self._error(f"There is no output {name!r}.", hint=did_you_mean(name, known))
        if label is not None and label not in (output.labels or ()):
            labels = list(map(str, output.labels or ()))
            raise self._error(
                f"The output {output.name!r} has no label {label!r}.", hint=did_you_mean(str(label), labels)
            )
        return output

    def _error(self, what: str, *, hint: str) -> ScenarioError:
        return ScenarioError(what, where=f"scenario {self.name!r}", hint=hint)
