"""What the OpenAPI description tells of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Endpoint = tuple[str, str, str, Any]


def only_the_api(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Health views are for probes and operators' eyes, and promise no format."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/")]
