"""Turn what people wrote into ``license=`` over twenty years into an SPDX expression, or say that it is none.

Called by the readers of metadata. Source: PEP 639, section "Deprecate license classifiers"; SPDX licence list;
PyPI's classifiers ``License ::``.
"""

from __future__ import annotations

import re

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

_NAMES = {
    "mit": "MIT",
    "expat": "MIT",
    "apache": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apache20": "Apache-2.0",
    "asl20": "Apache-2.0",
    "bsd3clause": "BSD-3-Clause",
    "newbsd": "BSD-3-Clause",
    "3clausebsd": "BSD-3-Clause",
    "modifiedbsd": "BSD-3-Clause",
    "bsd2clause": "BSD-2-Clause",
    "simplifiedbsd": "BSD-2-Clause",
    "mpl20": "MPL-2.0",
    "mozillapublic20mpl20": "MPL-2.0",
    "isc": "ISC",
    "isciscl": "ISC",
    "unlicense": "Unlicense",
    "gplv3": "GPL-3.0-only",
    "gnugeneralpublicv3gplv3": "GPL-3.0-only",
    "gnugeneralpublicv3orlatergplv3": "GPL-3.0-or-later",
    "gnugeneralpublicv2gplv2": "GPL-2.0-only",
    "gnulessergeneralpublicv3lgplv3": "LGPL-3.0-only",
    "gnuafferogeneralpublicv3": "AGPL-3.0-only",
    "proprietary": "LicenseRef-Proprietary",
    "otherproprietary": "LicenseRef-Proprietary",
    "allrightsreserved": "LicenseRef-Proprietary",
    "private": "LicenseRef-Proprietary",
    "commercial": "LicenseRef-Proprietary",
}
"""Names without blanks, punctuation and the words 'license', 'version' and 'the'. 'BSD' and 'GPL' alone are not here:
they name several licences."""


def spdx(text: str) -> str:
    """Return the SPDX expression for a licence's usual name; empty if it is not clear which is meant.

    Example:
        >>> spdx("Apache License, Version 2.0"), spdx("mit"), spdx("BSD"), spdx("OSI Approved :: MIT License")
        ('Apache-2.0', 'MIT', '', 'MIT')
    """
    text = text.split("::")[-1].strip()
    plain = re.sub(r"software|licen[cs]ed?|version|the\b|[^a-z0-9]", "", text.lower())
    if plain in _NAMES:
        return _NAMES[plain]
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return ""
