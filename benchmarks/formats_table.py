"""The rows of the table about formats and faster forms, from ``results/formats.json`` and ``results/exact.json``.

Called by ``table.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BIG = 10 * 2**20
"""From this size on, bytes, a native file is a big one."""


def formats(raw: Callable[[str], Any]) -> list[tuple[str, str, str]]:
    """Return the rows.

    Args:
        raw: Returns what a script has written, by its name.
    """
    measured = raw("formats")

    def each(value: Callable[[dict[str, Any]], str]) -> str:
        return "; ".join(f"{one['format']} {value(one)}" for one in measured)

    def milliseconds(rows: str) -> str:
        return each(lambda one: f"{one[f'ours_{rows}'] * 1e3:.2f} ({one[f'native_{rows}'] * 1e3:.2f})")

    steps = each(lambda one: f"{one['capture_s']:.1f} + {one['build_s']:.1f} + {one['verify_s']:.1f}")
    sizes = each(lambda one: f"{one['wheel_bytes'] / one['native_bytes']:.3f} of {one['native_bytes'] / 2**20:.0f} MiB")
    loads = each(lambda one: f"{one['load_ours_s'] / one['load_native_s']:.2f} of {one['load_native_s'] * 1e3:.0f} ms")
    return [
        ("formats: capture + build + verify, s", "", steps),
        ("formats: wheel ÷ the library's file", "≤ 1.02 for big ones", sizes),
        ("formats: load ÷ the library's own", "≤ 1.1", loads),
        ("formats: one row, ms (the library)", "", milliseconds("rows_1_s")),
        ("formats: 1,000 rows, ms (the library)", "", milliseconds("rows_1000_s")),
        *exact(raw("exact")),
    ]


def exact(measured: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the rows about exact forms."""

    def ratios(rows: int) -> str:
        return "; ".join(f"{one['case']} {one['ratio']:.1f}" for one in measured["times"] if one["rows"] == rows)

    compared = measured["compared"]
    rows, bits = sum(one["rows"] for one in compared), sum(one["differing_bits"] for one in compared)
    kinds = len({one["estimator"] for one in compared})
    told = f"{bits} of {rows:,} rows, {kinds} types"
    return [
        ("exact: the library ÷ the form, one row, CPU", "≥ 10 for forests and boosted pipelines", ratios(1)),
        ("exact: the same, 1,000 rows", "≥ 1.5", ratios(1000)),
        ("exact: differing bits", "0 of 100,000 rows per estimator, ≥ 25", told),
    ]
