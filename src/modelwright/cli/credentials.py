"""Registries that ``modelwright login`` was told of, and the tokens for them.

For: the command line only. A token lies in the system's keyring where the ``keyring`` library has one that works, else
in a file that only its owner may read. It is shown by no command.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from modelwright.errors import SettingsError, StorageError
from modelwright.spec.struct import Frozen

SERVICE = "modelwright"
"""Under which the keyring keeps tokens, one for each address."""


class Login(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One registry that was logged in to.

    Attributes:
        url: Its address.
        user: Whose token it is.
        token: The secret; empty if the keyring has it.
    """

    url: str
    user: str = ""
    token: str = ""


class Logins(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What the file holds.

    Attributes:
        default: Address of the registry that was logged in to last, which is asked when none is named.
        logins: Every registry, by address.
    """

    default: str = ""
    logins: dict[str, Login] = {}


def credentials_file(environment: Mapping[str, str], home: Path) -> Path:
    """Return where logins are kept. Source: XDG Base Directory Specification.

    Example:
        >>> credentials_file({}, Path("/home/ann")).as_posix()
        '/home/ann/.config/modelwright/logins.json'
    """
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "modelwright" / "logins.json"


def same_address(url: str) -> str:
    """Return the one spelling of an address under which its token is kept.

    Example:
        >>> same_address("HTTP://Models.Internal:8080/")
        'http://models.internal:8080'
    """
    parts = urlsplit(url)
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl().rstrip("/")


def read_logins(file: Path) -> Logins:
    """Read the file; one that is not there means no logins.

    Raises:
        SettingsError: Others may read it, or it is malformed.
    """
    try:
        with file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            content = stream.read()
    except FileNotFoundError:
        return Logins()
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError("Others may read the file with your tokens.", where=str(file), hint=f"chmod 600 {file}")
    try:
        return msgspec.json.decode(content, type=Logins)
    except msgspec.DecodeError as error:
        raise SettingsError("The file of logins is damaged.", where=str(file), why=str(error)) from error


def token_for(file: Path, url: str) -> str:
    """Return the token that is stored for a registry; empty: none."""
    login = read_logins(file).logins.get(same_address(url))
    if login is None:
        return ""
    return login.token or _from_keyring(login.url)


def store_login(file: Path, url: str, token: str, *, user: str) -> str:
    """Store a token, and make its registry the one that is asked when none is named.

    Returns:
        Where the token is, in words.

    Raises:
        StorageError: The file cannot be written.
    """
    url = same_address(url)
    kept = read_logins(file)
    ring = _to_keyring(url, token)
    login = Login(url=url, user=user, token="" if ring else token)
    _write(file, Logins(default=url, logins={**kept.logins, url: login}))
    return ring or str(file)


def forget_login(file: Path, url: str) -> bool:
    """Remove a token; return whether there was one."""
    url = same_address(url)
    kept = read_logins(file)
    login = kept.logins.get(url)
    if login is None:
        return False
    if not login.token:
        _out_of_keyring(url)
    others = {key: value for key, value in kept.logins.items() if key != url}
    _write(file, Logins(default="" if kept.default == url else kept.default, logins=others))
    return True


def _write(file: Path, logins: Logins) -> None:
    """Write the file so that it is never readable for others and never half there."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, partial = tempfile.mkstemp(dir=file.parent, prefix=".logins-")  # its mode is 0600
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(msgspec.json.format(msgspec.json.encode(logins), indent=2))
                stream.flush()
                os.fsync(stream.fileno())
            Path(partial).replace(file)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError("The token cannot be stored.", where=str(file), why=error.strerror or str(error)) from error


def _to_keyring(url: str, token: str) -> str:
    """Try to give a token to the keyring; return the keyring's name if it kept it."""

    def keep(ring: Any) -> str:
        ring.set_password(SERVICE, url, token)
        return f"the keyring ({ring.get_keyring().name})" if ring.get_password(SERVICE, url) == token else ""

    return _asked(keep) or ""


def _from_keyring(url: str) -> str:
    return _asked(lambda ring: ring.get_password(SERVICE, url)) or ""


def _out_of_keyring(url: str) -> None:
    _asked(lambda ring: ring.delete_password(SERVICE, url))


def _asked(question: Callable[[Any], str | None]) -> str | None:
    """Ask the keyring; ``None`` if there is none that works here."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        return None
    try:
        return question(keyring)
    except (KeyringError, RuntimeError, OSError):  # no backend, a locked one, no session bus
        return None
