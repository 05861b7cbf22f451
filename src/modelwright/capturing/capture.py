"""From a live model to a model folder: the whole of capture, from top to bottom.

Called as :func:`modelwright.capture` and by ``modelwright capture``. Each step is a module of its own beside this one;
here they are put in order, and overlapped where one waits: while a fresh process proves that the staged folder loads
and predicts, the live model is measured; while the environment is locked, nothing else is left to do.

It does not: build a wheel, or know a library.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from modelwright.capturing.accelerating import TOLERANCE, Original, Sought, Wanted, replaced, seek
from modelwright.capturing.answers import LiveModel
from modelwright.capturing.card import write_card
from modelwright.capturing.code import Collected, collect
from modelwright.capturing.description import Description, describe
from modelwright.capturing.drafting import About
from modelwright.capturing.drafts import Drafting
from modelwright.capturing.environment import Needs, Settling, this_environment
from modelwright.capturing.evaluation import Slice, UserMetric
from modelwright.capturing.formats import Format
from modelwright.capturing.importance import When
from modelwright.capturing.lineage import check_references, git_revision, this_notebook
from modelwright.capturing.measuring import Measured, Measuring
from modelwright.capturing.opening import Given, declared, open_composed, open_model
from modelwright.capturing.places import choose_place
from modelwright.capturing.profile import summarise
from modelwright.capturing.rules import Rule
from modelwright.capturing.signature import Overrides
from modelwright.capturing.staging import Stage, staged
from modelwright.capturing.storing import Stored, store
from modelwright.errors import SampleError
from modelwright.package import Package, open_folder
from modelwright.runtime.acceleration import FOLDER as ACCELERATED
from modelwright.spec.acceleration import Acceleration
from modelwright.spec.environment import Pins
from modelwright.spec.lineage import DataReference, Lineage, NotebookReference
from modelwright.spec.manifest import Task
from modelwright.spec.naming import check_license, check_name, check_version, import_name
from modelwright.spec.profile import Profile
from modelwright.steps import Listener, ignore, timed

SHOWN_METRICS = 3


def capture(
    model: Any,
    X: Any = None,  # noqa: N803 (scikit-learn's name for it)
    y: Any = None,
    *,
    name: str,
    version: str,
    to: Path | str = "models",
    format: str | Format | None = None,  # noqa: A002 (the format's word)
    summary: str = "",
    task: Task | None = None,
    owners: Sequence[str] = (),
    license: str = "",  # noqa: A002 (PEP 639's word)
    tags: Sequence[str] = (),
    evaluate: tuple[Any, Any] | None = None,
    dataset: str = "test",
    slices: Mapping[str, Slice] | None = None,
    metrics: Mapping[str, UserMetric] | None = None,
    importance: When = "auto",
    scenarios: Sequence[Rule] = (),
    fields: Overrides | None = None,
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
    methods: Sequence[str] = (),
    data: Sequence[DataReference] = (),
    parent: str = "",
    notebook: NotebookReference | None = None,
    models: Mapping[str, Any] | None = None,
    modules: Sequence[str | ModuleType] = (),
    requirements: Sequence[str] = (),
    pins: Pins = "exact",
    system_libraries: Sequence[str] = (),
    index_url: str | None = None,
    trust: Sequence[str] | str = (),
    accelerate: str | None = None,
    accelerate_within: float = TOLERANCE,
    original: Original = "keep",
    created: datetime | None = None,
    listener: Listener = ignore,
) -> Package:
    """Capture a trained model with everything it needs, and prove that it works in a fresh process.

    Args:
        model: A fitted estimator or pipeline, any object with ``predict``, a function of rows, a class with ``predict``
            (made without arguments), a module with ``predict``, or the path of a saved ``.pkl``/``.joblib`` or of a
            ``.py`` file.
        X: The training inputs: pandas, polars or PyArrow table, NumPy array ``[n_rows, n_features]``, list of dicts, or
            one dict of columns. The whole of it is summarised; none of its rows is stored but those of the scenarios.
        y: The training targets ``[n_rows]``; the model is measured on them as data set ``training``.
        name: Name of the package; also what is imported.
        version: PEP 440 version.
        to: Folder in which ``NAME-VERSION`` is made, or a model project of this name, whose model folder is replaced.
        format: How to store the model: the name of a format (``skops``, ``onnx`` …) or a format that is not registered;
            by default the safest faithful one.
        summary: One line about the model.
        task: What kind of model it is; by default what it says of itself.
        owners: People or teams.
        license: SPDX expression.
        tags: Free words.
        evaluate: ``(X_test, y_test)``: measured with the task's usual metrics, importance and charts.
        dataset: What the data of ``evaluate`` are called.
        slices: Named parts of them, measured separately (``{"contract=monthly": {"contract": "monthly"}}``).
        metrics: Named functions of truth and prediction, measured beside the usual ones.
        importance: Whether permutation importance is measured.
        scenarios: Your own scenarios and rules: :func:`~modelwright.example`, :func:`~modelwright.minimum`,
            :func:`~modelwright.invariance`, :func:`~modelwright.direction`.
        fields: Per input, what you know better than the sample shows (``{"age": {"nullable": True}}``).
        outputs: Per output, what you know better (``{"prediction": {"rtol": 1e-6}}``).
        methods: Methods to capture; by default ``predict`` with ``predict_proba``.
        data: References to the data sets.
        parent: The release this one was retrained from (``churn==1.2.0``).
        notebook: The notebook this is captured from; by default the one that is running, if there is one.
        models: Parts of a model that is put together by code, by name: live models, paths of saved ones, or paths of
            other files and folders. ``model`` is then a function ``predict(rows, models)`` or a class that is made with
            ``models``, a dict of the same names; a file is given as its path.
        modules: Local modules to bring along although no import statement leads to them.
        requirements: Requirements to add; yours win over what is inferred.
        pins: ``exact`` or ``compatible``.
        system_libraries: Shared libraries that pip cannot install.
        index_url: The index that locks the environment; by default uv's own configuration.
        trust: For a saved pickle: ``"file"``, or the names in it that you vouch for. For skops: types outside the
            reviewed list that whoever loads the model will have to vouch for as well.
        accelerate: Look for a faster form of the model, and keep it if it answers the same on the whole sample and on
            every scenario: ``exact`` (every bit), ``onnx`` (labels equal, numbers close), ``auto`` (the first of these
            that holds). What was tried stands in the card, also if nothing is kept.
        accelerate_within: What numbers of a form that is not exact may differ by, absolute and relative.
        original: ``keep`` the model beside its faster form, as what it is held to, or ``drop`` it and its libraries.
        created: When it was captured; by default now.
        listener: Told about each finished step.

    Returns:
        The package, on disk.

    Raises:
        NameVersionError: Name, version or licence are ones that an index would refuse.
        UnsafeFileError: A saved model would run code, and nobody vouched for it.
        SampleError: The sample cannot describe the inputs.
        ModelMismatchError: Model and sample do not go together.
        SourceError: Code that the model needs has no source that can be shipped.
        SerialisationError: The model cannot be stored.
        ScenarioError: A scenario of yours does not hold.
        AccelerationError: The model is to be dropped, and no faster form can stand in for it.
        UnknownPluginError: There is no such format, or no such form.
        TraceError: The captured model does not run in a fresh process.
        DependencyError: A module belongs to no distribution that can be installed.
        LockError: The environment cannot be locked.
        StorageError: The folder cannot be written; what was there before is untouched.
    """
    name, version = check_name(name), check_version(version)
    vouched = (trust,) if isinstance(trust, str) else tuple(trust)
    lineage = Lineage(
        data=check_references(data),
        git=git_revision(Path.cwd()),
        notebook=notebook or this_notebook(),
        parent=parent,
    )
    about = About(name, version, summary, task, owners, check_license(license), tags, created, lineage)
    measuring = Measuring(evaluate, dataset, slices or {}, metrics or {}, importance)
    given = _open(model, models, _sample(X), choice=format, trust=vouched)
    live = LiveModel.of(given.asked, methods=methods, declared=declared(given.outputs, outputs))
    with timed("signature", listener) as note:
        described = describe(live, given.sample, fields=declared(given.fields, fields))
        note.detail = _what(described)
    wanted = Wanted(accelerate, accelerate_within, original, pins)
    sought = Sought(None, (), described.signature.outputs)
    learned = given.live  # whose hyperparameters are told, also where a faster form takes its place
    if original == "drop":
        with timed("acceleration", listener) as note:
            given, records = _stand_in(wanted, given, described)
            described = describe(
                described.live.instead(given.asked), given.sample, fields=declared(given.fields, fields)
            )
            sought = Sought(None, records, described.signature.outputs)
            note.detail = _tried(records)
    place = choose_place(Path(to), name=name, version=version)
    needs = Needs((*place.requirements, *requirements), pins, system_libraries, index_url, vouched)
    module = import_name(name) if place.home is None else place.home.name  # 'acme-churn' may be imported as 'churn'
    with timed("code", listener) as note:
        collected = collect(*given.code, package=module, modules=modules, project=place.home)
        note.detail = _which(collected)
    with staged(place, module, collected) as stage:
        with timed("artifact", listener) as note:
            stored = _store(given, stage, collected, methods=live.methods, choice=format, trust=vouched)
            note.detail = f"{stored.storage.format}" + (f" ({stored.note})" if stored.note else "")
        if accelerate and original == "keep":
            with timed("acceleration", listener) as note:
                sought = seek(wanted, given, described, stage.artifacts / ACCELERATED)
                note.detail = _tried(sought.records)
        environment = this_environment(stored, collected, needs)
        draft = Drafting(about, learned, described, stored, stage, environment, scenarios, listener).write(sought)
        settling = Settling(
            stage,
            stored=stored,
            collected=collected,
            signature=draft.manifest.signature,
            scenarios=draft.scenarios,
            needs=needs,
            distributions=draft.distributions,
        )
        with _stopped_on_error(settling):
            profile, measured = _measure(described, measuring, y, task=draft.manifest.task, listener=listener)
            environment = settling.result(environment, listener)
        manifest = msgspec.structs.replace(
            draft.manifest, evaluations=measured.evaluations, importance=measured.importance, environment=environment
        )
        with timed("card", listener) as note:
            stage.write_results(manifest, profile, measured.charts)
            stage.write("card.md", write_card(manifest, profile, draft.scenarios, measured.charts))
            note.detail = f"{len(measured.charts)} charts"
    return open_folder(place.root)


def _open(
    model: Any, parts: Mapping[str, Any] | None, sample: Any, *, choice: str | Format | None, trust: Sequence[str]
) -> Given:
    if parts:
        return open_composed(model, parts, sample=sample, trust=trust)
    return open_model(model, sample=sample, choice=choice, trust=trust)


def _stand_in(wanted: Wanted, given: Given, described: Description) -> tuple[Given, tuple[Acceleration, ...]]:
    with tempfile.TemporaryDirectory(prefix="modelwright-form-") as folder:
        model, records = replaced(wanted, given, described, Path(folder) / ACCELERATED)
        plain = described.table.as_columns()
        return open_model(model, sample=given.sample if plain is None else plain, choice=None, trust=()), records


def _tried(records: Sequence[Acceleration]) -> str:
    return "; ".join(f"{each.kind} {'kept' if each.kept else f'refused: {each.why}'}" for each in records)


def _sample(sample: Any) -> Any:
    if sample is None:
        raise SampleError(
            "There is no sample.",
            why="Types, ranges and scenarios are learned from rows.",
            hint="Give the training inputs: capture(model, X_train, …).",
        )
    return sample


def _what(described: Description) -> str:
    signature = described.signature
    outputs = ", ".join(output.name for output in signature.outputs)
    notes = "".join(f"; {note}" for note in described.notes)
    return f"{len(signature.inputs)} fields in, {outputs} out, {described.table.n_rows:,} rows{notes}"


def _which(collected: Collected) -> str:
    parts = [f"lifted {', '.join(collected.lifted)}"] if collected.lifted else []
    parts += [f"brought along {', '.join(collected.modules)}"] if collected.modules else []
    parts += [f"left behind {path.name}" for path in collected.data_files]
    return "; ".join(parts) or "none of its own"


def _store(
    given: Given,
    stage: Stage,
    collected: Collected,
    *,
    methods: tuple[str, ...],
    choice: str | Format | None,
    trust: Sequence[str],
) -> Stored:
    with collected.rehomed():
        stored = store(given, stage.artifacts, package=stage.package, methods=methods, choice=choice, trust=trust)
    stage.write_static(*stored.loaders)
    return stored


@contextmanager
def _stopped_on_error(settling: Settling) -> Iterator[None]:
    try:
        yield
    except BaseException:
        settling.stop()
        raise


def _measure(
    described: Description, measuring: Measuring, truth: Any, *, task: Task, listener: Listener
) -> tuple[Profile, Measured]:
    with timed("profile", listener) as note:
        profile = summarise(described.table, described.signature.inputs, described.answers)
        note.detail = f"{profile.rows:,} rows"
    with timed("evaluation", listener) as note:
        measured = measuring.run(described.live, described.table.data, truth, task=task)
        shown = [f"{item.metric} {item.value:.4g} on {item.dataset}" for item in measured.evaluations if not item.slice]
        note.detail = "; ".join([", ".join(shown[:SHOWN_METRICS]) or "not asked for", *measured.notes])
    return profile, measured
