"""The database: migrations lead to the tables, a newer one is refused, the settings are honoured."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from modelwright.errors import SettingsError, UnavailableError
from modelwright.registry.settings import Settings, parse_settings, read_settings
from modelwright.registry.state.database import State, connect, sqlite_url
from modelwright.registry.state.tables import metadata


def test_migrations_lead_to_the_tables_that_queries_know(tmp_path: Path) -> None:
    state = State(connect(sqlite_url(tmp_path / "state.sqlite")))
    with state.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    state.close()


def test_the_database_survives_a_power_cut(tmp_path: Path) -> None:
    engine = connect(sqlite_url(tmp_path / "state.sqlite"))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    engine.dispose()


def test_a_database_of_a_newer_modelwright_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    connect(sqlite_url(path)).dispose()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(UnavailableError, match="does not know"):
        connect(sqlite_url(path))


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (path := tmp_path / "state.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(UnavailableError, match="cannot be used"):
        connect(sqlite_url(path))
    for url in ("mysql://host/x", "nonsense", "oracle://host"):
        with pytest.raises(SettingsError):
            connect(url)


SECOND = '[[stages]]\nname = "a"\n[[stages]]\nname = "b"\ngates = ['


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages = 1", "stages"),
        ("colour = 'red'", "colour"),
        ('[[stages]]\nname = "simple"', "path of the registry itself"),
        ('[[stages]]\nname = "../x"', "cannot be called"),
        ('[[stages]]\nname = "a"\n[[stages]]\nname = "a"', "same name"),
        ("stages = []", "no stages"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "metric", metric = "auc", dataset = "t" }]', "no threshold"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "soaked", hours = 1 }]', "none before it"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "aproved" }]', "aproved"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "approved", count = 0 }]', "approval by nobody"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "verified", max_age_day = 30 }]', "max_age_day"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "verified", max_age_days = -1 }]', "'max_age_days' is between 0"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "verified", max_age_days = nan }]', "not a number"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "verified", on = ["3.11"] }]', "could be proved on that"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "card", section = ["Use"] }]', "section"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "scan", no_code_in_artefact = true }]', "no_code_in_artefact"),
        ('[[stages]]\nname = "a"\ngates = [{ gate = "signed", keys = [] }]', "nobody's key"),
        (SECOND + '{ gate = "soaked", hours = -1 }]', "'hours' is between 0 and 876000"),
        (SECOND + '{ gate = "soaked", hours = 1e300 }]', "'hours' is between 0 and 876000"),
        (SECOND + '{ gate = "metric", metric = "auc", dataset = "t", at_least = nan }]', "not a number"),
        (SECOND + '{ gate = "metric", metric = "auc", dataset = "t", within = inf }]', "not a number"),
        (SECOND + '{ gate = "metric", metric = "auc", dataset = "t", within = -0.1 }]', "'within' is 0 or more"),
        ('[[webhooks]]\nurl = "http://x"\nsecret_file = "s"\nevents = ["promoted"]', "promoted"),
        ('[alternate_locations]\nchurn = ["https://ann:x@models.example/simple/churn/"]', "not the page of churn"),
        ('[alternate_locations]\nchurn = ["https://models.example/simple/other/"]', "not the page of churn"),
        ('[alternate_locations]\nChurn = ["https://models.example/simple/churn/"]', "normal form"),
        ("= broken", "not TOML"),
        ('static_index = true\nstate = "postgresql:///x"', "cannot be kept true"),
        (
            '[[trusted_publishers]]\nissuer="i"\naudience="a"\nclaims={}\nprojects=["x"]\njwks_file="k"\nuser="ci"',
            "would be anyone",
        ),
    ],
)
def test_a_setting_that_cannot_be_honoured_is_an_error(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text.encode())
    assert said in str(caught.value)


def test_nothing_needs_to_be_configured(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "registry.toml") == Settings()
    assert [stage.name for stage in Settings().stages] == ["dev", "staging", "limited", "production"]
    assert not Settings().anonymous_read
