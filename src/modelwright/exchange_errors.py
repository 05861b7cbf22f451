"""Every error of exchange: what cannot be written for another system, or taken from one.

::

    ModelwrightError
    └── ExchangeError             MW13xx a package cannot go to or come from a system
        ├── TargetError           MW1301 what was asked of the target cannot be honoured
        ├── VariantError          MW1302 two versions cannot share traffic
        └── ExportFolderError     MW1303 the folder holds files that no export wrote

Imported by :mod:`modelwright.errors`; everyone imports them from there.
"""

from __future__ import annotations

from modelwright.runtime.errors import ModelwrightError


class ExchangeError(ModelwrightError):
    """A package cannot go to another system, or come from one."""

    code = "MW1300"


class TargetError(ExchangeError):
    """What was asked of the target cannot be honoured: an image, a name, a weight or a number that it does not allow.

    Nothing was written. Every problem is listed.
    """

    code = "MW1301"


class VariantError(ExchangeError):
    """The two versions cannot share traffic: other names, other inputs, other outputs, or the same version twice.

    A canary answers the requests of the version that it may replace, so it has to take the same rows and give the same
    outputs. ``modelwright diff`` shows where they differ.
    """

    code = "MW1302"


class ExportFolderError(ExchangeError):
    """The folder of the export holds files that no export wrote; they are left alone.

    An export replaces an earlier one completely, so it needs a folder of its own.
    """

    code = "MW1303"
