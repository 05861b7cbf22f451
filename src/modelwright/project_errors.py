"""Every error of model projects: what cannot be made, converted, adopted or released, with the tree on top.

::

    ModelwrightError
    └── AuthoringError            MW10xx a model project cannot be made, converted, adopted or released
        ├── ScaffoldError         MW1001 the project cannot be created here or updated
        ├── NotebookError         MW1002 the file is no notebook that can be read
        ├── CellError             MW1003 a cell cannot become code of a project; it is named
        ├── ConversionError       MW1004 the notebook as a whole gives no model
        ├── ProofError            MW1005 the notebook or the project made from it cannot be run to the end
        ├── AdoptError            MW1006 an existing project cannot be adopted as it is
        ├── ReleaseError          MW1007 a version would lie about its changes, or there is nothing to compare with
        └── GitError              MW1008 git is missing or refuses

Imported by :mod:`modelwright.errors`; everyone imports them from there.
"""

from __future__ import annotations

from modelwright.runtime.errors import ModelwrightError


class AuthoringError(ModelwrightError):
    """A model project cannot be made, converted, adopted or released."""

    code = "MW1000"


class ScaffoldError(AuthoringError):
    """The project cannot be created here or updated.

    The folder exists already, the name is taken on the index, or the folder was not made by ``modelwright new``.
    Nothing that was there before is touched.
    """

    code = "MW1001"


class NotebookError(AuthoringError):
    """The file is no notebook that can be read: not JSON, another language than Python, or without any code."""

    code = "MW1002"


class CellError(AuthoringError):
    """A cell cannot become code of a project: a syntax error, Python 2, a name that nothing defines, a missing file.

    The cell is named with its position in the notebook, counted from 1 over all cells.
    """

    code = "MW1003"


class ConversionError(AuthoringError):
    """The notebook as a whole gives no model: nothing is fitted, or it cannot be told which model is meant."""

    code = "MW1004"


class ProofError(AuthoringError):
    """The notebook, or the project made from it, cannot be run to the end in a clean environment."""

    code = "MW1005"


class AdoptError(AuthoringError):
    """An existing project cannot be adopted as it is; what stands in the way is named with file and line."""

    code = "MW1006"


class ReleaseError(AuthoringError):
    """A version would lie about its changes, or there is no release to compare with."""

    code = "MW1007"


class GitError(AuthoringError):
    """Git is missing, the folder is no repository, or git refuses; nothing else was changed."""

    code = "MW1008"
