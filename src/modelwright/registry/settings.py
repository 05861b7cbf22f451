"""What a registry is configured to be: stages with gates, storage, people, upstream, events.

For: whoever opens a registry. ``registry.toml`` in the registry's folder; nothing is needed to begin with. A setting
that cannot be honoured is an error, never a warning.
"""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import get_args

import msgspec
from packaging.utils import canonicalize_name

from modelwright.errors import SettingsError
from modelwright.registry.audit import Action
from modelwright.registry.gates import Approved, Gate, Metric, Signed, Soaked, Verified
from modelwright.runtime.suggestions import nearest
from modelwright.spec.struct import Frozen

FILE = "registry.toml"
PRIVATE = ".registry"
"""Folder for what is nobody else's business: the database, uploads under way. Never served, mode 0700."""
MAX_UPLOAD = 20 * 2**30
"""Largest file that is taken by default, bytes."""
_PAGE = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]+)*/", re.ASCII)
"""Address of a page of an index; no user, no query."""
RESERVED = frozenset(
    ("simple", "files", "legacy", "api", "models", "audit", "static", "login", "logout", "health", "feed", "upstream")
)
"""First parts of paths that the application serves, and which no stage may be called."""
_SAID = re.compile(r"Object contains unknown field `(?P<key>\w+)`|Invalid value '(?P<value>\w*)'.*\.gate`$")
"""How msgspec names what it does not know."""
_STAGE = re.compile(r"[a-z][a-z0-9-]{0,30}")
_INTERPRETER = re.compile(r"(cp|pp)3[0-9]{1,2}t?")
"""Source: PEP 425, "Python Tag", of an interpreter and not of what is common to several (``py3``)."""
LONGEST_DAYS = 36_500
"""Longest time that a gate asks for, days: a century; what is longer cannot be counted with."""
DEFAULT_STAGES = ("dev", "staging", "limited", "production")


