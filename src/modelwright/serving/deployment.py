"""What is to be served: frozen data, whether it came from a file, the command line or the admin API.

:mod:`.deployment_file` reads it from TOML. Nothing here loads, listens or decides.
"""

from __future__ import annotations

from typing import Literal

from modelwright.spec.struct import Frozen

Role = Literal["live", "shadow"]


class Limits(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How much of one model at once, and how long.

    Attributes:
        workers: Processes per version.
        batch_rows: Most rows in one call of the model, unless a single request has more.
        queue_rows: Most rows that wait for a worker; what comes then is refused.
        max_rows: Most rows of one request.
        deadline_s: Longest time from the request to its answer, seconds; a worker that takes longer is replaced.
        load_s: Longest time for loading and warming, seconds.
        threads: Threads that numerical libraries may use in each worker; 0: the processors
            that the server may use (affinity, control group), divided by workers.
    """

    workers: int = 1
    batch_rows: int = 512
    queue_rows: int = 20_000
    max_rows: int = 100_000
    deadline_s: float = 30.0
    load_s: float = 300.0
    threads: int = 0


class Variant(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One version in a deployment.

    Attributes:
        reference: The package: a wheel, a folder, ``name==version``, ``name@stage``.
        weight: Its share of the requests, relative to the other live variants; a shadow has none.
        role: ``live`` answers; ``shadow`` is asked as well, and nobody sees its answer.
    """

    reference: str
    weight: float = 1.0
    role: Role = "live"


class ModelDeployment(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One model of a deployment.

    Attributes:
        name: Name it is served under.
        variants: Its versions by name, in order; the first is the control, whose signature requests are judged by.
        experiment: Name of the experiment that assignment is bound to; empty: the model's name.
        salt: Makes assignments of one experiment independent of those of others.
        limits: How much at once, and how long.
        watch: Whether the control follows the stage its reference names.
        trust: Types in artifacts that the operator vouches for.
    """

    name: str
    variants: dict[str, Variant]
    experiment: str = ""
    salt: str = ""
    limits: Limits = Limits()
    watch: bool = False
    trust: tuple[str, ...] = ()


class RecordSettings(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The record log: off unless a folder is named.

    Attributes:
        folder: Where the Parquet files go.
        columns: Per field, output, or ``*`` for all others: ``keep``, ``hash`` (with the salt) or ``drop``.
        salt: Secret that hashed values are salted with.
        sample: Share of requests that are recorded, 0 to 1.
        file_rows: A file is closed after so many rows,
        file_s: or after so long, seconds.
        queue_records: Most records that wait to be written; more are dropped and counted, never waited for.
    """

    folder: str = ""
    columns: dict[str, Literal["keep", "hash", "drop"]] = {}
    salt: str = ""
    sample: float = 1.0
    file_rows: int = 50_000
    file_s: float = 60.0
    queue_records: int = 100_000


class ServerSettings(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The server itself.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0: any free one.
        grpc_port: Port of the gRPC door; -1: no such door.
        admin_host: Address of the admin door.
        admin_port: Port of the admin door: metrics, rollouts; -1: no such door.
        max_body_bytes: Largest body, also after decompression.
        max_connections: Connections at once; more are refused with 503.
        head_s: Longest time until the head of a request is complete, seconds.
        body_s: Longest time until its body is complete, seconds.
        drain_s: Longest time that requests under way are waited for at the end, seconds.
        tls_certificate: PEM file with the certificate chain; empty: no TLS.
        tls_key: PEM file with its private key.
        access_log: Whether a line of JSON is written per request.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    grpc_port: int = -1
    admin_host: str = "127.0.0.1"
    admin_port: int = -1
    max_body_bytes: int = 16 * 2**20
    max_connections: int = 1000
    head_s: float = 10.0
    body_s: float = 30.0
    drain_s: float = 30.0
    tls_certificate: str = ""
    tls_key: str = ""
    access_log: bool = True


class Deployment(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Everything that one server serves.

    Attributes:
        models: The models by name.
        server: The server itself.
        records: The record log.
        registry: Folder or URL of the registry that references without a place mean; empty: none.
    """

    models: dict[str, ModelDeployment]
    server: ServerSettings = ServerSettings()
    records: RecordSettings = RecordSettings()
    registry: str = ""
