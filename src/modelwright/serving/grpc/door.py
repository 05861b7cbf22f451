"""The gRPC door: listens, and stops without breaking what is under way.

Opened by :mod:`modelwright.serving.assembly`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc

from modelwright.errors import AddressTakenError
from modelwright.serving.dataplane import DataPlane
from modelwright.serving.grpc.servicing import Admit, Servicer, admit_everyone


class GrpcDoor:
    """A gRPC server before a data plane.

    Args:
        plane: Whom to ask.
        max_message_bytes: Largest message, also after decompression; gRPC refuses larger ones by itself.
        admit: Who may ask.
    """

    def __init__(self, plane: DataPlane, *, max_message_bytes: int = 16 * 2**20, admit: Admit = admit_everyone) -> None:
        options = [
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ]
        self._server: Any = grpc.aio.server(options=options)
        self._server.add_generic_rpc_handlers(Servicer(plane, admit).handlers())

    async def open(self, host: str, port: int, *, certificate: Path | None = None, key: Path | None = None) -> int:
        """Listen, and return the port.

        Args:
            host: Address to listen on.
            port: Port to listen on; 0: any free one.
            certificate: PEM file with the certificate chain; ``None``: no TLS.
            key: PEM file with its private key.

        Raises:
            AddressTakenError: The address is taken, or not allowed.
        """
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        bound, why = 0, ""
        try:
            bound = self._bind(address, certificate, key)
        except RuntimeError as error:
            why = str(error)
        if not bound:
            raise AddressTakenError(
                f"The gRPC door cannot listen on {address}.",
                why=why,
                hint="Choose another port, or 0 for any free one.",
            )
        await self._server.start()
        return bound

    def _bind(self, address: str, certificate: Path | None, key: Path | None) -> int:
        if certificate is None or key is None:
            return int(self._server.add_insecure_port(address))
        credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
        return int(self._server.add_secure_port(address, credentials))

    async def close(self, drain_s: float) -> None:
        """Take no more calls, and wait for those under way.

        Args:
            drain_s: Longest time to wait for them, seconds; then they are broken off.
        """
        await self._server.stop(drain_s)
