"""Every error of modelwright, with the tree on top. Exit codes and HTTP statuses live in tables at the edges.

Where a line ends in the name of a module, that module holds the branch and draws it; everyone imports it from here.

::

    ModelwrightError
    ├── PackageError              MW1xx  the files of a package cannot be used
    │   ├── ManifestError         MW101  manifest.json is missing, malformed or contradicts the files
    │   ├── FormatVersionError    MW102  the package was written by a newer modelwright
    │   ├── WheelError            MW103  a wheel is truncated, no ZIP, or not a model package
    │   ├── RecordError           MW104  RECORD and the files of the wheel disagree
    │   └── UnknownPackageError   MW110  a reference (path, name, URL) leads to no package
    ├── DataError                 MW2xx  data and signature do not agree          (modelwright.runtime.errors)
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
    │   ├── TrustError            MW402  the artifact names types that nobody vouched for
    │   └── UnsafeFileError       MW403  a saved model would run code, and nobody vouched for it
    ├── SelftestError             MW501  a scenario of the package does not hold
    ├── CaptureError              MW6xx  a live model cannot become a package
    │   ├── NameVersionError      MW601  a name, version or licence that an index would refuse
    │   ├── SampleError           MW602  the sample cannot describe the model's inputs
    │   ├── ModelMismatchError    MW603  model and sample do not go together
    │   ├── SerialisationError    MW604  the model cannot be saved in this format
    │   ├── SourceError           MW605  code the model needs has no source that can be shipped
    │   ├── DependencyError       MW606  an imported module belongs to no installable distribution
    │   ├── LockError             MW607  the environment cannot be locked
    │   ├── ScenarioError         MW608  a scenario that the user gave does not hold
    │   ├── TraceError            MW609  the captured model does not run in a fresh process
    │   └── AccelerationError     MW610  no faster form can stand in for the model
    ├── BuildError                MW7xx  a package cannot become a wheel or an sdist
    │   ├── ProjectError          MW701  pyproject.toml is missing, invalid or contradicts the manifest
    │   └── StorageError          MW702  the result cannot be written (disk full, not allowed)
    ├── VerifyError               MW8xx  a package could not be proved
    │   ├── EnvironmentBuildError MW801  the clean environment cannot be made from the lock
    │   └── VerificationFailed    MW802  the model does not behave in the clean environment as it was captured
    ├── PluginError               MW9xx  a plug-in cannot be used
    │   ├── UnknownPluginError    MW901  no plug-in of that name
    │   └── MissingExtraError     MW902  a library of an extra is not installed
    ├── AuthoringError            MW10xx a model project cannot be made or released  (modelwright.project_errors)
    ├── RegistryError             MW11xx a registry refuses, or cannot be used  (modelwright.registry_errors)
    ├── ServingError              MW12xx a server refuses a request, or cannot answer  (modelwright.serving_errors)
    └── ExchangeError             MW13xx a package cannot go to or come from a system  (modelwright.exchange_errors)
"""

from __future__ import annotations

from modelwright.exchange_errors import (
    ExchangeError,
    ExportFolderError,
    TargetError,
    VariantError,
)
from modelwright.project_errors import (
    AdoptError,
    AuthoringError,
    CellError,
    ConversionError,
    GitError,
    NotebookError,
    ProofError,
    ReleaseError,
    ScaffoldError,
)
from modelwright.registry_errors import (
    AuditError,
    BundleError,
    DamageError,
    EvidenceError,
    GateError,
    LoginError,
    NotAllowedError,
    RegistryError,
    RequestError,
    SettingsError,
    StaleError,
    TakenError,
    UnavailableError,
    UnknownReleaseError,
    UploadError,
    UpstreamError,
    VersionStepError,
)
from modelwright.runtime.errors import (
    CompatibilityError,
    ContainerError,
    DataError,
    DataFileError,
    FormatVersionError,
    IntegrityError,
    InterpreterError,
    LoaderError,
    ManifestError,
    ModelwrightError,
    OutputError,
    PackageError,
    PinError,
    Problem,
    SafetyError,
    SelftestError,
    SignatureError,
    TrustError,
)
from modelwright.serving_errors import (
    AddressTakenError,
    CredentialError,
    DeadlineError,
    DeploymentError,
    MediaTypeError,
    MessageError,
    NotReadyError,
    OutcomeError,
    OverloadedError,
    RecordLogError,
    RolloutError,
    ServingError,
    SlowRequestError,
    TooLargeError,
    UnknownModelError,
    UnreachableError,
    WorkerError,
)


class WheelError(PackageError):
    """The file is not a wheel with a model in it: truncated, not a ZIP archive, or an ordinary library.

    Build or download it again; nothing inside it was executed.
    """

    code = "MW103"


class RecordError(PackageError):
    """RECORD and the files of the wheel disagree: a file is missing, unlisted, or has another digest.

    pip and uv do not check this. The wheel was altered after it was built; get it again from where it was built.
    """

    code = "MW104"


class UnknownPackageError(PackageError):
    """The reference leads to no package: no such file or folder, no such installed distribution, no such URL."""

    code = "MW110"


