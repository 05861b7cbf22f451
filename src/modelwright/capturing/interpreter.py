"""Name the running interpreter and platform in the words of wheels.

Called by capture.
Source: PEP 425 (tags), PyPA "Platform compatibility tags".
"""

from __future__ import annotations

import platform
import sysconfig

from packaging.tags import interpreter_name, interpreter_version


def python_tag() -> str:
    """Return the PEP 425 tag of this interpreter (``cp311``)."""
    return interpreter_name() + interpreter_version()


def platform_tag() -> str:
    """Return the PEP 425 tag of this platform (``linux_x86_64``)."""
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def python_version() -> str:
    """Return the full version of this interpreter (``3.11.7``)."""
    return platform.python_version()
