"""Requests that minio-go signed, recorded once: a signer that shares no code with botocore."""

import json
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from authz.errors import SignatureDoesNotMatch
from authz.sigv4.authorization import parse_authorization
from authz.sigv4.parts import RequestParts
from authz.sigv4.proof import SignedChunks
from authz.sigv4.scope import epoch_seconds
from authz.sigv4.signing import ChunkSigner
from authz.sigv4.verify import verify

RECORDED = json.loads((Path(__file__).parents[2] / "vectors" / "sigv4" / "minio_go.json").read_text())
REQUESTS = {request["id"]: request for request in RECORDED["requests"]}


def proof_of(request, secret):
    parts = RequestParts(
        method=request["method"],
        path=unquote_to_bytes(request["path"]),
        query=request["query"],
        headers=request["headers"],
        host=request["host"],
    )
    signed = parse_authorization(parts)
    now = epoch_seconds(signed.timestamp)
    return verify(parts, signed, secret, now=now, max_clock_skew_seconds=0)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_recorded_request(request_):
    assert proof_of(request_, RECORDED["secret_access_key"])
    with pytest.raises(SignatureDoesNotMatch):
        proof_of(request_, "another")


@pytest.mark.parametrize("name", ["streaming", "streaming-trailer"])
def test_recorded_chunks(name):
    request = REQUESTS[name]
    proof = proof_of(request, RECORDED["secret_access_key"])
    assert isinstance(proof, SignedChunks)
    signer = ChunkSigner(proof.chain)

    assert len(request["chunks"]) > 2
    for digest, signature in request["chunks"]:
        assert signer.chunk(digest) == signature
    if proof.has_trailer:
        digest = sha256(request["trailer"].encode()).hexdigest()
        assert signer.trailer(digest) == request["trailer_signature"]
