"""Real tools against the real server: what they upload is published, what they install is what a stage runs."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uv
from registry_wheels import library_wheel
from served import identity_token
from server import Server
from tls_proxy import tls_before

PYTHON = "3.11"
PROJECT = """
[project]
name = "{name}"
version = "1.0"
description = "Handy things"
readme = "README.md"
requires-python = ">=3.9"
license = "MIT"
authors = [{{ name = "Ann", email = "ann@example.org" }}]
keywords = ["handy", "things"]
dependencies = ["packaging>=20", "tomli; python_version < '3.11'"]
urls = {{ Home = "https://example.org/handy", Source = "https://example.org/source" }}

[build-system]
requires = ["flit_core>=3.9"]
build-backend = "flit_core.buildapi"
"""
QUIET = {
    "NO_COLOR": "1",
    "COLUMNS": "200",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_FIND_LINKS": "",
    "UV_PYTHON_DOWNLOADS": "never",
}


def _run(*command: str, cwd: Path, **environment: str) -> str:
    """Run a tool; its output is returned if all went well, and shown otherwise."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=kept | QUIET | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _tool(*command: str, cwd: Path, **environment: str) -> str:
    """Run a tool in an environment that uv makes for it once, in its own cache."""
    return _run(uv.find_uv_bin(), "tool", "run", "-q", "-p", sys.executable, *command, cwd=cwd, **environment)


def _project(folder: Path, name: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT.format(name=name))
    (folder / "README.md").write_text("# Handy\n\nwith ünïcode, `code` and a boundary --0123456789\n" * 20)
    (folder / name / "__init__.py").write_text('"""Handy."""\n')
    return folder


def _published(server: Server, name: str) -> list[str]:
    page = server.get(f"/simple/{name}/", role="admin", Accept="application/vnd.pypi.simple.v1+json")
    assert page.status == 200, page.text
    return [file["filename"] for file in page.json["files"]]