class UnsafeFileError(SafetyError):
    """A saved model would execute code when it is opened, and nobody vouched for it.

    Nothing was executed. Look at the listed calls; if you made the file yourself or trust who did, say so with
    ``trust="file"`` (``--trust`` on the command line).
    """

    code = "MW403"


class CaptureError(ModelwrightError):
    """A live model cannot become a package."""

    code = "MW600"


class NameVersionError(CaptureError):
    """The name, the version or the licence is one that a package index would refuse.

    Names follow PEP 508 and must give an importable module that shadows nothing; versions follow PEP 440 without
    a local part, licences PEP 639 (SPDX).
    """

    code = "MW601"


class SampleError(CaptureError):
    """The sample cannot describe the inputs of the model: empty, ambiguous columns, nothing but nulls."""

    code = "MW602"


class ModelMismatchError(CaptureError):
    """Model and sample do not go together: the model fails on the sample, or its answers break its own signature."""

    code = "MW603"


class SerialisationError(CaptureError):
    """The model cannot be saved in this format; the part that stands in the way is named."""

    code = "MW604"


class SourceError(CaptureError):
    """A function or class that the model needs has no source that can be shipped with it.

    It works here and would die on the next machine. Move it into a module, or give the module's file.
    """

    code = "MW605"


class DependencyError(CaptureError):
    """A module that the model imports belongs to no distribution that an installer can find."""

    code = "MW606"


class LockError(CaptureError):
    """The environment of the model cannot be locked: the index has no such release, or the pins contradict."""

    code = "MW607"


class ScenarioError(CaptureError):
    """A scenario or behavioural rule that was given does not hold for the model that was given."""

    code = "MW608"


class TraceError(CaptureError):
    """The captured model does not run in a fresh process, so it would not run anywhere else either."""

    code = "MW609"


class AccelerationError(CaptureError):
    """No faster form answers as the model does, so it cannot take the model's place."""

    code = "MW610"


class BuildError(ModelwrightError):
    """A package cannot become a wheel or an sdist."""

    code = "MW700"


class ProjectError(BuildError):
    """The project is not one that can be built: pyproject.toml is missing, invalid or contradicts the manifest."""

    code = "MW701"


class StorageError(BuildError):
    """The result cannot be written, for example because the disk is full; what was there before is untouched."""

    code = "MW702"


class VerifyError(ModelwrightError):
    """A package could not be proved."""

    code = "MW800"


class EnvironmentBuildError(VerifyError):
    """The clean environment cannot be made from the lock that the package carries."""

    code = "MW801"


class VerificationFailed(VerifyError):
    """The model does not behave in the clean environment as it did when it was captured."""

    code = "MW802"


class PluginError(ModelwrightError):
    """A plug-in cannot be used."""

    code = "MW900"


class UnknownPluginError(PluginError):
    """No plug-in of that name is installed; those that are available are listed."""

    code = "MW901"


class MissingExtraError(PluginError):
    """A library that this needs is not installed; one line installs it."""

    code = "MW902"


__all__ = [
    "AccelerationError",
    "AddressTakenError",
    "AdoptError",
    "AuditError",
    "AuthoringError",
    "BuildError",
    "BundleError",
    "CaptureError",
    "CellError",
    "CompatibilityError",
    "ContainerError",
    "ConversionError",
    "CredentialError",
    "DamageError",
    "DataError",
    "DataFileError",
    "DeadlineError",
    "DependencyError",
    "DeploymentError",
    "EnvironmentBuildError",
    "EvidenceError",
    "ExchangeError",
    "ExportFolderError",
    "FormatVersionError",
    "GateError",
    "GitError",
    "IntegrityError",
    "InterpreterError",
    "LoaderError",
    "LockError",
    "LoginError",
    "ManifestError",
    "MediaTypeError",
    "MessageError",
    "MissingExtraError",
    "ModelMismatchError",
    "ModelwrightError",
    "NameVersionError",
    "NotAllowedError",
    "NotReadyError",
    "NotebookError",
    "OutcomeError",
    "OutputError",
    "OverloadedError",
    "PackageError",
    "PinError",
    "PluginError",
    "Problem",
    "ProjectError",
    "ProofError",
    "RecordError",
    "RecordLogError",
    "RegistryError",
    "ReleaseError",
    "RequestError",
    "RolloutError",
    "SafetyError",
    "SampleError",
    "ScaffoldError",
    "ScenarioError",
    "SelftestError",
    "SerialisationError",
    "ServingError",
    "SettingsError",
    "SignatureError",
    "SlowRequestError",
    "SourceError",
    "StaleError",
    "StorageError",
    "TakenError",
    "TargetError",
    "TooLargeError",
    "TraceError",
    "TrustError",
    "UnavailableError",
    "UnknownModelError",
    "UnknownPackageError",
    "UnknownPluginError",
    "UnknownReleaseError",
    "UnreachableError",
    "UnsafeFileError",
    "UploadError",
    "UpstreamError",
    "VariantError",
    "VerificationFailed",
    "VerifyError",
    "VersionStepError",
    "WheelError",
    "WorkerError",
]
