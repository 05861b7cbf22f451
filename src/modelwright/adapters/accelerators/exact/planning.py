"""Plan a model: which kernels answer for each step, and what each step gets and gives.

A plan is made once, from the fitted model; its functions are called with rows. A step without a plan of its own falls
back to its own methods, given what it would have got. Called by :func:`.accelerate`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from . import Build, Step
from .known import maker_of
from .releases import is_examined

Fields = tuple[dict[str, Any], ...]
Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Given:
    """What a step gets.

    Attributes:
        form: ``array`` (dense, two dimensions), ``sparse`` (a CSR matrix), ``frame`` (the columns of a data frame, a
            list with one array or list per field), ``objects`` (the same of an array of objects), or ``anything``
            (what a step of the library's own gave).
        fields: The fields of the columns, for ``frame`` and ``objects``.
    """

    form: str
    fields: Fields = ()


ARRAY, SPARSE, ANYTHING = Given("array"), Given("sparse"), Given("anything")


@dataclass(frozen=True)
class Plan:
    """How a step answers.

    Attributes:
        methods: A function per method, from what is given to the answer.
        gives: What ``transform`` gives.
        dense: ``transform`` for whoever makes the answer dense at once; ``None`` if that is ``transform`` itself.
    """

    methods: dict[str, Function]
    gives: Given = ARRAY
    dense: Function | None = None


@dataclass
class Planner:
    """Makes plans and notes the steps.

    Attributes:
        build: Makes the container that the model was trained on.
        signature: The signature of the model.
        steps: The steps so far.
    """

    build: Build
    signature: dict[str, Any]
    steps: list[Step] = field(default_factory=list)

    def plan(self, step: Any, given: Given, path: str) -> Plan:
        """Return the plan of a step: its own, or the library's methods.

        Args:
            step: The fitted estimator.
            given: What it gets.
            path: Where it is in the model.
        """
        noted = len(self.steps)
        maker = maker_of(step)
        if maker is not None:
            self.steps.append(Step(path, type(step).__name__, own=True))
            plan = _made(maker, step, given, self, path)
            if plan is not None:
                return plan if given.form != "anything" else self._only_arrays(step, plan)
        del self.steps[noted:]
        self.steps.append(Step(path, type(step).__name__, own=False))
        original = self.original(given)
        return Plan(_methods_of(step, original), ANYTHING)

    def _only_arrays(self, step: Any, plan: Plan) -> Plan:
        """Return a plan that asks the step itself for what is no array; nobody knows what will come."""

        def choosing(name: str, quick: Function) -> Function:
            method = getattr(step, name)
            return lambda rows: quick(rows) if _is_array(rows) else method(rows)

        return replace(plan, methods={name: choosing(name, quick) for name, quick in plan.methods.items()}, dense=None)

    def original(self, given: Given) -> Function:
        """Return a function that makes of what a step is given what the library would give it."""
        if given.form == "frame":
            signature = {**self.signature, "inputs": list(given.fields)}
            names = [one["name"] for one in given.fields]
            return lambda columns: self.build(dict(zip(names, columns, strict=True)), len(columns[0]), signature)
        if given.form == "objects":
            from .tables import object_array

            return object_array
        return lambda rows: rows


def _made(maker: Callable[..., Plan | None], step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Return what a maker makes; ``None`` as well if this release of the library lacks what it builds on."""
    try:
        return maker(step, given, planner, path)
    except (AttributeError, ImportError):
        return None


def _is_array(rows: Any) -> bool:
    return type(rows).__module__ == "numpy" and type(rows).__name__ == "ndarray"


def _methods_of(step: Any, original: Function) -> dict[str, Function]:
    def asking(method: Function) -> Function:
        return lambda given: method(original(given))

    from . import METHODS

    return {name: asking(getattr(step, name)) for name in METHODS if hasattr(step, name)}


@dataclass(frozen=True)
class ModelPlan:
    """The plan of a whole model.

    Attributes:
        methods: A function per method.
        steps: Which steps run on kernels.
    """

    methods: dict[str, Function]
    steps: tuple[Step, ...]


def plan_model(model: Any, signature: dict[str, Any], methods: list[str], build: Build) -> ModelPlan | None:
    """Return the plan of a model; ``None`` if nothing would be gained.

    Args:
        model: The fitted model.
        signature: Its signature.
        methods: The methods wanted.
        build: Makes the container that the model was trained on.
    """
    given = _given(signature)
    if given is None or not is_examined():
        return None
    planner = Planner(build, signature)
    plan = planner.plan(model, given, "")
    wanted = {name: plan.methods[name] for name in methods if name in plan.methods and hasattr(model, name)}
    composing = {step.path for step in planner.steps if any(_is_below(other, step) for other in planner.steps)}
    gained = any(step.own for step in planner.steps if step.path not in composing)
    return ModelPlan(wanted, tuple(planner.steps)) if wanted and gained else None


def _is_below(step: Step, other: Step) -> bool:
    return step is not other and (not other.path or step.path.startswith(f"{other.path}/"))


def _given(signature: dict[str, Any]) -> Given | None:
    """Return what the model gets by its signature; ``None`` if it is nothing that kernels know."""
    fields = tuple(signature["inputs"])
    if not fields:
        return None
    if signature["container"] == "pandas":
        return None if any(one.get("shape") for one in fields) else Given("frame", fields)
    single = len(fields) == 1
    if any(one.get("shape") for one in fields) and not (single and len(fields[0]["shape"]) == 1):
        return None
    return ARRAY
