"""Templates under the rules that every page of ours is made by.

For: the pages of the registry, and those of servers. Everything that goes into a template is escaped, unless its type
says that it is markup; a template that names something the page does not have is an error, not an empty place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(package: str, *, filters: tuple[Callable[..., Any], ...], shared: Mapping[str, Any]) -> Environment:
    """Return what makes pages from the folder ``templates`` of a package.

    Args:
        package: The package, by its full name.
        filters: What templates may pass values through, each by its own name.
        shared: What every template knows, by name.
    """
    made = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {written.__name__: written for written in filters}
    made.globals |= shared
    return made
