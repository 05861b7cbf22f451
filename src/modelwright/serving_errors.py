"""Every error of serving: what a server refuses, and what keeps it from answering.

::

    ModelwrightError
    └── ServingError              MW12xx a server refuses a request, or cannot answer
        ├── DeploymentError       MW1201 the deployment says something that cannot be honoured
        ├── UnknownModelError     MW1202 the server has no such model or version
        ├── MessageError          MW1203 a body is not what it says it is
        ├── MediaTypeError        MW1204 a body is of a type or encoding that is not understood
        ├── TooLargeError         MW1205 a body, a table or its nesting is larger than the server takes
        ├── OverloadedError       MW1206 more is waiting than can be answered in time
        ├── DeadlineError         MW1207 the answer did not come in time
        ├── WorkerError           MW1208 the process of the model ended while it had the request
        ├── NotReadyError         MW1209 the model is being prepared, or was refused
        ├── RolloutError          MW1210 a rollout cannot be begun, advanced or ended as asked
        ├── AddressTakenError     MW1211 the address to listen on is taken
        ├── CredentialError       MW1212 no token, or one that the server does not know
        ├── SlowRequestError      MW1213 the request did not arrive in time
        ├── RecordLogError        MW1214 the record log cannot be written or read
        ├── OutcomeError          MW1215 an outcome names no prediction, or is malformed
        └── UnreachableError      MW1216 no server answers at that address

Imported by :mod:`modelwright.errors`; everyone imports them from there. Which HTTP status
each gives is decided in :mod:`modelwright.serving.statuses`, and what that is in gRPC in
:mod:`modelwright.serving.grpc.statuses`.
"""

from __future__ import annotations

from modelwright.runtime.errors import ModelwrightError


class ServingError(ModelwrightError):
    """A server refuses a request, or cannot answer it."""

    code = "MW1200"


class DeploymentError(ServingError):
    """The deployment says something that cannot be honoured; what was served before goes on.

    A variant that lacks an output of the one it stands in for, weights that do not add up, two models of one name, a
    file that is no TOML: every problem is listed, and nothing was started.
    """

    code = "MW1201"


class UnknownModelError(ServingError):
    """The server has no such model, or not in that version."""

    code = "MW1202"


class MessageError(ServingError):
    """The body of a request is not what it says it is: malformed JSON, a key twice, bytes that are no text."""

    code = "MW1203"


class MediaTypeError(ServingError):
    """The body is of a type or encoding that is not understood."""

    code = "MW1204"


class TooLargeError(ServingError):
    """A body, a table or its nesting is larger than the server takes; nothing of it was computed."""

    code = "MW1205"


class OverloadedError(ServingError):
    """More is waiting than the server can answer in time; the request was not begun, so it may be sent again.

    Attributes:
        retry_after_s: When to try again, seconds.
    """

    code = "MW1206"
    retry_after_s: float = 1.0


class DeadlineError(ServingError):
    """The answer did not come in time; the model may have been stopped for it."""

    code = "MW1207"


class WorkerError(ServingError):
    """The process of the model ended while it had the request; it has been replaced."""

    code = "MW1208"


class NotReadyError(ServingError):
    """The model is not ready: it is being prepared, or was refused."""

    code = "MW1209"


class RolloutError(ServingError):
    """A rollout cannot be begun, advanced or ended as asked: another one is under way, or none is."""

    code = "MW1210"


class AddressTakenError(ServingError):
    """The address to listen on is taken, or not allowed; by whom is said where the system tells."""

    code = "MW1211"


class CredentialError(ServingError):
    """The request carries no token, or not one that this server knows."""

    code = "MW1212"


class SlowRequestError(ServingError):
    """The request did not arrive in time."""

    code = "MW1213"


class RecordLogError(ServingError):
    """The record log cannot be written or read."""

    code = "MW1214"


class OutcomeError(ServingError):
    """An outcome cannot be taken: it names no prediction, or is malformed."""

    code = "MW1215"


class UnreachableError(ServingError):
    """No server answers at that address, or what answers is none."""

    code = "MW1216"
