"""Servers to compare: ours, MLflow, BentoML, MLServer, FastAPI by hand, a bare echo; each with one worker on one core.

For the other scripts about serving. Peers are installed by uv into ``~/.cache/modelwright-bench``, with the same
scikit-learn, NumPy and pandas as ours, byte-compiled; every process of a server is pinned to one core, the client to
the other. Each is asked in the form that its documentation shows, and that costs it least.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, NamedTuple

import pandas as pd
from registry_peers import SERVER_CORE, TICKS, answers, environment, family, free_port
from serving_models import Subject

PROGRAMS = Path(__file__).parent / "peers"
SAME = [f"{name}=={version(name)}" for name in ("scikit-learn", "numpy", "pandas", "joblib")]
REQUIREMENTS = {
    "mlflow": ["mlflow==3.17.2"],
    "bentoml": ["bentoml==1.4.40"],
    "mlserver": ["mlserver==1.7.1", "mlserver-sklearn==1.7.1", "uvloop==0.21.0"],  # its workers fail on newer uvloops
    "fastapi": ["fastapi==0.165.0", "uvicorn[standard]==0.54.0"],
}
JSON, ARROW = "application/json", "application/vnd.apache.arrow.stream"
Rows = Sequence[dict[str, Any]]


class Asked(NamedTuple):
    """How predictions are asked of a server.

    Attributes:
        path: Where.
        body: Makes the body for some rows.
        labels: Reads the labels from an answer.
        media_type: What the body is.
    """

    path: str
    body: Callable[[Rows], bytes]
    labels: Callable[[Any], list[int]]
    media_type: str = JSON


class Server(NamedTuple):
    """A server that runs."""

    name: str
    port: int
    asked: Asked
    process: subprocess.Popen[bytes]
    ready_s: float

    def cpu_s(self) -> float:
        """CPU that it, its children, and those that have ended have used, seconds."""
        return sum(map(_cpu, family(self.process.pid)))

    def rss_mb(self) -> float:
        """Resident memory of it and its children, MB."""
        return sum(map(_rss, family(self.process.pid))) / 1e6


def _cpu(pid: int) -> float:
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / TICKS
    return 0.0


def _rss(pid: int) -> float:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0.0


@contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    asked: Asked,
    *,
    port: int,
    ready: str,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
    pinned: bool = True,
) -> Iterator[Server]:
    """Run a server until the block ends; it runs once ``ready`` answers 200."""
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    log = tempfile.NamedTemporaryFile("w+b", suffix=".log")  # noqa: SIM115 - closed at the end
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*(["taskset", "-c", str(SERVER_CORE)] if pinned else []), *map(str, command)],
        cwd=cwd,
        env={**inherited, **(variables or {})},
        stdout=log,
        stderr=log,
    )
    try:
        while not answers(f"http://127.0.0.1:{port}{ready}"):
            assert process.poll() is None, f"{name} ended: {_end_of(log)}"
            assert time.perf_counter() - begun < 120, f"{name} is not ready: {_end_of(log)}"
            time.sleep(0.01)
        yield Server(name, port, asked, process, time.perf_counter() - begun)
    finally:
        _end(process)
        log.close()


def _end_of(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read()[-2000:].decode()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it leaves behind."""
    members = family(process.pid) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in members[1:]:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def plain(rows: Rows) -> list[list[Any]]:
    """Return rows as lists of values."""
    return [list(row.values()) for row in rows]


def dumped(value: object) -> bytes:
    """Write JSON without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


OURS = Asked(
    "", lambda rows: dumped({"rows": rows}), lambda answer: [one["prediction"] for one in answer["predictions"]]
)


def arrow(subject: Subject) -> Callable[[Rows], bytes]:
    """Return what writes rows as an Arrow IPC stream, with the datatypes that the model was trained on."""
    import pyarrow as pa

    dtypes = subject.frame.dtypes.to_dict()

    def body(rows: Rows) -> bytes:
        table = pa.Table.from_pandas(pd.DataFrame(list(rows)).astype(dtypes), preserve_index=False)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        return sink.getvalue().to_pybytes()

    return body


@contextmanager
def ours(
    subject: Subject,
    what: str | Path,
    *options: str,
    folder: Path | None = None,
    settings: str = "",
    shadow: Path | None = None,
    name: str = "modelwright",
    pinned: bool = True,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Serve a package.

    Args:
        subject: What it was made from.
        what: A reference.
        options: Further options of the command.
        folder: Where a ``deployment.toml`` is written; without, the reference is named on the command line.
        settings: What else stands in that file about the model.
        shadow: A wheel that is asked as well.
        name: What to call it.
        pinned: Whether it has one core only.
        variables: Further environment variables.
    """
    port = free_port()
    asked = OURS._replace(path=f"/models/{subject.name}/predict")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        variants = {"control": f'reference = "{what}"', "dark": f'reference = "{shadow}"\nrole = "shadow"'}
        tables = [f"[models.{subject.name}]\n{settings}", "[server]\naccess_log = false\n"]
        for variant in ("control", "dark") if shadow else ("control",):
            tables.append(f"[models.{subject.name}.variants.{variant}]\n{variants[variant]}\n")
        what = folder / "deployment.toml"
        what.write_text("\n".join(tables))
    command = [sys.executable, "-m", "modelwright", "serve", what, "--port", str(port), *options]
    with running(
        name, command, asked, port=port, ready="/health/ready", cwd=folder, variables=variables, pinned=pinned
    ) as server:
        yield server


