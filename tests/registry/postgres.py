"""A real PostgreSQL for tests: a server in a temporary folder, started once, a database for each test.

It listens at a socket in a folder that only its user can enter, and syncs as it does in earnest.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

START_S = 60
USER = "postgres"


def programs() -> Path:
    """Return the folder with ``initdb`` and ``postgres``, of the newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    elsewhere = shutil.which("postgres")
    assert found or elsewhere, "PostgreSQL is not installed: apt-get install postgresql"
    return found[-1].parent if found else Path(elsewhere or "").parent


def _whoever() -> dict[str, str | list[str]]:
    """Say as whom the server has to run: it refuses to be root."""
    return {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start the server; give the folder with its socket."""
    home = Path(tempfile.mkdtemp(prefix="modelwright-postgres-"))  # in /tmp: a socket's path must be short
    whoever = _whoever()
    if whoever:
        owner = pwd.getpwnam(USER)
        os.chown(home, owner.pw_uid, owner.pw_gid)
    initialise = ["initdb", "-D", "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    # A language's order of words, as most servers have it, in which "a-b" does not stand before "ab".
    initialise += ["--locale-provider=icu", "--icu-locale=en-US"]
    try:
        subprocess.run(
            [programs() / initialise[0], *initialise[1:]], cwd=home, check=True, stdout=subprocess.DEVNULL, **whoever
        )
        serve = ["-D", "data", "-k", str(home), "-c", "listen_addresses=", "-c", "fsync=on", "-c", "log_statement=ddl"]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen([programs() / "postgres", *serve], cwd=home, stderr=log, **whoever)
        try:
            _wait_for(home, server)
            yield str(home)
        finally:
            server.send_signal(signal.SIGINT)  # without waiting for connections
            server.wait(START_S)
    finally:
        shutil.rmtree(home)


def _wait_for(home: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            psycopg.connect(host=str(home), user=USER, dbname="postgres").close()
            return
        except psycopg.OperationalError:
            assert server.poll() is None, (home / "log").read_text()
            time.sleep(0.05)
    raise AssertionError((home / "log").read_text())


_numbers = count()


@pytest.fixture
def postgresql(postgres_server: str) -> Iterator[str]:
    """Make an empty database; give its URL, as the setting ``state`` wants it."""
    name = f"registry_{next(_numbers)}"
    with psycopg.connect(host=postgres_server, user=USER, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"postgresql://{USER}@/{name}?host={postgres_server}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
