import pytest

from churn.features import add_ratio
