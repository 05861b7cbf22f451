"""What the wheel of a release says of itself: manifest, card, charts, scenarios, lock and licences.

For: the pages about a version. Documents are read by ranges of the stored file, artifacts are never touched, and what
is too large for a page or damaged is named instead of shown.

It does not: decide who may see it (the page asks the service for the project first), deserialise a model or run it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec
from markupsafe import Markup
from packaging.utils import canonicalize_name

from modelwright.errors import ModelwrightError, PackageError
from modelwright.inspecting.lock import locked
from modelwright.package import MODEL_FOLDER, Package, open_wheel
from modelwright.registry.projects import StoredFile
from modelwright.registry.service import Service
from modelwright.registry.web.markdown import card_html, card_text, chart_address
from modelwright.registry.web.requests import Site
from modelwright.spec.manifest import Manifest
from modelwright.spec.scenario import Scenario

MAX_DOCUMENT = 4 * 2**20
"""Largest document that is read for a page, bytes; what is larger is in the wheel."""
MAX_CARD = 64 * 2**10
"""Largest card that is typeset, bytes: Markdown can be written such that the time grows with the square of its size.

Measured: the worst of twenty such texts takes 4 s at this size, once for each wheel.
"""
MAX_CHART = 96 * 2**10
"""Largest chart that is shown, bytes."""
MAX_CHARTS = 8
PLOTS = {"confusion": "Confusion matrix", "calibration": "Calibration", "residuals": "Residuals"}
"""Charts that capturing draws of an evaluation, by file name, to be shown beside its metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One distribution of the locked environment.

    Attributes:
        name: Name, normalised.
        version: Version.
        direct: The pin in the model's own requirements; empty: it is needed by another one.
        licence: What the bill of materials says; empty: nothing.
    """

    name: str
    version: str
    direct: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What was read.

    Attributes:
        manifest: The manifest.
        card: The card, as HTML; empty: there is none.
        scenarios: The scenarios.
        environment: The whole locked environment.
        plots: Charts of the evaluation: what each shows, and its address.
        problems: What could not be read, a sentence each.
    """

    manifest: Manifest
    card: Markup
    scenarios: tuple[Scenario, ...] = ()
    environment: tuple[Locked, ...] = ()
    plots: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()


@contextmanager
def opened(service: Service, file: StoredFile) -> Iterator[Package]:
    """Open a stored wheel with a model in it, to look at.

    Raises:
        UnknownReleaseError: The file is not there.
        PackageError: It is no model package, or a document that every package has is too large for a page.
    """
    with service.open_file(file.sha256) as stream:
        package = open_wheel(stream, where=file.filename, sha256=file.sha256)
        for name in ("manifest.json", "pylock.toml"):
            full = f"{package.import_name}/{MODEL_FOLDER}/{name}"
            if full in package.files.names() and package.files.size(full) > MAX_DOCUMENT:
                raise PackageError(f"{name} is larger than {MAX_DOCUMENT} bytes.", where=file.filename)
        yield package


def contents_of(site: Site, service: Service, file: StoredFile) -> Contents:
    """Return what a stored model wheel says of itself; read once, and kept.

    Raises:
        UnknownReleaseError: The file is not there.
        PackageError: It is no model package, or its manifest cannot be read.
    """

    def read() -> Contents:
        with opened(service, file) as package:
            return _Reading(package).contents()

    return site.shelf.get(("contents", file.sha256), read)


