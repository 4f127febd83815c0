"""The whole configuration. Its defaults are a development system: files under ``var/``, SQLite."""

from __future__ import annotations

from typing import Annotated, Any

from .buckets import BucketSection
from .jwt import StsSection
from .metrics import MetricsSection
from .sections import (
    AccessKeySection,
    CacheSection,
    DatabaseSection,
    LoggingSection,
    MultipartSection,
    SecuritySection,
    ServerSection,
)
from .storages import Storage
from .throttle import ThrottleSection
from .tracing import TracingSection
from .values import Listed, NotEmpty, Section, matching
from .webhooks import DeliveriesSection

StorageName = Annotated[
    str, matching(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", "a name of letters, digits, hyphens and underscores")
]

DEFAULT_SECTIONS: dict[str, Any] = {
    "storages": {"local": {"backend": "filesystem", "location": "var/objects"}},
    "buckets": [{"name": "uploads", "storage": "local", "browser_upload": True}],
}
"""What stands for these sections when the file has none of them; a file's section replaces them whole."""


class Config(Section):
    """Everything config.yaml can say."""

    server: ServerSection = ServerSection()
    security: SecuritySection = SecuritySection()
    database: DatabaseSection = DatabaseSection()
    cache: CacheSection = CacheSection()
    storages: Annotated[dict[StorageName, Storage], NotEmpty]
    access_keys: Listed[AccessKeySection] = ()
    buckets: Annotated[Listed[BucketSection], NotEmpty]
    throttle: ThrottleSection = ThrottleSection()
    sts: StsSection = StsSection()
    multipart: MultipartSection = MultipartSection()
    deliveries: DeliveriesSection = DeliveriesSection()
    tracing: TracingSection = TracingSection()
    metrics: MetricsSection = MetricsSection()
    logging: LoggingSection = LoggingSection()