class Stage(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One stage: an ordered, named view of the index.

    Attributes:
        name: Lower-case letters, digits and hyphens; part of its URL.
        gates: What it asks of a release.
    """

    name: str
    gates: tuple[Gate, ...] = ()


class Upstream(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Another index whose projects are served, too, unless a project of that name is here.

    Attributes:
        url: Its simple API, without credentials (those come from netrc).
        fresh_s: How long a page is served without asking again, seconds.
        stale_s: How long an old page is served when the upstream does not answer, seconds.
        timeout_s: How long to wait for an answer, seconds; less than the 15 after which pip gives up.
        deny: Projects, as ``fnmatch`` patterns, that are never fetched from there.
        file_hosts: Hosts, beside its own, that it may keep its files on (PyPI: ``files.pythonhosted.org``).
    """

    url: str
    fresh_s: float = 600
    stale_s: float = 7 * 86400
    timeout_s: float = 10
    deny: tuple[str, ...] = ()
    file_hosts: tuple[str, ...] = ()


class Webhook(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Somebody who is told of changes.

    Attributes:
        url: Where the event is posted.
        secret_file: File with the secret that signs it, relative to ``registry.toml``.
        events: Actions to tell of.
    """

    url: str
    secret_file: str
    events: tuple[Action, ...] = ("publish", "promote", "rollback", "yank")


class TrustedPublisher(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A CI job that may publish without a stored token: it shows an identity token of its provider (OIDC).

    Attributes:
        issuer: The provider, exactly as in the token's ``iss``.
        audience: What the token's ``aud`` must be.
        claims: Other claims and the values they must have (``repository = "acme/churn"``).
        projects: Projects it may publish; never empty.
        jwks_file: The provider's public keys, relative to ``registry.toml``; nothing is fetched.
        user: Name it has in the log.
    """

    issuer: str
    audience: str
    claims: dict[str, str]
    projects: tuple[str, ...]
    jwks_file: str
    user: str


class Settings(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Everything a registry can be configured to be.

    Attributes:
        title: What its pages call it.
        state: Database: empty: SQLite in the registry's folder; else ``postgresql://…`` or ``sqlite:///…``.
        files: Where files are kept: empty: the registry's folder; else a folder, ``s3://…``, ``gs://…``, ``az://…``.
        static_index: Whether a static index is written beside the files, so that any web server can serve them; by
            default where both the database and the files are in the registry's folder, which is where it stays true.
        stages: In order, first to last.
        anonymous_read: Whether somebody without a token may read.
        max_upload: Largest file that is taken, bytes.
        hosts: Names that the server answers to, beside the loopback ones; a request for another one is refused.
        upstream: Another index to be served, too.
        webhooks: Who is told of changes.
        trusted_publishers: CI jobs that may publish without a stored token.
        alternate_locations: By project, pages of other indexes that carry the same project (PEP 708): installers that
            know it then take two indexes for one, so that only whoever runs the registry says this.
    """

    title: str = "Model registry"
    state: str = ""
    files: str = ""
    static_index: bool | None = None
    stages: tuple[Stage, ...] = tuple(Stage(name=name) for name in DEFAULT_STAGES)
    anonymous_read: bool = False
    max_upload: int = MAX_UPLOAD
    hosts: tuple[str, ...] = ()
    upstream: Upstream | None = None
    webhooks: tuple[Webhook, ...] = ()
    trusted_publishers: tuple[TrustedPublisher, ...] = ()
    alternate_locations: dict[str, tuple[str, ...]] = {}

    @property
    def writes_static_index(self) -> bool:
        """Whether a static index is written; another process with the same database would make it lie."""
        return not self.state and not self.files if self.static_index is None else self.static_index

    def stage(self, name: str) -> Stage | None:
        """Return a stage by its name, ``None`` if there is none."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def before(self, name: str) -> Stage | None:
        """Return the stage before another one, ``None`` for the first."""
        names = [stage.name for stage in self.stages]
        position = names.index(name)
        return self.stages[position - 1] if position else None


def read_settings(path: Path) -> Settings:
    """Read ``registry.toml``; a file that is not there means the defaults.

    Raises:
        SettingsError: Not TOML, an unknown key, or a value that cannot be honoured.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Settings()
    return parse_settings(content, where=str(path))


def parse_settings(content: bytes, *, where: str = FILE) -> Settings:
    r"""Read the text of a ``registry.toml``.

    Raises:
        SettingsError: Not TOML, an unknown key, or a value that cannot be honoured.

    Example:
        >>> parse_settings(b'[[stages]]\nname = "live"').stages[0].name
        'live'
    """
    try:
        settings = msgspec.convert(tomllib.loads(content.decode("utf-8")), Settings)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("The settings are not TOML.", where=where, why=str(error)) from error
    except msgspec.ValidationError as error:
        raise SettingsError(
            "The settings cannot be understood.", where=where, why=str(error), hint=_meant(str(error))
        ) from error
    _check_stages(settings, where)
    _check_publishers(settings, where)
    _check_alternates(settings, where)
    if settings.static_index and (settings.state or settings.files):
        raise SettingsError(
            "A static index cannot be kept true here.",
            where=where,
            why="It lies in the registry's folder, and the database or the files do not.",
            hint="Leave static_index out, and run modelwright registry.",
        )
    return settings


def _meant(why: str) -> str:
    """Return what was probably meant where msgspec names a key or a value that is not known; empty: nobody can say.

    Example:
        >>> _meant("Object contains unknown field `anonymous_red`")
        "Did you mean 'anonymous_read'?"
        >>> _meant("Invalid value 'verifed' - at `$.stages[0].gates[0].gate`")
        "Did you mean 'verified'?"
    """
    said = _SAID.match(why)
    if said is None:
        return ""
    gates = get_args(Gate)
    kinds = [one.__struct_config__.tag for one in gates]
    parts = (Settings, Stage, Upstream, Webhook, TrustedPublisher, *gates)
    known = kinds if said["value"] else [name for part in parts for name in part.__struct_fields__]
    meant = nearest(said["value"] or said["key"], known)
    if meant:
        return f"Did you mean {meant!r}?"
    return f"The gates are {', '.join(kinds)}." if said["value"] else ""


def _check_stages(settings: Settings, where: str) -> None:
    names = [stage.name for stage in settings.stages]
    if not names:
        raise SettingsError("There are no stages.", where=where, hint='[[stages]]\n       name = "production"')
    for name in names:
        if not _STAGE.fullmatch(name) or name in RESERVED:
            raise SettingsError(
                f"A stage cannot be called {name!r}.",
                where=where,
                why="Lower-case letters, digits and hyphens, beginning with a letter, at most 31 characters"
                + (", and this one is a path of the registry itself." if name in RESERVED else "."),
            )
    if len(set(names)) != len(names):
        raise SettingsError("Two stages have the same name.", where=where, why=", ".join(names))
    for position, stage in enumerate(settings.stages):
        for gate in stage.gates:
            _check_gate(gate, f"{where}, stage {stage.name}", first=position == 0)


def _check_gate(gate: Gate, where: str, *, first: bool) -> None:
    _check_numbers(gate, where)
    if isinstance(gate, Metric) and (gate.at_least, gate.at_most, gate.within) == (None, None, None):
        raise SettingsError(
            f"The gate on {gate.metric} has no threshold.", where=where, hint="Give at_least, at_most or within."
        )
    if isinstance(gate, Approved) and gate.count < 1:
        raise SettingsError("An approval by nobody is no gate.", where=where, hint="Give count = 1.")
    if isinstance(gate, Verified) and not all(map(_INTERPRETER.fullmatch, gate.on)):
        raise SettingsError(
            "No wheel could be proved on that.", where=where, why=f"on = {list(gate.on)}", hint='on = ["cp311"]'
        )
    if isinstance(gate, Signed) and not gate.keys:
        raise SettingsError("A signature by nobody's key is no gate.", where=where, hint='keys = ["keys/ci.pem"]')
    if isinstance(gate, Soaked) and first:
        raise SettingsError("The first stage has none before it to soak in.", where=where)


def _check_numbers(gate: Gate, where: str) -> None:
    """Refuse what cannot be compared with, and spans of time that are none; TOML knows ``nan`` and ``inf``."""
    most = {"max_age_days": LONGEST_DAYS, "hours": 24 * LONGEST_DAYS, "within": math.inf}
    for name in gate.__struct_fields__:
        value = getattr(gate, name)
        if isinstance(value, float) and not math.isfinite(value):
            raise SettingsError(f"{name!r} is not a number that anything can be compared with.", where=where)
        if isinstance(value, float) and name in most and not 0 <= value <= most[name]:
            known = f"between 0 and {most[name]}" if math.isfinite(most[name]) else "0 or more"
            raise SettingsError(f"{name!r} is {known}.", where=where, why=f"It is {value:g}.")


def _check_publishers(settings: Settings, where: str) -> None:
    for publisher in settings.trusted_publishers:
        if not publisher.projects or not publisher.claims:
            raise SettingsError(
                f"The trusted publisher {publisher.user!r} would be anyone, or could publish anything.",
                where=where,
                hint="Give claims and projects.",
            )
        if any(canonicalize_name(name) != name for name in publisher.projects):
            raise SettingsError("Projects are named in their normal form (PEP 503).", where=where)


def _check_alternates(settings: Settings, where: str) -> None:
    for name, urls in settings.alternate_locations.items():
        if canonicalize_name(name) != name:
            raise SettingsError("Projects are named in their normal form (PEP 503).", where=where, why=name)
        for url in urls:
            if not _PAGE.fullmatch(url) or not url.endswith(f"/{name}/"):
                raise SettingsError(
                    f"{url!r} is not the page of {name} on another index.",
                    where=f"{where}: alternate_locations",
                    hint=f"https://models.example/simple/{name}/",
                )
