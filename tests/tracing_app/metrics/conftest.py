from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tracing_app.metrics.metric_samples import Samples, only_samples


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> Iterator[Samples]:
    with only_samples(monkeypatch) as declared:
        yield declared
