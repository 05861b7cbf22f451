"""``doctor``: what is broken is said to be broken, and dangerous settings are named."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwright.cli.app import run
from modelwright.cli.configuration import Setting, index_url, settings, unsafe, without_password


@pytest.fixture(scope="session")
def index(tmp_path_factory) -> Iterator[str]:
    """A real index over HTTP: a folder with a page for pip."""
    root = tmp_path_factory.mktemp("index")
    (root / "simple" / "pip").mkdir(parents=True)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(root))

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()


@pytest.fixture
def alone(monkeypatch, tmp_path) -> Path:
    """A home without any configuration."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def examined(capsys, *arguments: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    code = run(["doctor", "--json", *arguments])
    health = json.loads(capsys.readouterr().out)
    assert health["healthy"] is (code == 0)
    checks: dict[str, list[dict[str, str]]] = {}
    for check in health["checks"]:
        checks.setdefault(check["name"], []).append(check)
    return code, checks


def test_healthy_machine_exits_0_and_names_what_it_found(capsys, monkeypatch, alone, index):
    monkeypatch.setenv("PIP_INDEX_URL", index)
    code, checks = examined(capsys)
    assert code == 0
    assert checks["uv"][0]["detail"].startswith("uv ")
    assert checks["index"][0]["detail"] == f"{index} answers"
    assert checks["[sklearn]"][0]["status"] == "ok"
    assert checks["cache"][0]["detail"] == str(alone / "cache" / "modelwright")


def test_silent_index_is_broken_and_exits_1(capsys, monkeypatch, alone):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    code, checks = examined(capsys, "--timeout", "1")
    assert code == 1
    assert checks["index"][0]["status"] == "broken"
    assert "UV_DEFAULT_INDEX" in checks["index"][0]["hint"]


def test_missing_folder_as_index_is_broken(capsys, monkeypatch, alone):
    monkeypatch.setenv("PIP_INDEX_URL", (alone / "nowhere").as_uri())
    assert examined(capsys)[0] == 1


def test_missing_uv_is_broken(capsys, monkeypatch, alone, index):
    def missing() -> str:
        raise FileNotFoundError("no uv here")

    monkeypatch.setenv("PIP_INDEX_URL", index)
    monkeypatch.setattr("uv.find_uv_bin", missing)
    code, checks = examined(capsys)
    assert code == 1
    assert "no uv here" in checks["uv"][0]["detail"]


def test_unsafe_setting_is_a_warning_and_not_broken(capsys, monkeypatch, alone, index):
    monkeypatch.setenv("PIP_INDEX_URL", index)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://me:secret@models.internal/simple")
    code, checks = examined(capsys)
    warning = next(check for check in checks["configuration"] if "PIP_EXTRA_INDEX_URL" in check["detail"])
    assert (code, warning["status"]) == (0, "warning")
    assert "secret" not in json.dumps(checks)


def test_report_for_people_shows_marks_and_fixes(capsys, monkeypatch, alone):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert run(["doctor", "--timeout", "1"]) == 1
    shown = capsys.readouterr().out
    assert "✓ interpreter" in shown
    assert "✗ index" in shown
    assert "fix: " in shown
    assert "1 broken." in shown


def test_settings_are_read_from_variables_pip_files_and_uv_files(tmp_path):
    config = tmp_path / ".config"
    (config / "pip").mkdir(parents=True)
    (config / "pip" / "pip.conf").write_text("[global]\nextra-index-url = https://a/simple\n  https://b/simple\n")
    (config / "uv").mkdir()
    (config / "uv" / "uv.toml").write_text(
        'index-strategy = "unsafe-best-match"\n[[index]]\nurl = "https://c/simple"\ndefault = true\n'
        '[[index]]\nurl = "https://d/simple"\nexplicit = true\n'
    )
    found = settings({"UV_INDEX_URL": "https://e/simple"}, tmp_path)
    pairs = [(setting.name, setting.value) for setting in found]
    assert pairs[0] == ("index-url", "https://e/simple")
    assert ("extra-index-url", "https://a/simple https://b/simple") in pairs
    assert ("default-index", "https://c/simple") in pairs
    assert not any("https://d" in value for _, value in pairs)
    assert {setting.name for setting, _ in unsafe(found)} >= {"extra-index-url", "index-strategy"}
    assert index_url(found) == "https://e/simple"


