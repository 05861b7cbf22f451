"""Every error of the registry: what it refuses, and what keeps it from working.

::

    ModelwrightError
    └── RegistryError             MW11xx a registry refuses, or cannot be used
        ├── SettingsError         MW1101 registry.toml says something that cannot be honoured
        ├── UploadError           MW1102 a file is not one that an index may carry
        ├── TakenError            MW1103 the file name is taken, by other bytes or by a file that was deleted
        ├── VersionStepError      MW1104 the version promises more compatibility than the change allows
        ├── UnknownReleaseError   MW1105 there is no such project, release, file or stage
        ├── GateError             MW1106 gates of the stage do not pass (lists every gate)
        ├── StaleError            MW1107 the stage changed since it was looked at
        ├── NotAllowedError       MW1108 who asks may not do this
        ├── LoginError            MW1109 no token, or one that is unknown, expired or revoked
        ├── AuditError            MW1110 the log was altered: its hash chain does not hold
        ├── UnavailableError      MW1111 the registry, its database or its files cannot be reached
        ├── DamageError           MW1112 what is stored is not what was published
        ├── BundleError           MW1113 a bundle cannot be written, or is not one
        ├── UpstreamError         MW1114 the upstream index does not answer, or not with what it announced
        ├── EvidenceError         MW1115 the evidence is not about this wheel, or not valid
        └── RequestError          MW1116 a malformed name, version, digest or number

Imported by :mod:`modelwright.errors`; everyone imports them from there.
"""

from __future__ import annotations

from modelwright.runtime.errors import ModelwrightError


class RegistryError(ModelwrightError):
    """A registry refuses, or cannot be used."""

    code = "MW1100"


class SettingsError(RegistryError):
    """The registry's settings say something that cannot be honoured; nothing was started."""

    code = "MW1101"


class UploadError(RegistryError):
    """A file is not one that an index may carry; every problem is listed, and nothing was stored.

    Checked before anything becomes visible: the ZIP structure, RECORD both ways, one name and version everywhere, the
    manifest's digests, nothing that runs at interpreter start, no foreign top-level package.
    """

    code = "MW1102"


class TakenError(RegistryError):
    """The file name is taken, by other bytes or by a file that was deleted.

    A file name never comes back with other bytes, nor does a version that was deleted: whoever pinned it would get
    something else. Raise the version.
    """

    code = "MW1103"


class VersionStepError(RegistryError):
    """The version promises more compatibility with the release before it than the change allows."""

    code = "MW1104"


class UnknownReleaseError(RegistryError):
    """There is no such project, release, file or stage in this registry."""

    code = "MW1105"


class GateError(RegistryError):
    """Gates of the stage do not pass. Every gate is listed with what was found and what is asked for.

    Nothing was moved; the attempt stands in the audit log.
    """

    code = "MW1106"


class StaleError(RegistryError):
    """The stage changed since it was looked at, so that what was decided was decided about something else."""

    code = "MW1107"


class NotAllowedError(RegistryError):
    """Who asks may not do this: the token lacks the scope, or is for other projects."""

    code = "MW1108"


class LoginError(RegistryError):
    """There is no token, or one that is unknown, expired or revoked. ``modelwright login`` stores one."""

    code = "MW1109"


class AuditError(RegistryError):
    """The audit log was altered: its hash chain does not hold, or it does not contain an exported head."""

    code = "MW1110"


class UnavailableError(RegistryError):
    """The registry, its database or its files cannot be reached, or there is no room left; nothing was changed."""

    code = "MW1111"


class DamageError(RegistryError):
    """What is stored is not what was published: a file is missing or has another digest."""

    code = "MW1112"


class BundleError(RegistryError):
    """A bundle cannot be written, or the file is not one."""

    code = "MW1113"


class UpstreamError(RegistryError):
    """The upstream index does not answer, or not with what it announced."""

    code = "MW1114"
    silent: bool = False
    """Whether it says nothing, or that it cannot answer now (429, 5xx), so that asking more is of no use."""


class EvidenceError(RegistryError):
    """The evidence is malformed, about another wheel, or its signature does not hold."""

    code = "MW1115"


class RequestError(RegistryError):
    """A request names something that no registry has: a malformed name, version, digest or number."""

    code = "MW1116"
