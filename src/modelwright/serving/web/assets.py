"""Style, scripts and Swagger UI of the pages, under names that change with their bytes: they are cached for ever.

For: the templates, which link to them, and the HTTP door, which serves them below ``/static``. The style sheet, the
copy buttons and the icon are the registry's: one look, one copy. All of it travels in the wheel of modelwright; what is
not ours stands in ``swagger/vendored.json`` with version and digests.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from modelwright.registry.web.assets import CACHE_CONTROL, Asset, asset_of
from modelwright.registry.web.assets import asset_name as registry_name
from modelwright.registry.web.assets import find_asset as registry_asset

__all__ = ["CACHE_CONTROL", "CONTENT_SECURITY_POLICY", "Asset", "asset_name", "static"]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What every page is sent with: nothing inline, nothing from elsewhere.

Source: Content Security Policy Level 3. ``data:`` is for the pictures in Swagger UI's own style sheet.
"""
_SCRIPT, _STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
_OURS = {
    "serving.css": ("static", _STYLE),
    "serving.js": ("static", _SCRIPT),
    "docs.css": ("static", _STYLE),
    "docs.js": ("static", _SCRIPT),
    "swagger-ui.css": ("swagger", _STYLE),
    "swagger-ui-bundle.js": ("swagger", _SCRIPT),
}
"""Folder and media type of each file."""


@cache
def _asset(plain: str) -> Asset:
    folder, media_type = _OURS[plain]
    body = files(__package__).joinpath(folder).joinpath(plain).read_bytes()
    return asset_of(plain, body, media_type=media_type)


def asset_name(plain: str) -> str:
    """Return the name that an asset is served under.

    Example:
        >>> asset_name("serving.css").startswith("serving."), asset_name("pages.css").startswith("pages.")
        (True, True)
    """
    return _asset(plain).name if plain in _OURS else registry_name(plain)


def static(path: str) -> Asset | None:
    """Return the asset of a path below ``/static``, exactly; ``None``: there is none, or no longer with these bytes.

    Example:
        >>> static("../pages.py") is None, static(asset_name("serving.css")).media_type
        (True, 'text/css; charset=utf-8')
    """
    stem, _, rest = path.rpartition(".")
    plain = f"{stem.rpartition('.')[0]}.{rest}"
    if plain in _OURS:
        asset = _asset(plain)
        return asset if asset.name == path else None
    return registry_asset(path)