@pytest.mark.parametrize(
    ("file", "content", "danger"),
    [
        (".config/pip/pip.conf", "[install]\nextra_index_url = https://me:secret@a/simple\n", "extra-index-url"),
        (".config/pip/pip.conf", "[global]\n--Trusted-Host = a\n", "trusted-host"),
        ("venv/pip.conf", "[global]\nextra-index-url = https://a/simple\n", "extra-index-url"),
        ("xdg/pip/pip.conf", "[global]\nextra-index-url = https://a/simple\n", "extra-index-url"),
        ("xdg/uv/uv.toml", 'index-strategy = "unsafe-first-match"\n', "index-strategy"),
        ("project/uv.toml", 'extra-index-url = ["https://a/simple"]\n', "extra-index-url"),
        ("project/pyproject.toml", '[[tool.uv.index]]\nurl = "https://a/simple"\n', "index"),
        ("project/pyproject.toml", '[tool.uv]\nallow-insecure-host = ["a"]\n', "allow-insecure-host"),
        (
            "project/part/requirements-dev.txt",
            "numpy\n --extra-index-url=https://me:secret@a/simple # x\n",
            "extra-index-url",
        ),
        ("project/part/requirements.txt", "--trusted-host a\n", "trusted-host"),
    ],
)
def test_every_place_that_pip_and_uv_read_is_looked_at(tmp_path, monkeypatch, file, content, danger):
    (tmp_path / "project" / "part").mkdir(parents=True)
    (tmp_path / "project" / "part" / "pyproject.toml").write_text('[project]\nname = "part"\n')
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)
    monkeypatch.chdir(tmp_path / "project" / "part")
    environment = {"VIRTUAL_ENV": str(tmp_path / "venv"), "XDG_CONFIG_DIRS": str(tmp_path / "xdg")}
    unsafe_ones = [setting for setting, _ in unsafe(settings(environment, tmp_path))]
    found = [setting for setting in unsafe_ones if Path(setting.where).absolute().is_relative_to(tmp_path)]
    assert [setting.name for setting in found] == [danger]
    assert "secret" not in found[0].value
    assert unsafe(settings({"UV_INSECURE_HOST": "a"}, tmp_path / "nobody"))[0][0].where == "UV_INSECURE_HOST"


def test_a_file_of_the_user_that_pip_does_not_read_is_no_alarm(tmp_path):
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_text("[global]\nextra-index-url = https://a/simple\n")
    assert [one for one in settings({}, tmp_path) if str(tmp_path) in one.where]
    read = settings({"PIP_CONFIG_FILE": "/dev/null"}, tmp_path)
    assert not [one for one in read if str(tmp_path) in one.where]


@pytest.mark.parametrize("content", ["no section", "\xff\xfe", "[global\nindex-url = x", "pip = 1", "index = [1]"])
def test_broken_configuration_files_are_passed_over(tmp_path, content):
    for file in (tmp_path / ".pip" / "pip.conf", tmp_path / ".config" / "uv" / "uv.toml"):
        file.parent.mkdir(parents=True)
        file.write_bytes(content.encode("latin-1"))
    assert not [setting for setting in settings({}, tmp_path) if str(tmp_path) in setting.where]


def test_safe_settings_raise_no_alarm():
    assert unsafe([Setting("X", "index-url", "https://a"), Setting("X", "index-strategy", "first-index")]) == []


@pytest.mark.parametrize("variable", ["UV_EXTRA_INDEX_URL", "UV_INDEX", "PIP_EXTRA_INDEX_URL"])
def test_second_index_is_an_alarm_and_its_password_is_not_shown(tmp_path, variable):
    found = settings({variable: "models=https://me:s3cret@models.internal/simple"}, tmp_path)
    alarms = [(setting, reason) for setting, reason in unsafe(found) if setting.where == variable]
    assert len(alarms) == 1
    assert "a stranger can" in alarms[0][1]
    assert "s3cret" not in repr(alarms)
    assert "models=https://***@models.internal/simple" in repr(alarms)


def test_uv_settings_of_a_project_are_read_and_an_explicit_index_is_no_alarm(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.uv]\nindex-strategy = "unsafe-best-match"\n'
        '[[tool.uv.index]]\nname = "safe"\nurl = "https://safe/simple"\nexplicit = true\n'
        '[[tool.uv.index]]\nname = "open"\nurl = "https://open/simple"\n'
    )
    alarms = [setting for setting, _ in unsafe(settings({}, tmp_path)) if setting.where == "pyproject.toml"]
    assert [(setting.name, setting.value) for setting in alarms] == [
        ("index", "https://open/simple"),
        ("index-strategy", "unsafe-best-match"),
    ]


def test_strategy_from_the_environment_is_an_alarm(tmp_path):
    found = settings({"UV_INDEX_STRATEGY": "unsafe-first-match"}, tmp_path)
    assert [setting.where for setting, _ in unsafe(found) if setting.where.startswith("UV_")] == ["UV_INDEX_STRATEGY"]


def test_password_is_never_shown_but_the_host_is():
    assert without_password("https://user:pass@host:8443/simple?x=1") == "https://***@host:8443/simple?x=1"
    assert without_password("https://host/simple") == "https://host/simple"
