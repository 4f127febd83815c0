from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from authz.config import ConfiguredKey
from authz.credentials import CredentialStore, create_access_key, secret_box
from authz.encryption import SecretBox, SecretUnreadable
from authz.identity import BucketScope
from authz.models import AccessKey

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> CredentialStore:
    configured = ConfiguredKey("AKCONFIG", "ci", "configured-secret", BucketScope(frozenset({"uploads"})))
    return CredentialStore([configured], secret_box(), ttl_seconds=5, max_entries=3, clock=clock)


def test_a_configured_key_is_found_without_the_database(
    store: CredentialStore, django_assert_num_queries
) -> None:
    with django_assert_num_queries(0):
        found = store.find("AKCONFIG")

    assert found is not None
    assert (found.principal, found.secret, found.scope.allows("other")) == ("ci", "configured-secret", False)


def test_a_created_key_is_found_with_its_secret(store: CredentialStore) -> None:
    row, secret = create_access_key("alice", buckets=["a", "b"])

    found = store.find(row.access_key_id)

    assert found is not None
    assert (found.principal, found.secret) == ("alice", secret)
    assert found.scope == BucketScope(frozenset({"a", "b"}))


def test_the_secret_is_not_in_the_database_nor_in_any_repr(store: CredentialStore) -> None:
    row, secret = create_access_key("alice")

    stored = AccessKey.objects.filter(pk=row.pk).values_list()[0]

    assert secret not in repr(stored)
    assert secret not in repr(store.find(row.access_key_id))


def test_one_query_for_many_requests_until_the_time_is_over(
    store: CredentialStore, clock: Clock, django_assert_num_queries
) -> None:
    row, _ = create_access_key("alice")
    store.find(row.access_key_id)

    with django_assert_num_queries(0):
        store.find(row.access_key_id)
    clock.now = 5.1
    with django_assert_num_queries(1):
        store.find(row.access_key_id)


def test_a_disabled_key_stops_working_within_the_time(store: CredentialStore, clock: Clock) -> None:
    row, _ = create_access_key("alice")
    assert store.find(row.access_key_id) is not None

    AccessKey.objects.filter(pk=row.pk).update(is_enabled=False)
    clock.now = 5.1

    assert store.find(row.access_key_id) is None


def test_an_expired_key_is_not_found_even_from_the_cache(
    store: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, _ = create_access_key("alice", expires_at=timezone.now() + timedelta(seconds=60))
    assert store.find(row.access_key_id) is not None

    later = timezone.now() + timedelta(seconds=61)
    monkeypatch.setattr("authz.credentials.timezone.now", lambda: later)

    assert store.find(row.access_key_id) is None


def test_unknown_ids_fill_no_memory(store: CredentialStore) -> None:
    for number in range(10):
        assert store.find(f"unknown-{number}") is None

    assert len(store._cache) == 3


def test_use_is_noted_once_a_minute(store: CredentialStore, clock: Clock) -> None:
    row, _ = create_access_key("alice")
    store.find(row.access_key_id)
    row.refresh_from_db()
    first = row.last_used_at
    assert first is not None

    clock.now = 6
    store.find(row.access_key_id)
    row.refresh_from_db()

    assert row.last_used_at == first


def test_a_secret_moved_to_another_row_does_not_open() -> None:
    one, _ = create_access_key("alice")
    other, _ = create_access_key("mallory")
    AccessKey.objects.filter(pk=other.pk).update(encrypted_secret=one.encrypted_secret)

    with pytest.raises(SecretUnreadable):
        CredentialStore([], secret_box()).find(other.access_key_id)


def test_rotation_keeps_the_secret_and_needs_the_old_key_no_longer() -> None:
    old, new = os.urandom(32), os.urandom(32)
    sealed = SecretBox([old]).encrypt("AK", "s3cret")

    rotated = SecretBox([new, old]).rotate("AK", sealed)

    assert SecretBox([new]).decrypt("AK", rotated) == "s3cret"
    with pytest.raises(SecretUnreadable):
        SecretBox([new]).decrypt("AK", sealed)
