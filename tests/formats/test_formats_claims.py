"""Two formats that claim one object equally are an error that names both and how to choose."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from modelwright.capturing import formats
from modelwright.errors import SerialisationError


def test_two_equal_claims_name_both_formats_and_how_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    claiming = {name: SimpleNamespace(name=name, claims=lambda model: 90) for name in ("left", "right")}
    monkeypatch.setattr(formats, "available", lambda group: tuple(claiming))
    monkeypatch.setattr(formats, "format_named", claiming.__getitem__)
    with pytest.raises(SerialisationError, match="left and right both claim a object") as caught:
        formats.ranked(object())
    assert caught.value.hint == "Choose one: format='left'."
