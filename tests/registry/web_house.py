"""A furnished registry for the tests of the pages, and its real server in a thread."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rolled_back import withdrawn

from modelwright.errors import GateError, NotAllowedError
from modelwright.package import open_wheel

if TYPE_CHECKING:
    from modelwright.registry.operating.local import LocalService

HOSTILE = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>\"'><b>{{7*7}}"
"""Text that must be shown as it is, wherever somebody may choose a text."""
SETTINGS = """
title = "Models & <more>"
[[stages]]
name = "dev"
[[stages]]
name = "staging"
[[stages]]
name = "production"
gates = [
    { gate = "verified" },
    { gate = "metric", metric = "accuracy", dataset = "test", at_least = 0.85 },
    { gate = "approved" },
]
"""
CARD = f"""---
language: en
---
# Churn

{HOSTILE}

## Intended use

[click](javascript:alert(1)) [site](https://example.org/a?b=1&c=2) [file](charts/none.svg)
![remote](https://example.org/x.png) ![inline](data:image/svg+xml,<svg/onload=alert(1)>) ![plot](charts/plot.svg)

| | |
|-|-|
| a | <i>b</i> |

```python
print("<script>")
```
"""
PLOT = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="30" height="10"/></svg>'


@dataclass(frozen=True)
class House:
    """A registry with things in it.

    Attributes:
        folder: Where it is.
        token: Token of ``ann``, who may do everything.
        reader: Token of ``eve``, who may only read.
    """

    folder: Path
    token: str
    reader: str


LOCK = """lock-version = "1.0"
created-by = "test"
""" + "".join(
    f"""
[[packages]]
name = "{name}"
version = "{version}"
[[packages.wheels]]
name = "{name}-{version}-py3-none-any.whl"
url = "https://example.org/{name}-{version}-py3-none-any.whl"
hashes = {{ sha256 = "{"0" * 64}" }}
"""
    for name, version in (("numpy", "2.0.0"), ("six", "1.17.0"))
)


def signature(*names: str) -> dict[str, Any]:
    return {
        "inputs": [{"name": name, "datatype": "float64", "training_range": [0, 72]} for name in names],
        "outputs": [{"name": "y", "datatype": "float64", "rtol": 1e-9, "description": HOSTILE}],
        "container": "records",
    }


def report(wheel: Path, *, passed: bool = True) -> dict[str, Any]:
    """What a verification of a wheel would have found."""
    package, digest = open_wheel(wheel), sha256(wheel.read_bytes()).hexdigest()
    return {
        "name": package.manifest.name,
        "version": package.manifest.version,
        "wheel": wheel.name,
        "sha256": digest,
        "size": wheel.stat().st_size,
        "passed": passed,
        "created": "2026-11-20T10:00:00Z",
        "python": "3.11.7",
        "interpreter": "cp311",
        "platform": "linux_x86_64",
        "installer": "uv",
        "distributions": {"numpy": "2.0.0"},
        "licences": {"numpy": "BSD-3-Clause"},
        "scenarios": [{"name": one.name, "passed": passed} for one in package.scenarios],
    }


def furnish(folder: Path, churn: Callable[..., Path], teamtools: Path) -> House:
    """Publish, prove, approve, promote, refuse, override, roll back, yank."""
    from modelwright.registry.operating.opening import open_local
    from modelwright.registry.people import Principal

    folder.mkdir()
    (folder / "registry.toml").write_text(SETTINGS, encoding="utf-8")
    ann = open_local(folder, user="ann")
    ben = ann.acting_for(Principal(user="ben", scopes=("promote",)))
    eve = ann.acting_for(Principal(user="eve", scopes=("read",)))
    first = churn(
        "1.0.0", card=CARD, summary=HOSTILE, owners=[HOSTILE], tags=[HOSTILE], license="Apache-2.0", lock=(LOCK, "")
    )
    second = churn("1.1.0", slope=3.0, accuracy=0.8, card=CARD, lineage={"parent": "churn==1.0.0"})
    breaking = churn("2.0.0", slope=4.0, signature=signature("x", "tenure"))
    for wheel in (first, second, breaking, churn("1.0.0", name="demand", summary="How much"), teamtools):
        ann.upload(wheel)
    for wheel in (first, second):
        ann.attach(sha256(wheel.read_bytes()).hexdigest(), "verification", report(wheel))
    ann.set_owners("churn", ["ann", "ben", HOSTILE])
    for stage in ("dev", "staging"):
        ann.promote("churn", "1.0.0", to=stage, reason=HOSTILE)
    ben.approve("churn", "1.0.0", stage="production", reason="looked at it")
    ann.promote("churn", "1.0.0", to="production", reason="first")
    with contextlib.suppress(GateError):
        ann.promote("churn", "1.1.0", to="production", reason="in a hurry")
    ann.promote("churn", "1.1.0", to="production", reason="the customer waits", break_glass=True)
    ann.rollback("churn", stage="production", reason="too many false alarms")
    ann.promote("churn", "1.1.0", to="dev", reason="try")
    with contextlib.suppress(NotAllowedError):
        eve.promote("churn", "2.0.0", to="production", reason=HOSTILE)
    ann.report_rollout(
        "churn", "1.1.0", event=withdrawn(HOSTILE, time="2026-11-20T10:00:00Z"), stage="staging", reason=HOSTILE
    )
    ann.yank("churn", "1.1.0", reason=HOSTILE)
    ann.promote("demand", "1.0.0", to="dev", reason="first")
    token = ann.add_token("ann", scopes=("read", "publish", "promote", "admin")).secret
    reader = ann.add_token("eve", scopes=("read",)).secret
    ann.close()
    return House(folder=folder, token=token, reader=reader)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, churn: Callable[..., Path], teamtools: Path) -> House:
    """A furnished registry; do not change it."""
    return furnish(tmp_path_factory.mktemp("house") / "registry", churn, teamtools)


@pytest.fixture(scope="session")
def furnished(house: House) -> Iterator[LocalService]:
    """The furnished registry, open, asked by ``ann``; do not change it."""
    from modelwright.registry.operating.opening import open_local

    service = open_local(house.folder, user="ann")
    yield service
    service.close()


@pytest.fixture
def own_house(house: House, tmp_path: Path) -> House:
    """A furnished registry of one's own."""
    folder = Path(shutil.copytree(house.folder, tmp_path / "registry"))
    return House(folder=folder, token=house.token, reader=house.reader)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a registry in a thread of this process; give its address."""
    import uvicorn

    from modelwright.registry.app.application import create_app
    from modelwright.registry.operating.opening import open_local

    service = open_local(folder)
    server = uvicorn.Server(uvicorn.Config(create_app(service), port=0, log_config=None, ws="none", http="h11"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < until, "the server did not start in time"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        service.close()
