"""Sixteen at once: exactly one wins, the others are told so, and the log has what was done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from registry_wheels import model_wheel
from server import serving

from modelwright.errors import ModelwrightError
from modelwright.registry.client.remote import RemoteService
from modelwright.registry.operating.opening import open_local
from modelwright.registry.service import Selection, Service

SIXTEEN = 16
RACE = Path(__file__).parent / "powercut" / "race.py"
Wheels = Callable[..., Path]


@pytest.fixture(scope="module")
def different(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Sixteen wheels of one version, no two the same."""
    return [model_wheel(tmp_path_factory.mktemp("wheel"), "1.0.0", slope=number) for number in range(1, SIXTEEN + 1)]


def race(verb: str, folders: list[Path], what: list[object]) -> Counter[str]:
    """Let processes go at the same moment; each has the next of the folders, in turns."""
    places = [folders[number % len(folders)] for number in range(len(what))]
    pairs = [str(part) for pair in zip(places, what, strict=True) for part in pair]
    done = subprocess.run([sys.executable, RACE, verb, *pairs], check=True, capture_output=True, text=True)
    return Counter(json.loads(done.stdout))


def outcomes(folder: Path, action: str) -> Counter[str]:
    """Count the entries of the log about an action by their outcome; see that the log holds."""
    service = open_local(folder, user="ann")
    try:
        assert service.check().sound
        return Counter(entry.outcome for entry in service.history(Selection(action=action)))
    finally:
        service.close()


def test_of_sixteen_processes_that_publish_other_bytes_one_wins(registry_folder: Path, different: list[Path]) -> None:
    assert race("publish", [registry_folder], [*different]) == {"new": 1, "TakenError": 15}
    assert outcomes(registry_folder, "publish") == {"done": 1, "denied": 15}


def test_sixteen_processes_that_publish_the_same_bytes_all_succeed(registry_folder: Path, churn: Wheels) -> None:
    assert race("publish", [registry_folder], [churn()] * SIXTEEN) == {"new": 1, "there": 15}
    assert outcomes(registry_folder, "publish") == {"done": 1}


def test_of_sixteen_processes_that_promote_one_wins(registry_folder: Path, churn: Wheels) -> None:
    service = open_local(registry_folder, user="ann")
    for version in ("1.0.0", "1.1.0"):
        service.upload(churn(version))
    service.close()
    assert race("promote", [registry_folder], ["1.0.0", "1.1.0"] * 8) == {"moved": 1, "StaleError": 15}
    assert outcomes(registry_folder, "promote") == {"done": 1, "denied": 15}


def attempts(services: list[Service], verb: Callable[[Service], bool]) -> Counter[str]:
    """Let threads do the same thing at the same moment, each with the next of the services, in turns."""

    def attempt(service: Service) -> str:
        try:
            return "changed" if verb(service) else "unchanged"
        except ModelwrightError as error:
            return type(error).__name__

    with ThreadPoolExecutor(SIXTEEN) as pool:
        return Counter(pool.map(attempt, [services[number % len(services)] for number in range(SIXTEEN)]))


def test_of_sixteen_threads_of_one_service_one_wins(registry_folder: Path, different: list[Path]) -> None:
    service, wheels = open_local(registry_folder, user="ann"), iter(different)
    published = attempts([service], lambda service: service.upload(next(wheels)).new)
    assert published == {"changed": 1, "TakenError": 15}
    moved = attempts(
        [service], lambda one: one.promote("churn", "1.0.0", to="dev", reason="first", expected="").changed
    )
    assert moved == {"changed": 1, "StaleError": 15}
    service.close()
    assert outcomes(registry_folder, "promote") == {"done": 1, "denied": 15}


def test_of_sixteen_who_ask_one_server_one_wins(registry_folder: Path, different: list[Path]) -> None:
    service = open_local(registry_folder, user="ann")
    token = service.add_token("ann", scopes=("publish", "promote")).secret
    service.close()
    with serving(registry_folder) as server:
        services, wheels = [RemoteService(server.url, token) for _ in range(SIXTEEN)], iter(different)
        published = attempts(services, lambda service: service.upload(next(wheels)).new)
        moved = attempts(
            services, lambda one: one.promote("churn", "1.0.0", to="dev", reason="first", expected="").changed
        )
    assert published == {"changed": 1, "TakenError": 15}
    assert moved == {"changed": 1, "StaleError": 15}
    assert outcomes(registry_folder, "publish") == {"done": 1, "denied": 15}
    assert outcomes(registry_folder, "promote") == {"done": 1, "denied": 15}


def test_of_sixteen_processes_on_one_postgresql_and_one_store_one_wins(
    postgresql: str, tmp_path: Path, different: list[Path]
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        (folder / "registry.toml").write_text(f'state = "{postgresql}"\nfiles = "{tmp_path / "files"}"\n')
    assert race("publish", folders, [*different]) == {"new": 1, "TakenError": 15}
    assert race("promote", folders, ["1.0.0"] * SIXTEEN) == {"moved": 1, "StaleError": 15}
    assert outcomes(folders[0], "publish") == outcomes(folders[1], "promote") == {"done": 1, "denied": 15}
