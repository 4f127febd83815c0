"""What requests to an S3 upstream are signed with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from uploads.config import S3StorageConfig


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key and its secret, of a session where there is a token."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False)


def credentials_source(config: S3StorageConfig) -> Callable[[], Credentials]:
    """The configured keys, or those of boto3's chain, refreshed when they are about to expire.

    The function returned raises botocore's exceptions.
    """
    if config.access_key is not None and config.secret_key is not None:
        fixed = Credentials(config.access_key, config.secret_key, config.session_token)
        return lambda: fixed
    import boto3
    from botocore.exceptions import NoCredentialsError

    chain = boto3.Session().get_credentials()

    def refreshed() -> Credentials:
        if chain is None:
            raise NoCredentialsError
        frozen = chain.get_frozen_credentials()
        if frozen.access_key is None or frozen.secret_key is None:
            raise NoCredentialsError
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    return refreshed
