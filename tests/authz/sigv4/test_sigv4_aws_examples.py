"""The examples of the S3 API reference come out as AWS prints them."""

from hashlib import sha256

import pytest

from authz.errors import SignatureDoesNotMatch
from authz.sigv4.authorization import parse_authorization, parse_post_form
from authz.sigv4.canonical import canonical_request
from authz.sigv4.parts import RequestParts
from authz.sigv4.proof import SignedChunks
from authz.sigv4.signing import ChunkSigner
from authz.sigv4.verify import verify, verify_post_policy

AT = 1369353600.0  # 20130524T000000Z
POST_AT = 1451347200.0  # 20151229T000000Z
REQUESTS = [
    "get-object-range",
    "put-object",
    "get-bucket-lifecycle",
    "list-objects",
    "presigned-get",
    "chunked-upload",
    "chunked-upload-trailer",
]


def example(aws, name):
    found = next(request for request in aws["requests"] if request["id"] == name)
    parts = RequestParts(found["method"], found["path"].encode(), found["query"], found["headers"])
    return found, parts


def verified(aws, name):
    _, parts = example(aws, name)
    signed = parse_authorization(parts)
    return verify(parts, signed, aws["secret_access_key"], now=AT, max_clock_skew_seconds=0)


def test_every_published_request_is_tested(aws):
    assert [request["id"] for request in aws["requests"]] == REQUESTS


@pytest.mark.parametrize("name", REQUESTS)
def test_published_request(aws, name):
    found, parts = example(aws, name)
    signed = parse_authorization(parts)

    request = canonical_request(
        parts, signed.signed_headers, signed.payload_hash, is_presigned=signed.source == "query"
    )

    assert sha256(request.encode()).hexdigest() == found["canonical_request_sha256"]
    assert type(verified(aws, name)).__name__ == found["proof"]


def test_presigned_example_says_when_it_expires(aws):
    signed = parse_authorization(example(aws, "presigned-get")[1])

    assert (signed.source, signed.expires_seconds) == ("query", 86400)


@pytest.mark.parametrize("index", [0, 1], ids=["signed", "signed-with-trailer"])
def test_published_chunks(aws, index):
    chunks = aws["chunks"][index]
    proof = verified(aws, chunks["request"])
    assert isinstance(proof, SignedChunks)
    assert proof.has_trailer is (chunks["trailer"] is not None)
    signer = ChunkSigner(proof.chain)

    made = [signer.chunk(sha256(b"a" * size).hexdigest()) for size in chunks["chunk_bytes"]]

    assert made == chunks["chunk_signatures"]
    if chunks["trailer"] is not None:
        digest = sha256(chunks["trailer"].encode()).hexdigest()
        assert signer.trailer(digest) == chunks["trailer_signature"]


def test_published_post_policy(aws):
    signed = parse_post_form(aws["post"])
    policy = aws["post"]["policy"]

    verify_post_policy(policy, signed, aws["secret_access_key"], now=POST_AT, max_clock_skew_seconds=0)

    assert signed.source == "post"
    with pytest.raises(SignatureDoesNotMatch):
        verify_post_policy(
            policy[:-1] + "5", signed, aws["secret_access_key"], now=POST_AT, max_clock_skew_seconds=0
        )
