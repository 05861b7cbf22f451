"""Logging in: where the token comes from, where it lies, to whom it is sent, and that nothing shows it."""

from __future__ import annotations

import io
import json
import stat
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

sys.path.append(str(Path(__file__).parent.parent / "registry"))

from client_server import answering, stranger

from modelwright.cli.addresses import find_token, here
from modelwright.cli.app import run
from modelwright.cli.output import Output
from modelwright.cli.progress import line, upload_watcher
from modelwright.registry.client.transfers import Transfer

SECRET = "mw_0123456789ab_" + "s3cret" * 7 + "x"
WELCOME = {"principal": {"user": "bob", "scopes": ["publish"], "projects": ["churn"]}, "stages": ["dev"]}


class MemoryKeyring(KeyringBackend):
    """A keyring that works."""

    priority = 1
    name = "a drawer"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError(username)


@pytest.fixture
def drawer():
    """The system's keyring, replaced by one that works."""
    before = keyring.get_keyring()
    keyring.set_keyring(ring := MemoryKeyring())
    yield ring
    keyring.set_keyring(before)


@pytest.fixture
def no_keyring():
    """The system's keyring, replaced by one that refuses everything, as on a server."""
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A user with nothing configured; where the file of logins will be."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    for name in ("MODELWRIGHT_REGISTRY", "MODELWRIGHT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "config" / "modelwright" / "logins.json"


@pytest.fixture
def asked():
    """The tokens that the server was sent."""
    return []


@pytest.fixture
def server(asked):
    """A server that knows one token."""

    def answer(request):
        asked.append(request.headers.get("Authorization", ""))
        if asked[-1] != f"Bearer {SECRET}":
            refusal = {"error": "The token is not one that this registry knows.", "code": "MW1109"}
            answering(401, json.dumps(refusal).encode())(request)
        else:
            answering(200, json.dumps([] if "/projects" in request.path else WELCOME).encode())(request)

    with stranger(answer) as url:
        yield url


def log_in(url: str, monkeypatch, token: str = SECRET) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    return run(["login", url, "--token-stdin"])


def test_token_goes_into_the_keyring_and_not_into_the_file(server, home, drawer, asked, monkeypatch, capsys):
    assert log_in(server, monkeypatch) == 0
    assert drawer.kept == {("modelwright", server): SECRET}
    assert "s3cret" not in home.read_text()
    said = capsys.readouterr()
    assert f"bob at {server}: publish, for churn" in said.out
    assert "the keyring (a drawer)" in said.out
    assert "s3cret" not in said.out + said.err
    assert run(["list"]) == 0
    assert set(asked) == {f"Bearer {SECRET}"}


def test_without_a_keyring_only_the_owner_may_read_the_file(server, home, no_keyring, asked, monkeypatch, capsys):
    assert log_in(server, monkeypatch) == 0
    assert stat.S_IMODE(home.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    assert [path.name for path in home.parent.iterdir()] == [home.name]
    assert str(home) in capsys.readouterr().out
    assert run(["list"]) == 0
    assert set(asked) == {f"Bearer {SECRET}"}


def test_file_that_others_may_read_is_refused(server, home, no_keyring, monkeypatch, capsys):
    log_in(server, monkeypatch)
    home.chmod(0o644)
    capsys.readouterr()
    assert run(["list"]) == 2
    assert f"chmod 600 {home}" in capsys.readouterr().err


def test_token_that_the_server_does_not_know_is_not_stored(server, home, no_keyring, monkeypatch, capsys):
    assert log_in(server, monkeypatch, "mw_0123456789ab_wrong-s3cret") == 4
    assert not home.exists()
    assert "s3cret" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("typed", ["", "   ", "t\u00f6ken", "mw_a\x1b[A"])
def test_what_is_no_token_is_not_even_sent(typed, server, home, asked, monkeypatch):
    assert log_in(server, monkeypatch, typed) == 4
    assert asked == []


def test_token_is_asked_for_without_echo(server, home, no_keyring, monkeypatch):
    prompts = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: prompts.append(prompt) or SECRET)
    assert run(["login", server]) == 0
    assert prompts == [f"Token for {server}: "]


