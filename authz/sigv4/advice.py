"""What to do about a signature that does not match, by what is wrong. Words for operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

CauseKind = Literal[
    "host", "path", "query", "header", "payload", "method", "region", "secret", "clock", "none"
]

ADVICE: Mapping[CauseKind, str] = {
    "host": (
        "Have the proxy pass the Host header on as the client sent it. If it must not, have it send "
        "X-Forwarded-Host, and name its address in server.trusted_proxies."
    ),
    "path": (
        "Have the proxy pass the path on byte by byte: no prefix taken or added, nothing decoded or encoded "
        "anew, no slashes merged. If there is no proxy, the client's S3 library encodes keys wrongly: "
        "update it."
    ),
    "query": (
        "Have the proxy pass the query on as it is and add nothing. If there is no proxy, the client's S3 "
        "library encodes the query wrongly: update it."
    ),
    "header": (
        "Have the proxy pass signed headers on as they are. Where it must change one, have the client leave "
        "that header unsigned."
    ),
    "payload": (
        "Something on the way changes x-amz-content-sha256 or the body. Have the proxy pass both on, and "
        "switch off compression and scanning of uploads."
    ),
    "method": "Have the proxy pass the method on: caches ask with GET for what clients ask with HEAD.",
    "region": "Set one region in the client, the same for its endpoint and its credentials.",
    "secret": (
        "Compare the client's secret with the one that was shown when the key was made. If that is lost, "
        "make a new key for the same principal, give it to the client, and disable this one."
    ),
    "clock": "Set the clock of the client's machine by NTP. Signatures are good for minutes only.",
    "none": "The request is right now: the client, or something on the way, sent it differently before.",
}