@contextmanager
def in_process(subject: Subject, wheel: Path, folder: Path) -> Iterator[Server]:
    """Serve a wheel in the server's own process; unpacked where Python finds it, as if it was installed there."""
    installed = folder / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    path = {"PYTHONPATH": str(installed)}
    with ours(subject, wheel, "--in-process", folder=folder, name="modelwright in-process", variables=path) as server:
        yield server


@contextmanager
def echo() -> Iterator[Server]:
    """Serve a fixed answer with the HTTP server that ours is built on."""
    port = free_port()
    asked = OURS._replace(path="/models/cheap/predict")
    with running("bare echo", [sys.executable, PROGRAMS / "echo.py", str(port)], asked, port=port, ready="/") as server:
        yield server


def programs(peer: str) -> Path:
    """Return the folder of programs of a peer's environment."""
    return environment(f"serving-{peer}", *REQUIREMENTS[peer], *SAME)


@contextmanager
def fastapi(subject: Subject, folder: Path) -> Iterator[Server]:
    """Serve as most people write it by hand."""
    subject.write(folder)
    port = free_port()
    asked = Asked("/predict", lambda rows: dumped({"rows": rows}), lambda answer: answer["predictions"])
    command = [programs("fastapi") / "uvicorn", "fastapi_app:app", "--app-dir", PROGRAMS, "--port", str(port)]
    with running(
        "FastAPI by hand", [*command, "--no-access-log"], asked, port=port, ready="/ready", cwd=folder
    ) as server:
        yield server


@contextmanager
def bentoml(subject: Subject, folder: Path) -> Iterator[Server]:
    """Serve with BentoML, its adaptive batching on."""
    subject.write(folder)
    port = free_port()
    table = list if subject.framed else plain
    asked = Asked("/predict", lambda rows: dumped({"rows": table(rows)}), lambda answer: answer)
    (folder / "service.py").write_text((PROGRAMS / "bentoml_service.py").read_text())
    quiet = {"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": str(folder / "home")}
    command = [programs("bentoml") / "bentoml", "serve", "service:Model", "--port", str(port), "--host", "127.0.0.1"]
    with running("BentoML batching", command, asked, port=port, ready="/readyz", cwd=folder, variables=quiet) as server:
        yield server


@contextmanager
def mlflow(subject: Subject, folder: Path) -> Iterator[Server]:
    """Serve with ``mlflow models serve``, one worker, in the current environment."""
    subject.write(folder)
    port = free_port()
    bin_ = programs("mlflow")
    path = {"PATH": f"{bin_}:{os.environ['PATH']}", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    if not (folder / "model").exists():
        saved = [bin_ / "python", PROGRAMS / "mlflow_save.py"]
        subprocess.run(saved, cwd=folder, check=True, capture_output=True, env=os.environ | path)
    names = list(subject.fields)
    split = lambda rows: {"dataframe_split": {"columns": names, "data": plain(rows)}}  # noqa: E731
    form = split if subject.framed else lambda rows: {"inputs": plain(rows)}
    asked = Asked("/invocations", lambda rows: dumped(form(rows)), lambda answer: answer["predictions"])
    command = [bin_ / "mlflow", "models", "serve", "-m", "model", "-p", str(port), "--env-manager", "local"]
    with running(
        "MLflow", [*command, "-w", "1"], asked, port=port, ready="/ping", cwd=folder, variables=path
    ) as server:
        yield server


def _tensors(subject: Subject) -> Callable[[Rows], bytes]:
    """Return what writes rows in the Open Inference Protocol: one tensor, or one per column for a frame."""
    datatypes = {"float": "FP64", "int": "INT64", "str": "BYTES"}
    fields = subject.fields

    def one(rows: Rows) -> dict[str, Any]:
        shape = [len(rows), len(fields)]
        flat = [value for row in rows for value in row.values()]
        return {"inputs": [{"name": "predict", "shape": shape, "datatype": "FP64", "data": flat}]}

    def column(rows: Rows, name: str, kind: str) -> dict[str, Any]:
        tensor = {
            "name": name,
            "shape": [len(rows), 1],
            "datatype": datatypes[kind],
            "data": [row[name] for row in rows],
        }
        return tensor | ({"parameters": {"content_type": "str"}} if kind == "str" else {})

    def columns(rows: Rows) -> dict[str, Any]:
        inputs = [column(rows, name, kind) for name, kind in fields.items()]
        return {"parameters": {"content_type": "pd"}, "inputs": inputs}

    form = columns if subject.framed else one
    return lambda rows: dumped(form(rows))


@contextmanager
def mlserver(
    subject: Subject, folder: Path, *, batch_size: int = 0, batch_s: float = 0.0, workers: int = 1
) -> Iterator[Server]:
    """Serve with MLServer; its adaptive batching is on if a size is given."""
    subject.write(folder)
    port, grpc, metrics = free_port(), free_port(), free_port()
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": grpc, "metrics_port": metrics, "debug": False}
    (folder / "settings.json").write_text(json.dumps({**settings, "parallel_workers": workers}))
    model = {"name": subject.name, "implementation": "mlserver_sklearn.SKLearnModel"}
    batching = {"max_batch_size": batch_size, "max_batch_time": batch_s} if batch_size else {}
    uri = {"parameters": {"uri": "./model.joblib"}}
    (folder / "model-settings.json").write_text(json.dumps({**model, **batching, **uri}))
    asked = Asked(f"/v2/models/{subject.name}/infer", _tensors(subject), lambda answer: answer["outputs"][0]["data"])
    command = [programs("mlserver") / "mlserver", "start", folder]
    name = f"MLServer{' batching' if batch_size else ''}{'' if workers else ' in-process'}"
    with running(name, command, asked, port=port, ready="/v2/health/ready", cwd=folder) as server:
        yield server
