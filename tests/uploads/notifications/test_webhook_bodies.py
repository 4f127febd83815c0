"""What receivers get: bodies in both forms, and signatures as the specification has them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_plus

import pytest

from tests.uploads.notifications.webhook_rows import make_event, make_webhook
from uploads.notifications.config import Format, RetrySchedule
from uploads.notifications.event import COMPLETE, PUT, TEST, new_sequencer
from uploads.notifications.outbox import is_wanted
from uploads.notifications.payload import payload
from uploads.notifications.signing import parse_secret, signed_headers

CONTEXT = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "baggage": "a=b"}


def body(form: Format, **fields: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(payload(make_event(**fields), "indexer", form, CONTEXT))
    return read


def test_an_s3_event() -> None:
    (record,) = body("s3", version_id="v1")["Records"]

    assert record["eventVersion"] == "2.1"
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["eventTime"] == "2026-11-30T20:15:00.123Z"
    assert record["responseElements"] == {"x-amz-request-id": "4bf92f3577b34da6a3ce929d0e0e4736"}
    assert record["s3"]["configurationId"] == "indexer"
    assert record["s3"]["bucket"]["name"] == "uploads"
    stored = record["s3"]["object"]
    assert stored["key"] == "incoming/red+flower%2B%C3%A4.jpg"
    assert unquote_plus(stored["key"]) == "incoming/red flower+ä.jpg"
    assert (stored["size"], stored["eTag"]) == (1024, "9b2cf535f27731c974343645a3985328")
    assert stored["versionId"] == "v1"
    assert "versionId" not in body("s3")["Records"][0]["s3"]["object"]


def test_a_cloud_event() -> None:
    event = body("cloudevents")

    assert event["specversion"] == "1.0"
    assert (event["source"], event["type"]) == ("mizuchi:s3/uploads", "mizuchi.s3.ObjectCreated:Put")
    assert event["subject"] == event["data"]["key"] == "incoming/red flower+ä.jpg"
    assert event["traceparent"] == CONTEXT["traceparent"]
    assert "baggage" not in event
    assert event["data"]["versionId"] is None
    assert set(map(type, event.values())) == {str, dict}, "an attribute of a CloudEvent is never null"


def test_a_test_event_is_what_s3_sends() -> None:
    assert body("s3", name=TEST)["Event"] == "s3:TestEvent"
    assert body("cloudevents", name=TEST)["type"] == "mizuchi.s3.TestEvent"


def test_of_two_events_the_later_has_the_greater_sequencer() -> None:
    first, second = new_sequencer(), new_sequencer()
    assert first <= second
    assert len(first) == len(second) == 16


def test_the_example_of_the_standard_webhooks_specification() -> None:
    key = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    sent = b'{"test": 2432232314}'

    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, sent, [key])

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_all_secrets_sign() -> None:
    old, new = bytes(range(24)), bytes(range(32))
    of = {key: signed_headers("i", 1, b"x", [key])["webhook-signature"] for key in (old, new)}

    assert signed_headers("i", 1, b"x", [new, old])["webhook-signature"] == f"{of[new]} {of[old]}"


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_short", "whsec_ÄÄÄÄ", "whsec_" + "A" * 92])
def test_what_is_no_secret(text: str) -> None:
    with pytest.raises(ValueError, match=r"Base64|bytes"):
        parse_secret(text)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, True),
        ({"prefix": "incoming/", "suffix": ".jpg"}, True),
        ({"prefix": "outgoing/"}, False),
        ({"suffix": ".png"}, False),
        ({"events": frozenset({COMPLETE})}, False),
        ({"events": frozenset({COMPLETE, PUT})}, True),
    ],
)
def test_filters(fields: dict[str, Any], wanted: bool) -> None:
    assert is_wanted(make_event(), make_webhook(**fields)) is wanted


def test_waits_double_up_to_the_longest_and_are_shorter_by_lot() -> None:
    retry = RetrySchedule(initial_seconds=5, max_seconds=60)

    assert [retry.delay_seconds(tries, max) for tries in (1, 2, 3, 4, 5, 2000)] == [5, 10, 20, 40, 60, 60]
    assert retry.delay_seconds(3, min) == 10


def test_a_url_is_shown_by_nothing() -> None:
    webhook = make_webhook(url="https://hooks.example.org/secret/path?token=t")

    assert (webhook.host, webhook.port, webhook.target) == (
        "hooks.example.org",
        443,
        "/secret/path?token=t",
    )
    assert "secret" not in repr(webhook)
