"""Plans of what hands everything on to another estimator: a search to its best, a frozen one to what it holds."""

from __future__ import annotations

from typing import Any

from .planning import Given, Plan, Planner


def searched(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan the best estimator of a search."""
    return planner.plan(step.best_estimator_, given, f"{path}/best" if path else "best")


def frozen(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a frozen estimator."""
    return planner.plan(step.estimator, given, f"{path}/estimator" if path else "estimator")
