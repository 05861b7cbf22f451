"""SQLite and PostgreSQL: the same registry, whichever of the two remembers it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from modelwright.errors import (
    GateError,
    ModelwrightError,
    NotAllowedError,
    RequestError,
    StaleError,
    TakenError,
    UnavailableError,
)
from modelwright.registry.audit import Entry
from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local
from modelwright.registry.people import Principal
from modelwright.registry.service import Selection
from modelwright.registry.state.database import State, connect, sqlite_url
from modelwright.registry.state.tables import metadata, stale

Wheels = Callable[..., Path]
Open = Callable[..., LocalService]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "state.sqlite")
    return str(request.getfixturevalue("postgresql"))


@pytest.fixture
def state(url: str) -> Iterator[State]:
    opened = State(connect(url))
    yield opened
    opened.close()


@pytest.fixture
def open_registry(url: str, tmp_path: Path) -> Iterator[Open]:
    """Open registries that share a database and their files; each has a folder of its own."""
    opened: list[LocalService] = []

    def another(**settings: str) -> LocalService:
        folder = tmp_path / f"registry-{len(opened)}"
        folder.mkdir()
        files = settings.pop("files", str(tmp_path / "files"))
        stages = '[[stages]]\nname = "dev"\n[[stages]]\nname = "production"\n[[stages]]\nname = "guarded"\n'
        gate = 'gates = [{ gate = "metric", metric = "accuracy", dataset = "test", at_least = 0.99 }]\n'
        (folder / "registry.toml").write_text(f'state = "{url}"\nfiles = "{files}"\n{stages}{gate}')
        opened.append(open_local(folder, user="ann"))
        return opened[-1]

    yield another
    for service in opened:
        service.close()


def an_entry(**fields: Any) -> Entry:
    return Entry(sequence=0, time="", actor="ann", action="publish", outcome="done", previous="", **fields)


def test_migrations_lead_to_the_tables_that_queries_know(state: State) -> None:
    with state.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_eight_who_open_an_empty_database_at_once_make_its_tables_once(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        for engine in list(pool.map(connect, [url] * 8)):
            engine.dispose()


def test_a_database_of_a_newer_modelwright_is_refused(url: str, state: State) -> None:
    with state.engine.execution_options(writing=True).connect() as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnavailableError, match="does not know"):
        connect(url)


@pytest.mark.parametrize(
    "change", ["UPDATE entries SET actor = 'eve'", "DELETE FROM entries", "TRUNCATE entries CASCADE"]
)
def test_the_log_only_grows(state: State, change: str) -> None:
    if state.engine.dialect.name == "sqlite" and "TRUNCATE" in change:
        change = "DELETE FROM entries WHERE sequence > 0"  # SQLite knows no TRUNCATE
    with state.write() as transaction:
        transaction.log(an_entry())
    with (
        pytest.raises(DBAPIError, match="append-only"),
        state.engine.execution_options(writing=True).connect() as connection,
        connection.begin(),
    ):
        connection.execute(text(change))
    with state.read() as connection:
        assert connection.execute(text("SELECT actor FROM entries")).scalars().all() == ["ann"]


def test_writers_come_one_after_the_other_and_the_log_has_no_gap(state: State) -> None:
    def write(number: int) -> int:
        with state.write() as transaction:
            return transaction.log(an_entry(detail={"number": number})).sequence

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(write, range(48))) == list(range(1, 49))


def test_a_transaction_that_fails_leaves_nothing(state: State) -> None:
    def fail() -> None:
        with state.write() as transaction:
            transaction.log(an_entry())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with state.write() as transaction:
        assert transaction.log(an_entry()).sequence == 1


def test_a_reader_sees_one_moment_and_waits_for_nobody(state: State) -> None:
    count = text("SELECT count(*) FROM stale")
    with state.read() as reading:
        assert reading.execute(count).scalar() == 0
        with state.write() as transaction:
            transaction.connection.execute(stale.insert().values(project="churn"))
            with state.read() as another:
                assert another.execute(count).scalar() == 0
        assert reading.execute(count).scalar() == 0
    with state.read() as later:
        assert later.execute(count).scalar() == 1


def test_nothing_is_written_by_who_reads(url: str, state: State) -> None:
    if url.startswith("sqlite"):
        with state.read() as connection:
            connection.execute(stale.insert().values(project="churn"))
            connection.rollback()
        return
    with pytest.raises(UnavailableError, match="read-only"), state.read() as connection:
        connection.execute(stale.insert().values(project="churn"))


@pytest.mark.parametrize("value", ["x" * 300, "a\0b"], ids=["too long", "NUL"])
def test_text_that_a_database_cannot_hold_is_the_callers_mistake(postgresql: str, value: str) -> None:
    state = State(connect(postgresql))
    with pytest.raises(RequestError, match="cannot be stored"), state.write() as transaction:
        transaction.log(an_entry(project=value))
    state.close()


def test_a_commit_on_postgresql_is_on_disk_whatever_the_server_prefers(postgresql: str) -> None:
    state = State(connect(postgresql))
    with state.engine.connect() as connection, connection.begin():
        connection.execute(
            text(
                "ALTER DATABASE current SET synchronous_commit = off".replace(
                    "current", state.engine.url.database or ""
                )
            )
        )
    state.engine.dispose()
    with state.write() as transaction:
        assert transaction.connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
    state.close()


def test_who_waits_too_long_for_another_writer_is_told(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelwright.registry.state.database.BUSY_MS", 200)
    state = State(connect(postgresql))
    with state.write(), pytest.raises(UnavailableError, match="cannot be used"), state.write():
        raise AssertionError("two writers at once")
    state.close()


def test_a_server_that_went_away_is_said_to_be_and_found_again(postgresql: str, postgres_server: str) -> None:
    state = State(connect(postgresql))
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s"

    def cut() -> None:
        with psycopg.connect(host=postgres_server, user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(kill, [state.engine.url.database])

    def write() -> None:
        with state.write() as transaction:
            transaction.log(an_entry())
            cut()
            transaction.log(an_entry())

    with pytest.raises(UnavailableError, match="nothing was changed"):
        write()
    with state.write() as transaction:
        assert transaction.log(an_entry()).sequence == 1
    cut()
    with state.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM entries")).scalar() == 1
    state.close()


def test_a_server_that_is_not_there_is_said_to_be_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        connect(f"postgresql://ann:secret@/models?host={tmp_path}")
    assert "secret" not in str(caught.value)


def story(service: LocalService, churn: Wheels) -> None:
    """Do everything once."""
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        service.upload(churn(version, slope=float(version[2]) + 1))
    wheel = service.project("churn").releases[0].files[0].sha256
    service.attach(wheel, "evaluation", [{"metric": "accuracy", "value": 0.97, "dataset": "outcomes"}])
    service.approve("churn", "1.0.0", stage="production", reason="looks — ‘good’ ✓ \\ % \" '")
    for version in ("1.0.0", "1.1.0"):
        service.promote("churn", version, to="production", reason="better")
    with pytest.raises(GateError):
        service.promote("churn", "1.1.0", to="guarded", reason="")
    with pytest.raises(StaleError):
        service.promote("churn", "1.2.0", to="production", reason="", expected="ab" * 32)
    service.rollback("churn", stage="production", reason="worse")
    service.yank("churn", "1.1.0", reason="rounding")
    service.delete("churn", "1.2.0", reason="by mistake")
    with pytest.raises(TakenError):
        service.upload(churn("1.2.0", slope=3.0))
    service.set_owners("churn", ["ann", "bob"])
    service.set_status("churn", "deprecated", reason="see churn-2")
    made = service.add_token("bob", scopes=["publish"], projects=["churn"], days=3)
    assert service.recognise(made.secret) == Principal(
        user="bob", scopes=("publish",), projects=("churn",), token=made.token.id
    )
    with pytest.raises(NotAllowedError):
        service.acting_for(service.recognise(made.secret)).rollback("churn", stage="production", reason="no")
    service.revoke_token(made.token.id)


def test_every_verb_leaves_the_same_behind_in_both_databases(
    open_registry: Open, churn: Wheels, tmp_path: Path, url: str
) -> None:
    service = open_registry()
    story(service, churn)
    reference = open_local(tmp_path / "reference", user="ann")
    (tmp_path / "reference" / "registry.toml").write_text(
        (tmp_path / "registry-0" / "registry.toml").read_text().partition("\n")[2].partition("\n")[2]
    )
    reference.close()
    reference = open_local(tmp_path / "reference", user="ann")
    story(reference, churn)
    found, wanted = (timeless(one) for one in (service, reference))
    reference.close()
    assert found == wanted
    assert service.check().sound
    assert service.check_audit(service.head()).holds


def timeless(service: LocalService) -> dict[str, Any]:
    """Return everything that can be asked, without times, hashes and tokens."""
    log = [
        (one.sequence, one.action, one.outcome, one.project, one.version, one.stage, one.reason)
        for one in service.history()
    ]
    project = msgspec.to_builtins(service.project("churn"))
    for release in project["releases"]:
        release.pop("created")
        release["files"] = [file["filename"] for file in release["files"]]
    for placement in project["placements"]:
        placement.pop("since")
    wheel = service.project("churn").releases[0].files[0].sha256
    evidence = [(one.kind, one.actor, one.content, one.digest) for one in service.evidence(wheel)]
    return {"log": log, "project": {**project, "created": ""}, "evidence": evidence, "names": service.names()}


def test_names_are_listed_in_the_order_of_their_characters(open_registry: Open, tmp_path: Path) -> None:
    from registry_wheels import library_wheel

    service = open_registry()
    for name in ("ab", "a-c", "a1", "a-b-c", "abc"):
        (folder := tmp_path / f"wheel-{name}").mkdir()
        service.upload(library_wheel(folder, name=name))
    names = ["a-b-c", "a-c", "a1", "ab", "abc"]
    assert list(service.names()) == [one.name for one in service.projects()] == names


def test_two_registries_on_one_database_and_one_store_are_one(
    open_registry: Open, churn: Wheels, bucket: Any, url: str
) -> None:
    one, other = open_registry(files=bucket.url), open_registry(files=bucket.url)
    published = one.upload(churn("1.0.0"))
    assert other.project("churn") == one.project("churn")
    with other.open_file(published.file.sha256) as stream:
        assert stream.read() == churn("1.0.0").read_bytes()
    other.promote("churn", "1.0.0", to="production", reason="first")
    page = one.page("churn", "production")
    assert page is not None
    assert page.versions == ("1.0.0",)
    one.upload(churn("1.1.0", slope=3.0))  # compared with a release that lies in the bucket
    one.promote("churn", "1.1.0", to="production", reason="better")
    other.rollback("churn", stage="production", reason="worse")
    current = one.project("churn").current("production")
    assert current is not None
    assert current.version == "1.0.0"
    assert one.check().sound
    assert one.head() == other.head()


def together(deeds: list[Callable[[], Any]]) -> Counter[str]:
    """Do things at the same moment; count what came of them."""
    gate = threading.Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> str:
        gate.wait()
        try:
            deed()
        except ModelwrightError as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(len(deeds)) as pool:
        return Counter(pool.map(run, deeds))


def test_of_many_who_publish_one_version_through_two_registries_one_wins(
    open_registry: Open, churn: Wheels, bucket: Any
) -> None:
    services = [open_registry(files=bucket.url) for _ in range(2)]
    wheels = [churn("1.0.0", slope=float(slope)) for slope in range(1, 9)]
    deeds = [lambda wheel=wheel, at=number % 2: services[at].upload(wheel) for number, wheel in enumerate(wheels)]
    assert together(deeds) == {"done": 1, "TakenError": 7}
    log = list(services[0].history(Selection(action="publish")))
    assert Counter(one.outcome for one in log) == {"done": 1, "denied": 7}
    assert services[1].check().sound


def test_of_many_who_promote_through_two_registries_one_wins(open_registry: Open, churn: Wheels) -> None:
    services = [open_registry() for _ in range(2)]
    for minor in range(8):
        services[0].upload(churn(f"1.{minor}.0", slope=float(minor + 1)))
    deeds = [
        lambda minor=minor: services[minor % 2].promote(
            "churn", f"1.{minor}.0", to="production", reason="", expected=""
        )
        for minor in range(8)
    ]
    assert together(deeds) == {"done": 1, "StaleError": 7}
    assert [one.outcome for one in services[0].history(Selection(action="promote"))].count("done") == 1
    assert sum(one.current for one in services[1].project("churn").placements) == 1
    assert services[1].check_audit().holds
