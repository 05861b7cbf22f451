"""The build backend of model projects: ``build-backend = "modelwright.backend"``.

Called by pip, uv and build in the folder of the project. Nothing but the translation between their protocol and
:mod:`modelwright.building`; it is an edge, so it may read the environment and end the process: a refusal ends it with
its own text, which every frontend shows, where an exception would be shown with a traceback.
Source: PEP 517 (wheel and sdist hooks), PEP 660 (editable hooks), reproducible-builds.org (SOURCE_DATE_EPOCH).
"""

# ruff: noqa: ARG001 - PEP 517 fixes what a hook is called with

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from modelwright.building import editable
from modelwright.building.build import build
from modelwright.building.project import open_project
from modelwright.building.sdist import build_sdist as _build_sdist
from modelwright.building.unmodelled import open_editable
from modelwright.building.weights import TOGETHER
from modelwright.errors import ModelwrightError, ProjectError

Settings = Mapping[str, object] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Require nothing beside modelwright itself."""
    return []


get_requires_for_build_sdist = get_requires_for_build_wheel
get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Build the wheel of the project in the current folder; return its file name."""
    with _refusals_as_text(config_settings):
        # PEP 517 hands over one wheel, which has to install as it is: the weights stay in it.
        return build(Path.cwd(), wheel_directory, epoch=_epoch(), weights=TOGETHER).name


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Build the sdist of the project in the current folder; return its file name."""
    with _refusals_as_text(config_settings):
        return _build_sdist(Path.cwd(), sdist_directory, epoch=_epoch()).name


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Build a wheel that points at the current folder; return its file name."""
    with _refusals_as_text(config_settings):
        return editable.build_editable(open_editable(Path.cwd()), Path(wheel_directory), epoch=_epoch()).name


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    """Write the ``.dist-info`` folder of the wheel; return its name."""
    with _refusals_as_text(config_settings):
        return editable.write_metadata(open_project(Path.cwd()), Path(metadata_directory), epoch=_epoch()).name


def prepare_metadata_for_build_editable(metadata_directory: str, config_settings: Settings = None) -> str:
    """Write the ``.dist-info`` folder of the editable wheel; return its name."""
    with _refusals_as_text(config_settings):
        return editable.write_metadata(open_editable(Path.cwd()), Path(metadata_directory), epoch=_epoch()).name


@contextmanager
def _refusals_as_text(config_settings: Settings) -> Iterator[None]:
    try:
        if config_settings:
            names = ", ".join(sorted(config_settings))
            raise ProjectError(
                f"There is no build setting {names!r}.",
                where="config settings of the build frontend",
                hint="Leave it out: everything is said in pyproject.toml and manifest.json.",
            )
        yield
    except ModelwrightError as error:
        raise SystemExit(str(error)) from error


def _epoch() -> int | None:
    said = os.environ.get("SOURCE_DATE_EPOCH")
    if said is None:
        return None
    try:
        return int(said)
    except ValueError:
        raise ProjectError(
            f"SOURCE_DATE_EPOCH is {said!r}.", where="environment", why="It has to be whole seconds since 1970 UTC."
        ) from None
