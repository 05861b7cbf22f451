"""The whole story, as a new user would live it: the real command line, a real web server, a real pip.

Publish, be refused by a gate, prove and promote, install what is in production, roll back, install the old one again,
read who did what, and find out that somebody edited the log.
"""

from __future__ import annotations

import http.server
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import uv

SETTINGS = """\
[[stages]]
name = "staging"

[[stages]]
name = "production"
gates = [
    { gate = "verified", max_age_days = 30 },
    { gate = "metric", metric = "accuracy", dataset = "test", within = 0.05 },
]
"""


class Shop:
    """A folder in which somebody works, with a shell that shows what was typed."""

    def __init__(self, folder: Path, index: str) -> None:
        self.folder, self.index = folder, index
        self.python = folder / "venv" / "bin" / "python"
        isolated = {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "MODELWRIGHT_REGISTRY": "registry",
        }
        inherited = {
            name: value for name, value in os.environ.items() if name not in ("PIP_FIND_LINKS", "MODELWRIGHT_TOKEN")
        }
        self.environment = inherited | isolated | {"XDG_CONFIG_HOME": str(folder / "config")}

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command, show it, and return everything it printed; it must end with the code."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, stdout=-1, stderr=-2, text=True, timeout=120
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def mw(self, line: str, *more: str, code: int = 0) -> str:
        """Run modelwright."""
        said = self.run(sys.executable, "-m", "modelwright", *line.split(), *more, code=code)
        print(f"$ modelwright {' '.join((line, *map(repr, more)))}\n{said}")
        return said

    def install(self, requirement: str) -> str:
        """Install with pip from production and return the version that is then installed."""
        index = ("--index-url", f"{self.index}/production/simple/", "--trusted-host", "127.0.0.1")
        pip = (sys.executable, "-m", "pip", "--isolated", "--python", str(self.python), "install", "--no-cache-dir")
        self.run(*pip, "--force-reinstall", *index, requirement)
        ask = "import churn; print(churn.manifest()['version'], churn.predict([{'x': 10.0}])[0]['y'])"
        said = self.run(str(self.python), "-c", ask).strip()
        print(f"$ pip install --index-url {index[1]} {requirement} && python -c …\n{said}")
        return said


@pytest.fixture
def shop(churn, tmp_path) -> Iterator[Shop]:
    (tmp_path / "dist").mkdir()
    for version, slope in (("1.0.0", 2.0), ("1.1.0", 3.0)):
        wheel = churn(version, slope=slope)
        (tmp_path / "dist" / wheel.name).write_bytes(wheel.read_bytes())
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "registry.toml").write_text(SETTINGS)
    subprocess.run([uv.find_uv_bin(), "venv", "-q", "-p", sys.executable, str(tmp_path / "venv")], check=True)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    handler = partial(Quiet, directory=str(tmp_path / "registry"))  # what python -m http.server -d registry runs
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield Shop(tmp_path, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_story_of_two_versions(shop):
    # The first version is proved, published with the proof, and goes all the way.
    shop.mw("verify dist/churn-1.0.0-py3-none-any.whl --report one.json --quiet")
    shop.mw("publish dist/churn-1.0.0-py3-none-any.whl --to registry --evidence one.json")
    shop.mw("promote churn 1.0.0 --to staging --reason", "first model")
    shop.mw("promote churn 1.0.0 --to production --reason", "first model")
    assert shop.install("churn") == "1.0.0 21.0"

    # The second was not proved: production refuses it and says what would help; nothing moves.
    shop.mw("publish dist/churn-1.1.0-py3-none-any.whl")
    shop.mw("promote churn 1.1.0 --to staging --reason", "retrained on October")
    refused = shop.mw("promote churn 1.1.0 --to production --reason", "retrained on October", code=4)
    assert "✗  verified" in refused
    assert "✓  metric accuracy on test" in refused
    assert "modelwright verify" in refused
    assert "1.1.0" not in (shop.folder / "registry/production/simple/churn/index.html").read_text()

    # So it is proved, and production runs it.
    shop.mw("verify dist/churn-1.1.0-py3-none-any.whl --report two.json --quiet")
    shop.mw("publish --evidence two.json")
    assert "production runs 1.0.0 → 1.1.0" in shop.mw("promote churn 1.1.0 --to production --reason", "proved now")
    assert shop.install("churn") == "1.1.0 31.0"

    # It turns out to be worse: one command, and whoever installs gets the old one; exact pins go on working.
    back = shop.mw("rollback churn --stage production --reason", "complaints from the call centre")
    assert "production runs 1.1.0 → 1.0.0" in back
    assert shop.install("churn") == "1.0.0 21.0"
    assert shop.install("churn==1.1.0") == "1.1.0 31.0"

    # Who did what, when and why, what was refused included.
    told = shop.mw("history churn")
    assert "✗ DENIED promote   churn 1.1.0 → production" in told
    assert "rollback  churn 1.0.0 ← production" in told
    assert "“complaints from the call centre”" in told
    head = shop.mw("audit --head --quiet").strip()
    assert "the log holds" in shop.mw(f"audit --expect {head}")

    # Somebody with the database in their hands edits the log. Its triggers refuse, so they drop them first.
    with sqlite3.connect(shop.folder / "registry" / ".registry" / "state.sqlite") as database:
        edit = "UPDATE entries SET reason = 'all is well' WHERE action = 'rollback'"
        with pytest.raises(sqlite3.IntegrityError):
            database.execute(edit)
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        assert database.execute(edit).rowcount == 1
    database.close()
    found = shop.mw("audit --verify", code=1)
    assert "THE LOG WAS ALTERED" in found
    assert "rollback" in found
    assert "THE LOG WAS ALTERED" in shop.mw(f"audit --expect {head}", code=1)
