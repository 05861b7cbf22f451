"""Look for a faster form of a model, and keep it only if it answers the same.

Called by capture, when it is asked to. A form is made from the live model, asked about the whole sample at once and in
small batches, and compared with what the model answers to the same batches. What was tried is recorded whether it is
kept or not: how equal, how fast, and why not.

The saving half of a form is an :class:`Accelerator`, found by entry point in the group ``modelwright.accelerators``;
its loading half is a file or a folder that travels beside the runtime (:mod:`modelwright.runtime.acceleration`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import msgspec

from modelwright.capturing.agreeing import Agreement, agreement, latencies
from modelwright.capturing.description import Description
from modelwright.capturing.distributions import owner
from modelwright.capturing.opening import Given
from modelwright.capturing.referenced import referenced_objects
from modelwright.errors import AccelerationError, MissingExtraError, SerialisationError
from modelwright.plugins import available, find
from modelwright.runtime.model import Model
from modelwright.runtime.scenarios import run_scenario
from modelwright.spec.acceleration import Acceleration, Latency
from modelwright.spec.environment import Pins
from modelwright.spec.scenario import Scenario
from modelwright.spec.signature import Output, Signature

GROUP = "modelwright.accelerators"
Original = Literal["keep", "drop"]
"""Whether the model itself travels beside its faster form."""
AUTO = "auto"
TOLERANCE = 1e-5
"""How far numbers of a form that is not exact may lie from the model's, absolute and relative; labels must be equal."""
WORTH = 1.1
"""A form must be faster by this factor, on one row or on a thousand."""
LOSS = 0.9
"""It must not be slower than this factor says on either."""


class Made(NamedTuple):
    """A form of a live model.

    Attributes:
        fast: Has the methods of the model, and ``container``: which rows it takes.
        options: What the loading half needs to know.
        steps: Parts of the model that still run the library's own code.
        model: What can be captured in the place of the model; ``None`` for a form that needs the model itself.
    """

    fast: Any
    options: dict[str, Any] = {}
    steps: tuple[str, ...] = ()
    model: Any = None


@runtime_checkable
class Accelerator(Protocol):
    """The saving half of a form.

    Attributes:
        name: The registered name (``exact``).
        loader: File or folder of the loading half.
        distributions: What the loading half imports beside what the model needs.
        exact: Whether it promises every bit.
    """

    name: str
    loader: Path
    distributions: tuple[str, ...]
    exact: bool

    def claims(self, model: object) -> bool:
        """Say whether there may be such a form of a model; nothing is imported to decide."""
        ...

    def make(self, model: Any, sample: Any, folder: Path, *, signature: Signature, methods: Sequence[str]) -> Made:
        """Make the form.

        Args:
            model: The live model.
            sample: Rows as it takes them.
            folder: An empty folder for files of the form's own.
            signature: The signature of the model.
            methods: Methods that it answers.

        Raises:
            SerialisationError: There is none; the reason is that of the library in the way.
            MissingExtraError: What makes it is not installed.
        """
        ...


class Form(NamedTuple):
    """A form that holds on the sample.

    Attributes:
        accelerator: What made it.
        made: The form.
        record: Its entry in the manifest.
    """

    accelerator: Accelerator
    made: Made
    record: Acceleration


class Sought(NamedTuple):
    """What came of looking for a faster form.

    Attributes:
        form: The one that is kept; ``None`` if none is.
        records: Everything that was tried.
        outputs: The outputs of the signature, as loose as the form that is kept.
    """

    form: Form | None
    records: tuple[Acceleration, ...]
    outputs: tuple[Output, ...]

    def without(self, why: str, outputs: tuple[Output, ...]) -> Sought:
        """Return the same with the form not kept after all."""
        records = (msgspec.structs.replace(each, kept=False, why=why) if each.kept else each for each in self.records)
        return Sought(None, tuple(records), outputs)


class Wanted(NamedTuple):
    """What the user asked for; see :func:`modelwright.capture`.

    Attributes:
        accelerate: ``auto``, the name of an accelerator, or nothing.
        within: What is allowed of a form that is not exact.
        original: Whether the model itself stays in the package.
        pins: How the environment is pinned.
    """

    accelerate: str | None
    within: float
    original: Original
    pins: Pins

    def names(self) -> tuple[str, ...]:
        """Return the accelerators to try, exact ones first.

        Raises:
            UnknownPluginError: There is no such accelerator.
        """
        if self.accelerate is None:
            return ()
        if self.accelerate != AUTO:
            return (find(GROUP, self.accelerate).name,)
        return tuple(sorted(available(GROUP), key=lambda name: not find(GROUP, name).exact))


