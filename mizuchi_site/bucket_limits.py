"""What a bucket and its principals may, and how much at a time: out of the configuration."""

from __future__ import annotations

from mizuchi_site.config import Config
from mizuchi_site.config.cors import CorsRuleSection
from mizuchi_site.config.quota import BucketQuotaSection, QuotaSection
from mizuchi_site.config.throttle import RateSection
from uploads.quotas.rules import BucketQuota, Quota
from uploads.s3.cors import CorsRule
from uploads.throttle.rules import Rate, ThrottleConfig


def throttle_config(config: Config) -> ThrottleConfig:
    """Requests and uploads of principals, and where they are counted."""
    throttle, url = config.throttle, config.cache.url
    return ThrottleConfig(
        principal=_rate(throttle),
        principals={name: _rate(rate) for name, rate in throttle.principals.items()},
        buckets={bucket.name: _rate(bucket.throttle) for bucket in config.buckets},
        redis_url=None if url is None else url.get_secret_value(),
    )


def bucket_quota(section: BucketQuotaSection) -> BucketQuota | None:
    """None when nothing is limited, so that nothing is counted."""
    quota = BucketQuota(
        per=section.per,
        bucket=_quota(section),
        principal=_quota(section.principal),
        principals={name: _quota(each) for name, each in section.principals.items()},
    )
    every = (quota.bucket, quota.principal, *quota.principals.values())
    return None if all(each == Quota() for each in every) else quota


def cors_rule(section: CorsRuleSection) -> CorsRule:
    return CorsRule(**dict(section))


def _rate(section: RateSection) -> Rate:
    return Rate(section.requests_per_second, section.burst, section.concurrent_uploads)


def _quota(section: QuotaSection) -> Quota:
    return Quota(section.max_bytes, section.max_objects)
