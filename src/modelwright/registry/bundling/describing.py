"""The texts of a bundle: locks with relative paths, a static index of its files, and what to do with it. Pure.

Called by :mod:`.writing`.

Source: PEP 751 (pylock.toml); pip documentation, "Secure installs"; Simple repository API.
"""

from __future__ import annotations

import tomlkit
from packaging.pylock import Package, PackageWheel, Pylock
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from modelwright.registry.bundling.bundle import WHEELS, Bundle, BundledFile
from modelwright.registry.index import html, json, links
from modelwright.registry.index.pages import IndexFile, ProjectPage
from modelwright.registry.index.static import HTML_FILE, JSON_FILE

_README = """\
# {name} {version}, without a network

Everything that `{name}=={version}` needs on Python {python}, {platform}: {count} wheels, each with its sha256.
Unpack this archive, and in this folder make an environment with uv or with pip:

```
uv venv --python {python} .venv && uv pip sync --offline pylock.toml
```
```
python{python} -m venv .venv
.venv/bin/pip install --no-index --find-links wheels --require-hashes -r requirements.txt
```

Both refuse a file that was changed. Then: `.venv/bin/python -m {module}.model selftest`.

- `simple/` is a package index of the same files: `--index-url file:///…/simple/`, or any web server on this folder.
- `bundle.json` lists the files, where each came from, and what the registry knew of the release.
- Into another registry: `modelwright import BUNDLE.zip --registry REGISTRY`.
"""


def pylock(bundle: Bundle) -> str:
    """Return ``pylock.toml``: every wheel by its relative path, with size and sha256."""
    packages = [
        Package(
            name=canonicalize_name(file.project),
            version=Version(file.version),
            wheels=[
                PackageWheel(
                    name=file.filename,
                    path=f"{WHEELS}/{file.filename}",
                    size=file.size,
                    hashes={"sha256": file.sha256},
                )
            ],
        )
        for file in sorted(bundle.files, key=lambda one: one.project)
    ]
    lock = Pylock(
        lock_version=Version("1.0"),
        created_by="modelwright",
        requires_python=SpecifierSet(f"=={bundle.python}.*"),
        packages=packages,
    )
    return tomlkit.dumps(lock.to_dict())


def requirements(bundle: Bundle) -> str:
    """Return ``requirements.txt``: exact versions with hashes."""
    lines = [
        f"{file.project}=={file.version} --hash=sha256:{file.sha256}"
        for file in sorted(bundle.files, key=lambda one: one.project)
    ]
    return "\n".join(lines) + "\n"


def readme(bundle: Bundle, *, module: str) -> str:
    """Return what to do with the bundle.

    Args:
        bundle: The bundle.
        module: The model's import package.
    """
    return _README.format(
        name=bundle.name,
        version=bundle.version,
        python=bundle.python,
        platform=bundle.platform,
        count=len(bundle.files),
        module=module,
    )


def index(bundle: Bundle) -> dict[str, bytes]:
    """Return the pages of the static index, by path below ``simple/``."""
    pages: dict[str, bytes] = {}
    names = sorted({file.project for file in bundle.files})
    root = links.to_root("")
    for name in names:
        files = tuple(_entry(file, bundle) for file in bundle.files if file.project == name)
        versions = tuple(file.version for file in bundle.files if file.project == name)
        page = ProjectPage(name=name, files=files, versions=versions, serial=0)
        pages[f"{name}/{HTML_FILE}"] = html.project_html(page, root=root).encode()
        pages[f"{name}/{JSON_FILE}"] = json.project_json(page, root=root)
    return pages | {HTML_FILE: html.names_html(names).encode(), JSON_FILE: json.names_json(names)}


def _entry(file: BundledFile, bundle: Bundle) -> IndexFile:
    return IndexFile(
        filename=file.filename,
        path=f"{WHEELS}/{file.filename}",
        sha256=file.sha256,
        size=file.size,
        uploaded=bundle.created,
        requires_python=file.requires_python,
        metadata_sha256=file.metadata_sha256,
    )
