"""Two servers on one PostgreSQL and one object store: whatever is done through one is there through the other."""

from __future__ import annotations

import contextlib
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from server import Server, serving

from modelwright.errors import LoginError, ModelwrightError
from modelwright.registry.operating.opening import open_local
from modelwright.registry.registry import Registry
from modelwright.registry.service import Selection

Wheels = Callable[..., Path]


@pytest.fixture
def pair(tmp_path: Path, postgresql: str, bucket: Any) -> Iterator[tuple[Server, Server, str]]:
    """Two servers, each with a folder of its own that holds no state and no files; the token of an admin."""
    folders = [tmp_path / name / "registry" for name in ("one", "other")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "registry.toml").write_text(
            f'state = "{postgresql}"\nfiles = "{bucket.url}"\nanonymous_read = true\n'
        )
    service = open_local(folders[0], user="root")
    secret = service.add_token("ann", scopes=["admin"]).secret
    service.close()
    with contextlib.ExitStack() as running:
        yield *(running.enter_context(serving(folder)) for folder in folders), secret


def shown(server: Server, path: str) -> str:
    with urllib.request.urlopen(server.url + path, timeout=30) as answer:
        return answer.read().decode()


def outcome(deed: Callable[[], Any]) -> str:
    try:
        deed()
    except ModelwrightError as error:
        return type(error).__name__
    return "done"


def test_two_servers_are_one_registry(pair: tuple[Server, Server, str], churn: Wheels) -> None:
    one, other, secret = pair
    asked = [Registry(server.url, token=secret) for server in (one, other)]

    asked[0].publish(churn("1.0.0"))
    assert "churn-1.0.0" in shown(other, "simple/churn/")
    asked[1].promote("churn", "1.0.0", to="production", reason="first")
    assert "churn-1.0.0" in shown(one, "production/simple/churn/")
    asked[0].publish(churn("1.1.0", slope=3.0))
    asked[0].promote("churn", "1.1.0", to="production", reason="better")
    assert 'data-yanked="superseded' in shown(other, "production/simple/churn/")
    asked[1].rollback("churn", stage="production", reason="worse")
    assert "rolled back" in shown(one, "production/simple/churn/")

    sha256 = asked[0].service.project("churn").releases[0].digest
    for server in (one, other):
        with urllib.request.urlopen(f"{server.url}files/{sha256[:2]}/{sha256}/{churn('1.0.0').name}") as answer:
            assert answer.read() == churn("1.0.0").read_bytes()
    for folder in (one.folder, other.folder):
        assert not list(folder.rglob("*.whl")), "files lie in the object store only"

    wheels = [churn("2.0.0", slope=float(slope)) for slope in range(2, 10)]
    gate = threading.Barrier(len(wheels))

    def publish(number: int) -> str:
        registry = Registry((one, other)[number % 2].url, token=secret)
        gate.wait()
        return outcome(lambda: registry.publish(wheels[number]))

    with ThreadPoolExecutor(len(wheels)) as pool:
        assert Counter(pool.map(publish, range(len(wheels)))) == {"done": 1, "TakenError": 7}
    log = list(asked[1].service.history(Selection(version="2.0.0")))
    assert Counter((entry.action, entry.outcome) for entry in log) == {
        ("publish", "done"): 1,
        ("publish", "denied"): 7,
    }
    assert asked[0].service.check_audit(asked[1].service.head()).holds

    token = next(found for found in asked[0].service.tokens() if found.user == "ann")
    asked[0].service.revoke_token(token.id)
    with pytest.raises(LoginError):
        asked[1].service.tokens()
