"""``create_access_key`` and ``reencrypt_access_keys``."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from authz.apps import authz_app
from authz.authentication import configured_authenticator
from authz.config import BucketAuth
from authz.credentials import CredentialStore, create_access_key, secret_box
from authz.encryption import SecretBox, SecretUnreadable
from authz.errors import InvalidAccessKeyId
from authz.models import AccessKey
from authz.sigv4.parts import RequestParts

pytestmark = pytest.mark.django_db

Rotate = Callable[..., None]


def run(name: str, *options: str) -> str:
    said = io.StringIO()
    call_command(name, *options, stdout=said)
    return said.getvalue()


def create(*options: str) -> dict[str, str]:
    made: dict[str, str] = json.loads(run("create_access_key", "--json", *options))
    return made


def signed(made: Mapping[str, str]) -> RequestParts:
    """A PUT of ``/uploads/k`` as botocore signs it with the key."""
    request = AWSRequest("PUT", "https://gateway.example/uploads/k", headers={}, data=b"content")
    credentials = Credentials(made["access_key_id"], made["secret_access_key"])
    S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers["host"] = "gateway.example"
    return RequestParts("PUT", b"/uploads/k", "", headers, "https", "gateway.example")


def test_the_secret_signs_requests_and_is_not_in_the_database() -> None:
    made = create("--principal=alice")

    found = CredentialStore([], secret_box()).find(made["access_key_id"])

    assert found is not None
    assert (found.principal, found.secret) == ("alice", made["secret_access_key"])
    assert made["secret_access_key"] not in repr(AccessKey.objects.values_list())


def test_an_authenticator_takes_what_is_signed_with_it() -> None:
    made = create("--principal=alice", "--bucket=uploads")

    authenticated = configured_authenticator().authenticate(signed(made), "uploads")

    assert authenticated.identity.principal == "alice"
    assert authenticated.identity.scope.names == {"uploads"}


def test_every_option_is_kept(settings: Settings) -> None:
    settings.AUTHZ = replace(settings.AUTHZ, buckets={"uploads": BucketAuth(), "photos": BucketAuth()})

    create(
        "--principal=a b", "--bucket=uploads", "--bucket=photos", "--note=why", "--expires=2100-01-31T12:00Z"
    )

    row = AccessKey.objects.get()
    assert (row.principal, row.buckets, row.note) == ("a b", ["photos", "uploads"], "why")
    assert row.expires_at == datetime(2100, 1, 31, 12, tzinfo=UTC)


def test_without_options_it_is_good_for_every_bucket_for_ever() -> None:
    create("--principal=alice")

    row = AccessKey.objects.get()
    assert (row.buckets, row.expires_at, row.is_usable) == (None, None, True)


def test_people_are_told_to_copy_the_secret() -> None:
    said = run("create_access_key", "--principal=alice")

    row = AccessKey.objects.get()
    secret = secret_box().decrypt(row.access_key_id, row.encrypted_secret)
    assert f"Access key id:     {row.access_key_id}\n" in said
    assert f"Secret access key: {secret}\n" in said
    assert "shown only once" in said


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2100-01-31T12:00:00", 12), ("2100-01-31", 0), ("2100-01-31T12:00:00+02:00", 10)],
    ids=["no-zone", "date", "offset"],
)
def test_a_time_without_a_zone_is_utc_and_a_date_its_beginning(text: str, hour: int) -> None:
    create("--principal=alice", f"--expires={text}")

    assert AccessKey.objects.get().expires_at == datetime(2100, 1, 31, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--bucket=elsewhere", "There is no bucket 'elsewhere'. Known: uploads."),
        ("--expires=tomorrow", "is not an ISO 8601 time"),
        ("--expires=2100-13-01T00:00:00Z", "is not an ISO 8601 time"),
        ("--expires=2001-01-31T00:00:00Z", "is in the past"),
        ("--principal=anonymous", "the name of callers without a key"),
        ("--principal=", "1 to 128 printable ASCII characters"),
        ("--principal=käse", "1 to 128 printable ASCII characters"),
    ],
    ids=["bucket", "word", "month-13", "past", "anonymous", "no-principal", "not-ascii"],
)
def test_what_makes_no_sense_makes_no_key(option: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run("create_access_key", "--principal=alice", option)

    assert not AccessKey.objects.exists()


@pytest.fixture
def rotate(monkeypatch: pytest.MonkeyPatch) -> Rotate:
    """Runs the gateway with these encryption keys from here on."""

    def use(*keys: bytes) -> None:
        monkeypatch.setattr(authz_app(), "secret_box", SecretBox(keys))

    return use


OLD, NEW = os.urandom(32), os.urandom(32)


def test_after_a_rotation_the_old_key_is_needed_no_longer(rotate: Rotate) -> None:
    rotate(OLD)
    made = create("--principal=alice"), create("--principal=bob")
    rotate(NEW, OLD)

    said = run("reencrypt_access_keys")

    assert said == "2 secrets are encrypted with the first key.\n"
    rotate(NEW)
    store = CredentialStore([], secret_box())
    for pair in made:
        found = store.find(pair["access_key_id"])
        assert found is not None
        assert found.secret == pair["secret_access_key"]
        assert configured_authenticator().authenticate(signed(pair), "uploads")


def test_without_the_command_the_old_key_is_needed(rotate: Rotate) -> None:
    rotate(OLD)
    made = create("--principal=alice")
    rotate(NEW)

    with pytest.raises(SecretUnreadable):
        CredentialStore([], secret_box()).find(made["access_key_id"])
    with pytest.raises(InvalidAccessKeyId):
        configured_authenticator().authenticate(signed(made), "uploads")


def test_unreadable_ones_are_named_and_the_others_done(rotate: Rotate) -> None:
    rotate(os.urandom(32))
    lost = create("--principal=alice")
    rotate(OLD)
    kept = create("--principal=bob")
    rotate(NEW, OLD)
    said = io.StringIO()

    with pytest.raises(CommandError, match=f"opens the secrets of: {lost['access_key_id']}. ") as failure:
        call_command("reencrypt_access_keys", stdout=said)

    assert kept["access_key_id"] not in str(failure.value)
    assert said.getvalue() == "1 secrets are encrypted with the first key.\n"
    rotate(NEW)
    found = CredentialStore([], secret_box()).find(kept["access_key_id"])
    assert found is not None
    assert found.secret == kept["secret_access_key"]


def test_it_can_be_run_again(rotate: Rotate) -> None:
    rotate(NEW, OLD)
    row, secret = create_access_key("alice", expires_at=timezone.now())
    run("reencrypt_access_keys")
    run("reencrypt_access_keys")

    row.refresh_from_db()
    rotate(NEW)
    assert secret_box().decrypt(row.access_key_id, row.encrypted_secret) == secret
