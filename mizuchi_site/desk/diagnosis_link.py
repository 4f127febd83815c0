"""The way from an error to the signature doctor."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import reverse


def diagnosis_url(user: AbstractBaseUser | AnonymousUser, error: str, request_id: str) -> str:
    """The doctor's page for a request, when it may know something and the user may ask; else ""."""
    may_ask = user.has_perm("mizuchi_site.view_diagnoses")  # type: ignore[union-attr]
    if error != "SignatureDoesNotMatch" or not may_ask:
        return ""
    return f"{reverse('admin:diagnoses')}?{urlencode({'request_id': request_id})}"
