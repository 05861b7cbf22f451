"""Every error that a packaged model can raise, standard library only.

::

    ModelwrightError
    ├── PackageError              MW1xx  the files of a package cannot be used
    │   ├── ManifestError         MW101  manifest.json is missing, malformed or contradicts the files
    │   └── FormatVersionError    MW102  the package was written by a newer modelwright
    ├── DataError                 MW2xx  data and signature do not agree
    │   ├── SignatureError        MW201  rows do not fit the signature (lists every problem)
    │   ├── OutputError           MW202  the model answered something its signature does not allow
    │   ├── ContainerError        MW203  this kind of data container is not understood
    │   └── DataFileError         MW204  a file of rows cannot be read
    ├── CompatibilityError        MW3xx  this process is not the environment the model was proved in
    │   ├── InterpreterError      MW301  another Python than those the model was verified on
    │   ├── PinError              MW302  a library is missing or has another version than the pin
    │   └── LoaderError           MW303  the artifact cannot be loaded although everything matches
    ├── SafetyError               MW4xx  loading would not be safe
    │   ├── IntegrityError        MW401  a file is not the file that was captured (sha256, size, missing)
    │   └── TrustError            MW402  the artifact names types that nobody vouched for
    └── SelftestError             MW501  a scenario of the package does not hold

The tree of the tool itself, which contains this one, is drawn in :mod:`modelwright.errors`.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong with one value, column or file.

    Attributes:
        row: Zero-based position of the row in the data that was given; ``None`` when the whole column is meant.
        column: Name of the field; ``None`` when the whole table is meant, or no table at all.
        problem: What is wrong, as a sentence without a full stop.
        hint: What to do about it; empty when there is nothing better than the sentence.
        item: Name of the file or distribution that is meant, where it is not about rows.
    """

    row: int | None
    column: str | None
    problem: str
    hint: str = ""
    item: str = ""

    def __str__(self) -> str:
        """Give the problem on one line, place first."""
        place = [f"row {self.row}"] if self.row is not None else []
        place += [f"column {self.column!r}"] if self.column is not None else []
        place += [self.item] if self.item else []
        text = f"{', '.join(place)}: {self.problem}" if place else self.problem
        return f"{text} ({self.hint})" if self.hint else text


class ModelwrightError(Exception):
    """Something modelwright refuses to do; every subclass has a code of its own.

    Args:
        what: What went wrong, as a sentence, naming the thing.
        where: The file, field, row or command it went wrong at.
        why: The reason the thing is refused.
        hint: What fixes it, if possible a command that can be pasted.
        problems: All the single findings, when there is more than one.
    """

    code: ClassVar[str] = "MW000"

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        hint: str = "",
        problems: tuple[Problem, ...] | list[Problem] = (),
    ) -> None:
        self.what = what
        self.where = where
        self.why = why
        self.hint = hint
        self.problems = tuple(problems)
        super().__init__(what)

    def __str__(self) -> str:
        """Give code, sentence, place, problems, reason and fix, each on a line of its own."""
        return self.text(shown=SHOWN_PROBLEMS)

    def text(self, *, shown: int) -> str:
        """Give the same with at most so many problems; the rest is counted."""
        lines = [f"{self.code}: {self.what}"]
        if self.where:
            lines.append(f"  where: {self.where}")
        lines += [f"  - {problem}" for problem in self.problems[:shown]]
        if len(self.problems) > shown:
            lines.append(f"  … and {len(self.problems) - shown} more")
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.hint:
            lines.append(f"  fix: {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling, so that errors cross process pools unharmed."""
        return (_rebuild, (type(self), self.what, self.where, self.why, self.hint, self.problems))

    def to_dict(self) -> dict[str, object]:
        """Give the error as plain JSON-able data: ``error``, ``code``, ``where``, ``why``, ``hint``, ``details``."""
        return {
            "error": self.what,
            "code": self.code,
            "where": self.where,
            "why": self.why,
            "hint": self.hint,
            "details": [problem._asdict() for problem in self.problems],
        }


SHOWN_PROBLEMS = 20


def _rebuild(
    kind: type[ModelwrightError], what: str, where: str, why: str, hint: str, problems: tuple[Problem, ...]
) -> ModelwrightError:
    error = kind.__new__(kind)
    ModelwrightError.__init__(error, what, where=where, why=why, hint=hint, problems=problems)
    return error


class PackageError(ModelwrightError):
    """The files of a package cannot be used."""

    code = "MW100"


class ManifestError(PackageError):
    """The manifest is missing, is not valid, or contradicts the files beside it.

    A model folder always has a ``manifest.json`` that satisfies the published JSON Schema. Capture the model
    again, or restore the folder from the wheel it came from.
    """

    code = "MW101"


class FormatVersionError(PackageError):
    """The package was written in a newer format than this reader understands.

    A reader understands every format version up to its own. Upgrade modelwright, or read the package with the
    runtime it carries (``python -m NAME.model info``).
    """

    code = "MW102"


class DataError(ModelwrightError):
    """Data and signature do not agree."""

    code = "MW200"


class SignatureError(DataError):
    """The rows do not fit the signature of the model; every problem is listed with its row and column.

    Columns may be missing, unexpected, renamed or of another type; values may be null where the field is not
    nullable, outside declared bounds, or of a category the model has never seen. An integer is always fine where
    a float is declared; text is never fine where a number is declared.
    """

    code = "MW201"


class OutputError(DataError):
    """The model answered something that its signature does not allow: NaN, infinity, another shape or count."""

    code = "MW202"


class ContainerError(DataError):
    """The data came in a kind of container that is not understood.

    Understood are pandas, polars and PyArrow tables, NumPy arrays, a list of dicts (one per row), one dict of columns.
    """

    code = "MW203"


class DataFileError(DataError):
    """A file of rows cannot be read: unknown kind, broken line, wrong encoding, or a reader that is not installed."""

    code = "MW204"


class CompatibilityError(ModelwrightError):
    """This process is not an environment that the model was proved in."""

    code = "MW300"


class InterpreterError(CompatibilityError):
    """The running Python is none of those that the model was verified on.

    Install the model into one of the interpreters that it names, or extend the verified matrix with
    ``modelwright verify WHEEL --python X.Y``.
    """

    code = "MW301"


class PinError(CompatibilityError):
    """A library that the model needs is missing or has another version than the one it was captured with.

    Another version may load and give other answers without a word, so nothing is loaded. Install the pins of the
    package (``pip install NAME==VERSION`` does it).
    """

    code = "MW302"


class LoaderError(CompatibilityError):
    """The artifact cannot be loaded although interpreter, pins and digests match."""

    code = "MW303"


class SafetyError(ModelwrightError):
    """Loading would not be safe."""

    code = "MW400"


class IntegrityError(SafetyError):
    """A file of the package is not the file that was captured: another digest or size, or it is missing.

    Nothing was deserialised. Install the package again from a source you trust
    (``pip install --force-reinstall --no-cache-dir NAME==VERSION``).
    """

    code = "MW401"


class TrustError(SafetyError):
    """The artifact names types outside the reviewed list, and nobody vouched for them.

    Trust is the consumer's decision: pass ``trust=["module.Type"]`` to ``load`` after looking at what the types do.
    """

    code = "MW402"


class SelftestError(ModelwrightError):
    """A scenario that travels with the package does not hold here; each failing one is listed."""

    code = "MW501"
