"""What has become of access keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal, get_args

from django.db.models import Q, QuerySet
from django.utils import timezone

from authz.models import AccessKey

KeyState = Literal["usable", "disabled", "expired"]
STATES: Final[tuple[KeyState, ...]] = get_args(KeyState)
EXPIRES_SOON: Final = timedelta(days=7)


def state_of(key: AccessKey) -> KeyState:
    """Disabled, whether expired or not, is what somebody decided."""
    if not key.is_enabled:
        return "disabled"
    return "usable" if key.is_usable else "expired"


def expires_soon(key: AccessKey) -> bool:
    """Usable, and not for more than a week."""
    return key.is_usable and key.expires_at is not None and key.expires_at - timezone.now() < EXPIRES_SOON


def of_state(keys: QuerySet[AccessKey], state: KeyState) -> QuerySet[AccessKey]:
    """Those of ``keys`` whose ``state_of`` it is now."""
    if state == "disabled":
        return keys.filter(is_enabled=False)
    now = timezone.now()
    if state == "expired":
        return keys.filter(is_enabled=True, expires_at__lte=now)
    return keys.filter(Q(expires_at=None) | Q(expires_at__gt=now), is_enabled=True)
