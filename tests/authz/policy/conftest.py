from __future__ import annotations

import pytest

from tests.authz.policy.clocks import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()
