"""Tell those who want to be told: what waits in the outbox is posted, signed, and tried again until it arrives.

Called by the server, in a thread of its own, and by ``modelwright registry deliver``, once. What waits was written in
the transaction of the change it tells of, so nothing is told that was not done, and nothing done is forgotten.

Something may arrive twice, if the registry dies between an answer and remembering it; the delivery's name is the same
then. It does not: follow redirects, read answers, or post to anything but the URLs in ``registry.toml``.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import func, select

from modelwright.errors import SettingsError, UnavailableError
from modelwright.registry.audit import Entry
from modelwright.registry.events.messages import headers, payload
from modelwright.registry.events.schedule import wait_after
from modelwright.registry.service import Selection
from modelwright.registry.settings import Settings, Webhook
from modelwright.registry.state.database import State
from modelwright.registry.state.queries import load_entries
from modelwright.registry.state.tables import outbox
from modelwright.spec.struct import Frozen

CLAIM_S = 600.0
"""How long nobody else tries what somebody is trying, seconds; much longer than an attempt can take."""
TIMEOUT_S = 10.0
"""How long a receiver may take to connect, to read and to begin its answer, each, seconds."""
POLL_S = 1.0
"""How often the outbox is looked at, seconds."""
SHORTEST_SECRET = 16
"""Bytes below which a secret could be guessed."""
_log = logging.getLogger(__name__)


class DeliveryReport(Frozen, frozen=True, kw_only=True):
    """What became of what was due.

    Attributes:
        delivered: How many arrived.
        failed: How many will be tried again later.
        given_up: How many will not be tried any more.
        waiting: How many are not due yet, those that failed just now included.
    """

    delivered: int
    failed: int
    given_up: int
    waiting: int


class Claimed(NamedTuple):
    """A delivery that nobody else tries for now.

    Attributes:
        id: Its number in the outbox.
        url: Where it goes.
        attempts: How many there were, this one included.
        entry: What it tells of.
    """

    id: int
    url: str
    attempts: int
    entry: Entry


class Deliverer:
    """Empties the outbox of a registry.

    Args:
        state: The registry's database.
        settings: Who is told.
        root: Folder of ``registry.toml``, which secrets lie relative to.
        chance: Returns a number in [0, 1), for the schedule; for tests.

    Raises:
        SettingsError: A URL is none that can be posted to, or a secret is missing or too short.
    """

    def __init__(
        self, state: State, *, settings: Settings, root: Path, chance: Callable[[], float] = random.random
    ) -> None:
        self._state = state
        self._secrets = read_secrets(settings.webhooks, root)
        self._chance = chance

    def deliver(self) -> DeliveryReport:
        """Try everything that is due, oldest first.

        Raises:
            UnavailableError: The database cannot be used.
        """
        found = {"delivered": 0, "failed": 0, "given_up": 0}
        claimed = self._claim()
        if claimed is not None:  # a client is not made for nothing: its certificates alone take a while to read
            with httpx2.Client(follow_redirects=False, trust_env=False, timeout=TIMEOUT_S) as client:
                while claimed is not None:
                    found[self._settle(claimed, self._post(client, claimed))] += 1
                    claimed = self._claim()
        with self._state.read() as connection:
            waiting = connection.scalar(select(func.count()).select_from(outbox).where(~outbox.c.done))
        return DeliveryReport(**found, waiting=waiting or 0)

    def _now(self) -> float:
        return self._state.clock().timestamp()

    def _claim(self) -> Claimed | None:
        """Take the next delivery that is due away from everybody else; ``None``: nothing is due."""
        due = select(outbox).where(~outbox.c.done, outbox.c.due <= self._now()).order_by(outbox.c.id).limit(1)
        with self._state.read() as connection:  # looked at each second, and mostly in vain: without the writers' lock
            if connection.execute(due).one_or_none() is None:
                return None
        with self._state.write() as transaction:
            row = transaction.connection.execute(due).one_or_none()
            if row is None:
                return None
            change = outbox.update().where(outbox.c.id == row.id)
            transaction.connection.execute(change.values(due=self._now() + CLAIM_S, attempts=row.attempts + 1))
            wanted = Selection(after=row.sequence - 1, limit=1)
            (entry,) = load_entries(transaction.connection, wanted)
        return Claimed(row.id, row.url, row.attempts + 1, entry)

    def _post(self, client: httpx2.Client, claimed: Claimed) -> str:
        """Make one attempt; return what is wrong, empty if it arrived."""
        secret = self._secrets.get(claimed.url)
        if secret is None:
            return NOT_CONFIGURED
        body = payload(claimed.entry)
        signed = headers(claimed.entry, delivery=claimed.id, timestamp=int(self._now()), body=body, secret=secret)
        try:
            # Streamed, so that nobody has to read what a receiver answers.
            with client.stream("POST", claimed.url, content=body, headers=signed) as response:
                if response.is_success:
                    return ""
                return f"answered {response.status_code}" + ("; not followed" if response.is_redirect else "")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return f"{type(error).__name__}: {error}"[:300]

    def _settle(self, claimed: Claimed, problem: str) -> str:
        """Remember what came of an attempt; return the word for it."""
        wait = wait_after(claimed.attempts, self._chance()) if problem and problem != NOT_CONFIGURED else None
        values = {"done": wait is None, "problem": problem}
        if wait is not None:
            values["due"] = self._now() + wait
        # Only if nobody took it over: a claim that ran out is not ours any more.
        ours = (outbox.c.id == claimed.id) & (outbox.c.attempts == claimed.attempts)
        with self._state.write() as transaction:
            transaction.connection.execute(outbox.update().where(ours).values(values))
        if not problem:
            return "delivered"
        where = f"{claimed.entry.action} {claimed.entry.project} (entry {claimed.entry.sequence}) to {claimed.url}"
        if wait is None:
            _log.error("gave up telling of %s after %d attempts: %s", where, claimed.attempts, problem)
            return "given_up"
        _log.warning("could not tell of %s: %s; again in %.0f s", where, problem, wait)
        return "failed"


NOT_CONFIGURED = "no webhook has this URL any more"


def read_secrets(webhooks: tuple[Webhook, ...], root: Path) -> Mapping[str, bytes]:
    """Return the secret of each URL.

    Raises:
        SettingsError: A URL is none that can be posted to, or a secret is missing or too short.
    """
    secrets: dict[str, bytes] = {}
    for webhook in webhooks:
        parts = urlsplit(webhook.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise SettingsError(
                "A webhook's URL is http:// or https://, without user and password.",
                where=f"webhooks, {parts.hostname or 'no host'}",
                hint="The receiver knows the registry by its signature.",
            )
        path = root / webhook.secret_file
        try:
            secret = path.read_bytes().strip()
        except OSError as error:
            raise SettingsError(
                "The secret of a webhook cannot be read.", where=str(path), why=error.strerror or str(error)
            ) from error
        if len(secret) < SHORTEST_SECRET or secrets.get(webhook.url, secret) != secret:
            raise SettingsError(
                "A webhook needs one secret, of at least 16 characters.",
                where=str(path),
                hint="python -c 'import secrets; print(secrets.token_urlsafe())'",
            )
        secrets[webhook.url] = secret
    return secrets


@contextmanager
def delivering(deliverer: Deliverer) -> Iterator[None]:
    """Empty the outbox in a thread of its own for as long as the block lasts; an attempt under way is finished."""
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            try:
                deliverer.deliver()
            except UnavailableError as error:
                _log.warning("the outbox cannot be read: %s", error.why)
            ended.wait(POLL_S)

    # A daemon, so that a receiver that does not answer holds up nobody who leaves without saying so.
    thread = threading.Thread(target=run, name="webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(3 * TIMEOUT_S)
