"""What is asked of a lock: which files, for which Python, with which extras and groups of the project.

Called by the command line, which makes it from its options, and by the other modules here.
"""

from __future__ import annotations

import re
from typing import Literal

from modelwright.errors import LockError
from modelwright.spec.struct import Frozen

Format = Literal["pylock", "requirements", "conda", "all"]
Versions = Literal["keep", "upgrade"]

PYLOCK, REQUIREMENTS, CONDA = "pylock.toml", "requirements.txt", "environment.yml"
_FILES: dict[Format, tuple[str, ...]] = {
    "pylock": (PYLOCK,),
    "requirements": (REQUIREMENTS,),
    "conda": (REQUIREMENTS, CONDA),
    "all": (PYLOCK, REQUIREMENTS, CONDA),
}
_MINOR = re.compile(r"3\.\d+")


class Wanted(Frozen, frozen=True, kw_only=True):
    """What is asked of a lock.

    Attributes:
        formats: Which files to make. ``conda`` gives two: ``environment.yml`` reads ``requirements.txt``.
        python: Oldest Python to lock for, major and minor (``3.12``); by default the one that the model was captured
            on, else the oldest that the project supports.
        extras: Optional dependencies of the project to lock as well (PEP 621).
        groups: Dependency groups of the project to lock as well (PEP 735).
        index_url: The one index to ask; by default what uv is configured to ask.
        versions: ``keep``: versions of an earlier lock stay where they can; ``upgrade``: the newest are taken.
    """

    formats: tuple[Format, ...] = ("pylock",)
    python: str = ""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    index_url: str | None = None
    versions: Versions = "keep"

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files to make.

        Example:
            >>> Wanted(formats=("conda", "pylock")).files
            ('pylock.toml', 'requirements.txt', 'environment.yml')
        """
        asked = {name for kind in self.formats for name in _FILES[kind]}
        return tuple(name for name in _FILES["all"] if name in asked)

    @property
    def resolves(self) -> tuple[str, ...]:
        """What is asked for that only a resolution can give, in words."""
        said = {"Python": self.python, "extra": self.extras, "group": self.groups, "index": self.index_url}
        return tuple(word for word, value in said.items() if value)

    def check(self) -> None:
        """Check the version of Python.

        Raises:
            LockError: It is none.
        """
        if self.python and not _MINOR.fullmatch(self.python):
            raise LockError(
                f"{self.python!r} is no version of Python to lock for.", hint="Give major and minor, for example 3.12."
            )