class _Reading:
    """Reading one package, remembering what could not be read."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.problems: list[str] = []
        self.names = frozenset(package.files.names())

    def contents(self) -> Contents:
        manifest, charts = self.package.manifest, self._charts()
        return Contents(
            manifest=manifest,
            card=self._card(charts),
            scenarios=self._scenarios(),
            environment=self._environment(manifest),
            plots=tuple(
                (shows, chart_address(charts[path]))
                for name, shows in PLOTS.items()
                if (path := f"charts/{name}.svg") in charts
            ),
            problems=tuple(self.problems),
        )

    def _document(self, full: str, *, most: int) -> bytes | None:
        if full not in self.names:
            return None
        if self.package.files.size(full) > most:
            self.problems.append(f"{full.rpartition('/')[2]} is too large to be shown; it is in the wheel")
            return None
        stream: BinaryIO
        with self.package.files.open(full) as stream:
            return stream.read(most)

    def _text(self, name: str) -> str:
        content = self._document(f"{self.package.import_name}/{MODEL_FOLDER}/{name}", most=MAX_DOCUMENT)
        return (content or b"").decode("utf-8", "replace")

    def _card(self, charts: Mapping[str, bytes]) -> Markup:
        name = f"{self.package.import_name}/{MODEL_FOLDER}/card.md"
        if name not in self.names or self.package.files.size(name) <= MAX_CARD:
            return card_html(self._text("card.md"), charts)
        with self.package.files.open(name) as stream:
            beginning = stream.read(MAX_CARD)
        self.problems.append("card.md is too large to be typeset; the whole of it is in the wheel")
        return card_text(beginning.decode("utf-8", "replace"))

    def _charts(self) -> dict[str, bytes]:
        folder = f"{self.package.import_name}/{MODEL_FOLDER}/"
        found = sorted(name for name in self.names if name.startswith(f"{folder}charts/") and name.endswith(".svg"))
        read = {name.removeprefix(folder): self._document(name, most=MAX_CHART) for name in found[:MAX_CHARTS]}
        return {name: content for name, content in read.items() if content is not None}

    def _scenarios(self) -> tuple[Scenario, ...]:
        lines = self._text("scenarios.jsonl").splitlines()
        try:
            return tuple(msgspec.json.decode(line, type=Scenario) for line in lines if line.strip())
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            self.problems.append(f"scenarios.jsonl is malformed: {error}")
            return ()

    def _environment(self, manifest: Manifest) -> tuple[Locked, ...]:
        try:
            versions = locked(self._text("pylock.toml"), markers={}, where="pylock.toml")
        except ModelwrightError as error:
            self.problems.append(f"{error.what} {error.why}".strip())
            versions = {}
        direct = {_name_of(pin): pin for pin in manifest.environment.dependencies}
        licences = self._licences()
        return tuple(
            Locked(name=name, version=version, direct=direct.get(name, ""), licence=licences.get(name, ""))
            for name, version in sorted(versions.items(), key=lambda one: (one[0] not in direct, one[0]))
        )

    def _licences(self) -> dict[str, str]:
        """Return the licences that the bill of materials (PEP 770, CycloneDX) names, by distribution."""
        found = sorted(name for name in self.names if ".dist-info/sboms/" in name and name.endswith(".cdx.json"))
        content = self._document(found[0], most=MAX_DOCUMENT) if found else None
        try:
            bill = msgspec.json.decode(content or b"{}", type=_Bill)
        except msgspec.DecodeError as error:
            self.problems.append(f"the bill of materials is malformed: {error}")
            return {}
        return {
            canonicalize_name(one.name): " AND ".join(filter(None, map(_licence, one.licenses)))
            for one in bill.components
        }


class _Component(msgspec.Struct):
    name: str
    licenses: list[dict[str, Any]] = []


class _Bill(msgspec.Struct):
    components: list[_Component] = []


def _licence(choice: dict[str, Any]) -> str:
    """Return one licence of CycloneDX 1.6: an SPDX expression, or an object with an SPDX id or a name."""
    said = choice.get("license")
    named = said if isinstance(said, dict) else {}
    return str(choice.get("expression") or named.get("id") or named.get("name") or "")


def _name_of(pin: str) -> str:
    return canonicalize_name(
        next((pin[:at] for at, sign in enumerate(pin) if not (sign.isalnum() or sign in "._-")), pin)
    )
