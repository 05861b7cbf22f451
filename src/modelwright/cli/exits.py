"""Which error gives which exit code: the only place where that is decided.

Source: the meanings stand in :data:`modelwright.cli.commands.EXITS` and are those of a packaged model's own command
line (:mod:`modelwright.runtime`), so that scripts may treat both alike.
"""

from __future__ import annotations

from modelwright.errors import (
    AddressTakenError,
    BundleError,
    CompatibilityError,
    CredentialError,
    DamageError,
    DeadlineError,
    DeploymentError,
    EnvironmentBuildError,
    EvidenceError,
    ExportFolderError,
    GateError,
    GitError,
    LockError,
    LoginError,
    MissingExtraError,
    ModelwrightError,
    NameVersionError,
    NotAllowedError,
    NotReadyError,
    OverloadedError,
    PackageError,
    ReleaseError,
    RequestError,
    RolloutError,
    SafetyError,
    ScaffoldError,
    SettingsError,
    StaleError,
    StorageError,
    TakenError,
    TargetError,
    UnavailableError,
    UnknownModelError,
    UnknownPackageError,
    UnknownPluginError,
    UnknownReleaseError,
    UnreachableError,
    UploadError,
    UpstreamError,
    VariantError,
    VersionStepError,
    WorkerError,
)

OK, FAILED, USAGE, NOT_FOUND, REFUSED, UNAVAILABLE = range(6)
BUG = 70
"""An error nobody designed. Source: ``EX_SOFTWARE`` of BSD's sysexits."""
INTERRUPTED = 130
"""Ctrl-C: 128 + SIGINT, as shells report it."""
BROKEN_PIPE = 141
"""The reader of the output went away: 128 + SIGPIPE."""

TABLE: dict[type[BaseException], int] = {
    ModelwrightError: FAILED,
    NameVersionError: USAGE,
    UnknownPackageError: NOT_FOUND,
    UnknownPluginError: NOT_FOUND,
    FileNotFoundError: NOT_FOUND,
    PackageError: REFUSED,
    SafetyError: REFUSED,
    CompatibilityError: REFUSED,
    ReleaseError: REFUSED,
    ScaffoldError: REFUSED,
    ExportFolderError: REFUSED,
    VariantError: REFUSED,
    TargetError: USAGE,
    SettingsError: USAGE,
    RequestError: USAGE,
    UnknownReleaseError: NOT_FOUND,
    UploadError: REFUSED,
    TakenError: REFUSED,
    VersionStepError: REFUSED,
    GateError: REFUSED,
    StaleError: REFUSED,
    NotAllowedError: REFUSED,
    LoginError: REFUSED,
    BundleError: REFUSED,
    DamageError: REFUSED,
    EvidenceError: REFUSED,
    UnavailableError: UNAVAILABLE,
    UpstreamError: UNAVAILABLE,
    GitError: UNAVAILABLE,
    LockError: UNAVAILABLE,
    EnvironmentBuildError: UNAVAILABLE,
    StorageError: UNAVAILABLE,
    MissingExtraError: UNAVAILABLE,
    DeploymentError: USAGE,
    UnknownModelError: NOT_FOUND,
    RolloutError: REFUSED,
    CredentialError: REFUSED,
    AddressTakenError: UNAVAILABLE,
    DeadlineError: UNAVAILABLE,
    NotReadyError: UNAVAILABLE,
    OverloadedError: UNAVAILABLE,
    UnreachableError: UNAVAILABLE,
    WorkerError: UNAVAILABLE,
    OSError: UNAVAILABLE,
    KeyboardInterrupt: INTERRUPTED,
    BrokenPipeError: BROKEN_PIPE,
    Exception: BUG,
}
"""The nearest class in an error's line of ancestors decides."""


def exit_code(error: BaseException) -> int:
    """Return the exit code of an error.

    Example:
        >>> from modelwright.errors import TrustError
        >>> exit_code(TrustError("types nobody vouched for"))
        4
    """
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