def test_twine_uploads_wheels_and_shows_why_one_is_refused(server: Server, tmp_path: Path) -> None:
    library_wheel(tmp_path, "1.0", name="by-twine")
    command = (sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar")
    where = ("--repository-url", f"{server.url}legacy/", "-u", "__token__", "-p", server.tokens["admin"])
    _run(*command, *where, "by_twine-1.0-py3-none-any.whl", cwd=tmp_path)
    assert _published(server, "by-twine") == ["by_twine-1.0-py3-none-any.whl"]
    _run(*command, *where, "by_twine-1.0-py3-none-any.whl", cwd=tmp_path)
    library_wheel(tmp_path, "1.0", name="by-twine", requires="packaging")
    with pytest.raises(AssertionError, match=r"MW1103: by_twine-1\.0-py3-none-any\.whl is already there"):
        _run(*command, *where, "by_twine-1.0-py3-none-any.whl", cwd=tmp_path)
    altered = library_wheel(tmp_path, "2.0", name="by-twine")
    with zipfile.ZipFile(altered, "a") as archive:
        archive.writestr("evil.pth", "import os")
    with pytest.raises(AssertionError, match=r"MW1102: .* evil\.pth:\s+would\s+run\s+code\s+at\s+every\s+start"):
        _run(*command, *where, altered.name, cwd=tmp_path)


def test_uv_publishes_and_skips_what_is_there(server: Server, tmp_path: Path) -> None:
    library_wheel(tmp_path, "1.0", name="by-uv")
    command = (uv.find_uv_bin(), "publish", "--no-config", "--token", server.tokens["admin"])
    where = ("--publish-url", f"{server.url}legacy/", "by_uv-1.0-py3-none-any.whl")
    assert "Uploading" in _run(*command, *where, cwd=tmp_path)
    assert _published(server, "by-uv") == ["by_uv-1.0-py3-none-any.whl"]
    check = f"http://__token__:{server.tokens['admin']}@127.0.0.1:{server.port}/simple/"
    assert "Uploading" not in _run(*command, "--check-url", check, *where, cwd=tmp_path)
    library_wheel(tmp_path, "1.0", name="by-uv", requires="packaging")
    with pytest.raises(AssertionError, match="MW1103: by_uv-1"):
        _run(*command, *where, cwd=tmp_path)


def test_flit_hatch_and_poetry_publish_unmodified(server: Server, tmp_path: Path) -> None:
    legacy, token = f"{server.url}legacy/", server.tokens["admin"]
    project = _project(tmp_path / "by_flit", "by_flit")
    _tool("flit", "publish", cwd=project, FLIT_USERNAME="__token__", FLIT_PASSWORD=token, FLIT_INDEX_URL=legacy)
    assert _published(server, "by-flit") == ["by_flit-1.0-py3-none-any.whl", "by_flit-1.0.tar.gz"]

    project = _project(tmp_path / "by_hatch", "by_hatch")
    _run(uv.find_uv_bin(), "build", "-q", "-p", sys.executable, cwd=project)
    _tool("hatch", "publish", "-n", "-r", legacy, "-u", "__token__", "-a", token, cwd=project)
    assert len(_published(server, "by-hatch")) == 2

    project = _project(tmp_path / "by_poetry", "by_poetry")
    _run(uv.find_uv_bin(), "build", "-q", "-p", sys.executable, cwd=project)
    _tool(
        "poetry",
        "publish",
        "-r",
        "mw",
        cwd=project,
        POETRY_REPOSITORIES_MW_URL=legacy,
        POETRY_HTTP_BASIC_MW_USERNAME="__token__",
        POETRY_HTTP_BASIC_MW_PASSWORD=token,
        PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
    )
    assert len(_published(server, "by-poetry")) == 2


def test_pip_and_uv_install_what_the_stage_runs(server: Server, tmp_path: Path) -> None:
    index = f"http://__token__:{server.tokens['reader']}@127.0.0.1:{server.port}/production/simple/"
    pip = (sys.executable, "-m", "pip", "--isolated", "install", "--no-cache-dir", "--disable-pip-version-check")
    _run(*pip, "--index-url", index, "--target", str(tmp_path / "pip"), "churn", cwd=tmp_path)
    assert (tmp_path / "pip" / "churn-1.1.0.dist-info").is_dir()
    by_uv = (uv.find_uv_bin(), "pip", "install", "--no-config", "--no-cache", "-p", sys.executable)
    said = _run(*by_uv, "--index-url", index, "--target", str(tmp_path / "uv"), "churn==1.0.0", cwd=tmp_path)
    assert "superseded in production by 1.1.0" in said
    assert (tmp_path / "uv" / "churn-1.0.0.dist-info").is_dir()
    with pytest.raises(AssertionError, match="matrix"):
        _run(*pip, "--index-url", index, "--target", str(tmp_path / "none"), "matrix", cwd=tmp_path)


# Trusted publishing: no stored token.


@contextmanager
def _provider(token: str) -> Iterator[str]:
    """Serve identity tokens as GitHub does to a job."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert "audience=models.internal" in self.path
            body = json.dumps({"value": token}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as provider:
        threading.Thread(target=provider.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{provider.server_port}/?job=1"
        provider.shutdown()


def test_uv_publishes_from_ci_without_a_stored_token(server: Server, tmp_path: Path) -> None:
    library_wheel(tmp_path, "1.0", name="trusted")
    with _provider(identity_token()) as address, tls_before(server.port, tmp_path) as (secure, certificate):
        _run(
            uv.find_uv_bin(),
            "publish",
            "--no-config",
            "--trusted-publishing",
            "always",
            "--publish-url",
            f"{secure}/legacy/",
            "trusted-1.0-py3-none-any.whl",
            cwd=tmp_path,
            SSL_CERT_FILE=str(certificate),
            GITHUB_ACTIONS="true",
            ACTIONS_ID_TOKEN_REQUEST_URL=address,
            ACTIONS_ID_TOKEN_REQUEST_TOKEN="any",
        )
    assert _published(server, "trusted") == ["trusted-1.0-py3-none-any.whl"]
    entries = server.get("/api/v1/audit?project=trusted&action=publish", role="admin").json
    assert [entry["actor"] for entry in entries] == ["ci"]


def test_an_identity_token_gives_a_token_for_minutes_and_its_projects_only(server: Server) -> None:
    made = server.ask("POST", "/api/v1/oidc/token", json={"token": identity_token()}).json
    assert made["token"]["scopes"] == ["publish"]
    assert made["token"]["projects"] == ["trusted", "trusted-two"]
    assert made["token"]["expires"] > made["token"]["created"]
    server.tokens["ci"] = made["secret"]
    assert server.get("/simple/churn/", role="ci").status == 403
    assert server.ask("GET", "/_/oidc/audience").json == {"audience": "models.internal"}


@pytest.mark.parametrize(
    "claims", [{"repository": "evil/trusted"}, {"aud": "other"}, {"exp": 1}, {"iss": "https://evil.example"}]
)
def test_an_identity_token_that_fits_nobody_is_refused_and_logged(server: Server, claims: dict[str, Any]) -> None:
    answer = server.ask("POST", "/_/oidc/mint-token", json={"token": identity_token(**claims)})
    assert (answer.status, answer.json["code"]) == (401, "MW1109")
    newest = server.get("/api/v1/audit?newest_first=true&limit=1", role="admin").json[0]
    assert (newest["action"], newest["outcome"]) == ("login", "denied")
