"""The pages of buckets, the policy tester, the signature doctor and the audit log: what each shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from authz.apps import authz_app
from authz.config import PolicyBreakerConfig
from authz.credentials import create_access_key
from authz.models import SignatureDiagnosis
from authz.policy.bucket_policy import BucketPolicy
from authz.policy.guarded import GuardedEngine
from mizuchi_site.audit_log import note_added, note_changed, note_deleted
from tests.authz.policy.fake_engine import DOWN, FakeEngine
from tests.authz.policy.questions import question
from tests.mizuchi_site.bucket_site import answering_opa, configured_buckets
from tests.mizuchi_site.members import client_of

pytestmark = pytest.mark.django_db

ONE, OTHER = "0af7651916cd43dd8448eb211c80319c", "11111111111111111111111111111111"
ASKED = {
    "bucket": "guarded",
    "subject": "anne",
    "operation": "UploadPart",
    "key": "users/anne/a.txt",
    "claims": '{"tier": "gold"}',
    "groups": "staff, other",
    "size": "5",
}


def text_of(answer: Any) -> str:
    """What a page says, without its tags and with one space where there were several."""
    body = answer.content.decode()
    main = body[body.index('id="content-main"') :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def cards(answer: Any) -> list[str]:
    return re.findall(r'<section class="desk-card bucket".*?</section>', answer.content.decode(), re.DOTALL)


def test_a_bucket_is_shown_with_all_that_it_has() -> None:
    with configured_buckets() as site:
        answer = client_of("operator").get(reverse("admin:buckets"))

    assert answer.status_code == 200
    plain, guarded = cards(answer)
    assert "storage answers" in plain
    assert "None: who proves who it is may upload." in plain
    assert f"{reverse('admin:uploads_uploadrecord_changelist')}?bucket=plain" in plain
    assert f"{reverse('admin:traces')}?bucket=plain" in plain
    assert "storage fails" in guarded
    for told in (
        site.endpoint,
        "real-bucket",
        "incoming/",
        "image/*",
        "[a-z]+",
        "https://id.example.org",
        "a shared secret",
        "users/{subject}/",
        "/v1/data/mizuchi/allow",
        "owner, writer",
        "all must allow",
        "refuses with 503",
    ):
        assert told in unescape(guarded), told
    assert [secret for secret in site.secrets if secret in answer.content.decode()] == []


def test_an_engine_that_is_left_alone_is_told_of() -> None:
    with configured_buckets():
        policy = authz_app().authorizer.policies["guarded"]
        down = GuardedEngine(FakeEngine(DOWN), cache_ttl_seconds=60, breaker=PolicyBreakerConfig(failures=1))
        down.ask(question())
        authz_app().authorizer.policies["guarded"] = BucketPolicy(policy.config, [down])  # type: ignore[index]
        told = text_of(client_of("viewer").get(reverse("admin:buckets")))

    assert "policy engine down" in told
    assert "opa is left alone by this worker: opa.example:8181 refuses connections" in told


def ask(**changed: Any) -> Any:
    return client_of("operator").post(reverse("admin:policy_test"), ASKED | changed)


def test_each_engine_answers_in_its_own_words() -> None:
    with answering_opa({"allow": True, "reason": "anne is gold"}) as opa, configured_buckets(opa=opa):
        answer = ask()

    told = text_of(answer)
    assert answer.status_code == 200
    assert "No decision: refused with 503" in told
    assert "opa allow anne is gold" in told
    assert re.search(r"openfga no answer 127\.0\.0\.1:\d+ refuses connections \(connection_refused\)", told)
    assert "is the engine running" in told, "advice"
    assert re.search(r"\d+\.\d ms", told)
    assert opa.questions[0]["groups"] == ["staff", "other"]
    assert opa.questions[0]["claims"] == {"tier": "gold"}


def test_where_engines_cannot_widen_and_where_there_are_none() -> None:
    with configured_buckets():
        assert "Denied deny anne, s3:PutObject" in text_of(ask(key="users/bob/a"))
        assert "Allowed allow anne" in text_of(ask(bucket="plain"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"bucket": "nowhere"}, "Select a valid choice"),
        ({"subject": ""}, "This field is required."),
        ({"claims": "[1]"}, "must be a JSON object"),
        ({"size": "-1"}, "greater than or equal to 0"),
        ({"client_ip": "here"}, "valid IPv4 or IPv6 address"),
        ({"key": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_asked(changed: dict[str, str], said: str) -> None:
    with configured_buckets():
        answer = ask(**changed)

    assert answer.status_code == 400
    assert said in text_of(answer)


def test_the_form_is_filled_by_links_and_asks_nobody() -> None:
    with answering_opa(True) as opa, configured_buckets(opa=opa):
        page = client_of("operator").get(
            reverse("admin:policy_test"), {"bucket": "guarded", "subject": "a<b"}
        )

    assert 'value="a&lt;b"' in page.content.decode()
    assert re.search(r'value="guarded" selected', page.content.decode())
    assert opa.questions == []


def diagnosed(request_id: str, **fields: Any) -> None:
    values = {
        "diagnosed_at": datetime(2026, 11, 25, 12, 0, 5, tzinfo=UTC),
        "access_key_id": "AKNOWHERE",
        "causes": [
            {"kind": "host", "text": "the Host header was changed"},
            {"kind": "clock", "text": "the client's clock is 20 seconds behind"},
        ],
        "canonical_request": "PUT\n/xxxxxxx/<b>",
        "string_to_sign": "AWS4-HMAC-SHA256\n20261125T120000Z",
    }
    SignatureDiagnosis.objects.create(request_id=request_id, **(values | fields))


def doctor(client: Client, **asked: str) -> Any:
    return client.get(reverse("admin:diagnoses"), asked)


def test_a_diagnosis_is_found_by_its_request_id() -> None:
    key, _ = create_access_key("alice")
    diagnosed(ONE, access_key_id=key.access_key_id)
    diagnosed(OTHER, causes=[{"kind": "secret", "text": "the secret key is probably wrong"}])
    client = client_of("operator")

    answer = doctor(client, request_id=f" {ONE.upper()} ")
    told = text_of(answer)
    assert "The Host header was changed." in told
    assert "The client's clock is 20 seconds behind." in told
    assert "server.trusted_proxies" in told
    assert "NTP" in told
    assert "PUT /xxxxxxx/<b>" in told
    assert "2026-11-25 12:00:05" in told
    assert "alice" in told
    assert reverse("admin:authz_accesskey_change", args=[key.pk]) in answer.content.decode()
    assert "probably wrong" not in told


def test_the_latest_are_listed_without_an_id() -> None:
    client = client_of("operator")
    assert "No signature failed lately." in text_of(doctor(client))
    for number in range(55):
        diagnosed(f"{number:032x}")

    first = doctor(client)
    assert f"{54:032x}" in first.content.decode()
    assert f"{4:032x}" not in first.content.decode()
    older = re.findall(r'href="\?(before=\d+)" rel="next"', first.content.decode())
    second = client.get(f"{reverse('admin:diagnoses')}?{older[0]}").content.decode()
    assert [number for number in range(5) if f"?request_id={number:032x}" in second] == [0, 1, 2, 3, 4]


def test_what_is_no_id_and_what_is_not_kept() -> None:
    client = client_of("operator")

    fault = doctor(client, request_id="nonsense")
    assert (fault.status_code, "has 32 hexadecimal digits" in text_of(fault)) == (400, True)
    assert "No diagnosis of this request is kept." in text_of(doctor(client, request_id=ONE))


def test_the_audit_log_says_who_changed_what() -> None:
    client = client_of("admin")
    admin, olga = User.objects.get(username="admin-user"), User.objects.create_user("olga", is_staff=True)
    key, _ = create_access_key("alice")
    note_added(admin, key)
    note_changed(olga, key, ["is_enabled", "note"])
    gone, _ = create_access_key("gone")
    note_deleted(olga, gone)

    def told(**asked: str) -> str:
        return text_of(client.get(reverse("admin:audit"), asked)).partition("Changes, newest first")[2]

    everything = told()
    assert everything.index("deleted") < everything.index("changed") < everything.index("added")
    assert "Changed Is enabled and Note." in everything
    page = client.get(reverse("admin:audit")).content.decode()
    assert reverse("admin:authz_accesskey_change", args=[key.pk]) in page
    assert reverse("admin:authz_accesskey_change", args=[gone.pk]) not in page
    assert "admin-user" not in told(user="olga")
    assert "olga" not in told(action="added")
    assert "access key" in told(kind="authz.accesskey")
    assert "Nobody changed such a thing." in text_of(client.get(reverse("admin:audit"), {"user": "\0x"}))