def test_forgotten_is_forgotten(server, home, drawer, monkeypatch, capsys):
    log_in(server, monkeypatch)
    assert run(["login", server, "--forget"]) == 0
    assert drawer.kept == {}
    assert server not in home.read_text()
    assert run(["list"]) == 2
    capsys.readouterr()
    assert run(["login", server, "--forget"]) == 0
    assert "not known" in capsys.readouterr().out


def test_stored_token_is_sent_to_its_own_registry_only(server, home, no_keyring, monkeypatch):
    log_in(server, monkeypatch)
    others = []

    def remember(request):
        others.append(request.headers.get("Authorization"))
        answering(401)(request)

    with stranger(remember) as other:
        assert run(["list", "--registry", other]) == 4
    assert others == [None]


def test_variable_wins_over_what_is_stored(server, home, no_keyring, asked, monkeypatch):
    log_in(server, monkeypatch, SECRET)
    monkeypatch.setenv("MODELWRIGHT_TOKEN", "mw_other")
    assert run(["list"]) == 4
    assert asked[-1] == "Bearer mw_other"


def test_registry_of_the_last_login_is_asked_until_another_is_named(server, home, no_keyring, monkeypatch, capsys):
    log_in(server, monkeypatch)
    (Path.cwd() / "pyproject.toml").write_text('[tool.modelwright]\nregistry = "elsewhere"\n')
    assert run(["list"]) == 5
    assert "elsewhere" in capsys.readouterr().err


def test_damaged_file_of_logins_is_said(home, capsys):
    home.parent.mkdir(parents=True)
    home.write_text("{")
    home.chmod(0o600)
    assert run(["list"]) == 2
    assert "damaged" in capsys.readouterr().err


def test_progress_shows_share_rate_and_time_left_once_an_upload_is_slow(capsys):
    watch = upload_watcher(Output())
    watch(Transfer("churn.whl", done=1, total=4, seconds=0.5))
    assert capsys.readouterr().err == ""
    watch(Transfer("churn.whl", done=2**20, total=4 * 2**20, seconds=2.0))
    assert "25 %  1.0 MiB of 4.0 MiB  512.0 KiB/s  0:06 left" in capsys.readouterr().err
    watch(Transfer("churn.whl", done=2 * 2**20, total=4 * 2**20, seconds=2.1))
    assert capsys.readouterr().err == ""
    watch(Transfer("churn.whl", done=4 * 2**20, total=4 * 2**20, seconds=3.0))
    assert "100 %" in capsys.readouterr().err
    assert line(Transfer("empty", done=0, total=0, seconds=1.0)).startswith("  empty  100 %")


@pytest.mark.parametrize("output", [Output(quiet=True), Output(json=True)])
def test_progress_is_silent_when_asked_to_be(output):
    assert upload_watcher(output) is None


def test_the_environments_token_is_not_sent_where_only_a_project_says_to(tmp_path: Path) -> None:
    environment = {"MODELWRIGHT_TOKEN": "mw_secret", "XDG_CONFIG_HOME": str(tmp_path)}
    assert find_token("http://models.internal", environment, home=tmp_path) == "mw_secret"
    assert find_token("http://models.internal", environment, home=tmp_path, by_project=True) == ""


def test_a_project_that_names_a_registry_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.modelwright]\nregistry = "http://elsewhere.example"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MODELWRIGHT_TOKEN", "mw_secret")
    monkeypatch.delenv("MODELWRIGHT_REGISTRY", raising=False)
    assert here(None) == ("http://elsewhere.example", "")
    assert here("http://models.internal") == ("http://models.internal", "mw_secret")