def seek(wanted: Wanted, given: Given, described: Description, folder: Path) -> Sought:
    """Try the forms that were asked for, until one holds on the sample.

    Args:
        wanted: What the user asked for.
        given: The live model.
        described: Its signature and the sample.
        folder: Where files of a form go; it is made, and left only if there are any.

    Raises:
        UnknownPluginError: There is no such accelerator.
    """
    records: list[Acceleration] = []
    for name in wanted.names():
        accelerator: Accelerator = find(GROUP, name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        tried = _try(accelerator, wanted, given, described, folder)
        records.append(tried.record if isinstance(tried, Form) else tried)
        if isinstance(tried, Form):
            if not any(folder.iterdir()):
                folder.rmdir()
            outputs = described.signature.outputs
            loose = outputs if accelerator.exact else tuple(_loosened(output, wanted.within) for output in outputs)
            return Sought(tried, tuple(records), loose)
    shutil.rmtree(folder, ignore_errors=True)
    return Sought(None, tuple(records), described.signature.outputs)


def _loosened(output: Output, within: float) -> Output:
    if not output.datatype.startswith("float"):
        return output
    return msgspec.structs.replace(output, rtol=max(output.rtol, within), atol=max(output.atol, within))


def _try(
    accelerator: Accelerator, wanted: Wanted, given: Given, described: Description, folder: Path
) -> Form | Acceleration:
    refused = Acceleration(kind=accelerator.name, tolerance=0.0 if accelerator.exact else wanted.within)
    if given.parts or not accelerator.claims(given.native):
        return msgspec.structs.replace(refused, why=f"there is no such form of a {type(given.native).__qualname__}")
    if accelerator.exact and wanted.pins != "exact":
        return msgspec.structs.replace(refused, why="kernels of a library are those of one version; pins are not exact")
    if wanted.original == "drop" and accelerator.exact:
        return msgspec.structs.replace(refused, why="it is made of the model itself, which would be dropped")
    live = described.live
    try:
        made = accelerator.make(given.native, given.sample, folder, signature=described.signature, methods=live.methods)
    except (SerialisationError, MissingExtraError) as error:
        fix = error.hint if isinstance(error, MissingExtraError) else ""
        told = ": ".join(filter(None, [error.what.rstrip("."), error.why, fix]))
        return msgspec.structs.replace(refused, why=told)
    reference, fast = both(described, made.fast)
    found = agreement(reference, fast, described.table, tolerance=refused.tolerance)
    taken = () if found.problem else latencies(reference, fast, described.table)
    record = msgspec.structs.replace(
        refused,
        why=found.problem or _too_slow(taken),
        loader=accelerator.loader.stem,
        options=made.options,
        steps=made.steps,
        size=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        dependencies=accelerator.distributions,
        latency=taken,
        **_counted(found),
    )
    return record if record.why else Form(accelerator, made, msgspec.structs.replace(record, kept=True))


def _counted(found: Agreement) -> dict[str, Any]:
    return {"rows": found.rows, "differing": found.differing, "largest_difference": found.largest}


def _too_slow(taken: Sequence[Latency]) -> str:
    ratios = [each.original / each.accelerated for each in taken]
    if max(ratios) >= WORTH and min(ratios) >= LOSS:
        return ""
    shown = ", ".join(f"{ratio:.2g} × on {each.rows}" for ratio, each in zip(ratios, taken, strict=True))
    return f"it is not faster: {shown} rows"


def both(described: Description, fast: Any) -> tuple[Model, Model]:
    """Return the model and a form of it as the runtime will have them."""
    signature = msgspec.to_builtins(described.signature)
    storage = {"methods": list(described.live.methods)}
    manifest = {"name": "model", "version": "0", "storage": storage, "signature": signature}
    return Model(described.live.model, manifest), Model(described.live.model, manifest, fast)


def broken_scenario(described: Description, form: Form, outputs: Sequence[Output], proven: Sequence[Scenario]) -> str:
    """Return why a form does not hold to the scenarios; empty if it does."""
    loose = described._replace(signature=msgspec.structs.replace(described.signature, outputs=tuple(outputs)))
    _, fast = both(loose, form.made.fast)
    for scenario in proven:
        result = run_scenario(fast, msgspec.to_builtins(scenario))
        if not result.passed:
            return f"the scenario {scenario.name!r} does not hold: {result.problems[0] if result.problems else ''}"
    return ""


def replaced(
    wanted: Wanted, given: Given, described: Description, folder: Path
) -> tuple[Any, tuple[Acceleration, ...]]:
    """Return what is captured in the place of the model, and what was tried.

    Raises:
        AccelerationError: No form can stand in for the model; every reason is given.
    """
    sought = seek(wanted, given, described, folder)
    if sought.form is None or sought.form.made.model is None:
        reasons = "; ".join(f"{each.kind}: {each.why}" for each in sought.records)
        raise AccelerationError(
            "No faster form answers as the model does, so the model cannot be dropped.",
            why=reasons or "None was asked for.",
            hint="Keep the model (original='keep'), or state what may differ: accelerate_within=1e-3.",
        )
    gone = tuple(sorted(_libraries(given.native) - {*sought.form.accelerator.distributions}))
    records = (
        msgspec.structs.replace(each, loader="", replaces=gone) if each.kept else each for each in sought.records
    )
    return sought.form.made.model, tuple(records)


def _libraries(model: Any) -> set[str]:
    """Return the distributions that a model refers to by name."""
    modules = {reference.module for reference in referenced_objects(model) if reference.home == "installed"}
    return {str(name) for module in modules if (name := owner(module)) is not None}
