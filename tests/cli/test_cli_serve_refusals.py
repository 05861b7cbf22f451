"""``modelwright serve``, asked for what cannot be: refused before anything starts, with what to do instead."""

from __future__ import annotations

import pytest

from modelwright.cli.app import run


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port", "80801"], "--port: must be a whole number between 0 and 65535, and is 80801"),
        (["--workers", "0"], "--workers: must be a whole number between 1 and 1024, and is 0"),
        (["--workers", "100000"], "--workers: must be"),
        (["--deadline-s", "-1"], "--deadline-s: must be a number above 0"),
        (["--admin-port", "-7"], "--admin-port: must be"),
    ],
)
def test_option_out_of_its_range_is_named_with_the_range(options, said, capsys):
    assert run(["serve", "churn==1.0.0", *options]) == 2
    assert said in capsys.readouterr().err


def test_without_a_stage_there_is_nothing_to_watch(capsys):
    assert run(["serve", "churn==1.0.0", "--watch"]) == 2
    told = capsys.readouterr().err
    assert "--watch: follows a stage, and churn==1.0.0 names none" in told
    assert "churn@production" in told


def test_release_without_a_registry_is_told_how_to_name_one(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("MODELWRIGHT_REGISTRY", raising=False)
    assert run(["serve", "churn==1.0.0", "--port", "0"]) == 3
    assert "--registry FOLDER_OR_URL" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_address_of_another_machine_is_no_matter_of_the_port(host, capsys):
    assert run(["serve", "churn==1.0.0", "--host", host, "--port", "0"]) == 5
    assert "--host 127.0.0.1" in capsys.readouterr().err
