"""How the body is proven, by the value of x-amz-content-sha256."""

import pytest

from authz.errors import InvalidPayloadHash, UnsupportedSignature
from authz.sigv4.authorization import CredentialScope
from authz.sigv4.proof import ChunkChain, Sha256Digest, SignedChunks, UnsignedPayload, UnsignedTrailer
from authz.sigv4.signing import signing_key
from authz.sigv4.verify import payload_proof

CHAIN = ChunkChain(
    signing_key=b"the key",
    timestamp="20261105T123015Z",
    scope="20261105/eu-west-1/s3/aws4_request",
    seed_signature="5" * 64,
)
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


@pytest.mark.parametrize("chain", [None, CHAIN], ids=["bearer", "signed"])
@pytest.mark.parametrize(
    ("value", "proof"),
    [
        (None, UnsignedPayload()),
        ("UNSIGNED-PAYLOAD", UnsignedPayload()),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", UnsignedTrailer()),
        ("ab" * 32, Sha256Digest(hex_digest="ab" * 32)),
        ("AB" * 32, Sha256Digest(hex_digest="ab" * 32)),
    ],
)
def test_proofs_that_need_no_key(value, proof, chain):
    assert payload_proof(value, chain) == proof


@pytest.mark.parametrize(("value", "has_trailer"), [(SIGNED, False), (f"{SIGNED}-TRAILER", True)])
def test_signed_chunks(value, has_trailer):
    assert payload_proof(value, CHAIN) == SignedChunks(chain=CHAIN, has_trailer=has_trailer)
    with pytest.raises(UnsupportedSignature, match="signed chunks"):
        payload_proof(value, None)


@pytest.mark.parametrize("chain", [None, CHAIN], ids=["bearer", "signed"])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", UnsupportedSignature),
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", UnsupportedSignature),
        ("STREAMING", InvalidPayloadHash),
        ("", InvalidPayloadHash),
        ("a" * 63, InvalidPayloadHash),
        ("a" * 64 + "\n", InvalidPayloadHash),
    ],
)
def test_refused(value, error, chain):
    with pytest.raises(error):
        payload_proof(value, chain)


def test_a_key_of_one_secret_is_never_the_key_of_another():
    scope = CredentialScope(date="20261105", region="eu-west-1", service="s3")
    keys = {
        signing_key(secret, CredentialScope(date=date, region=region, service="s3"))
        for secret in ("a", "b", "a ", "")
        for date in ("20261105", "20261106")
        for region in ("eu-west-1", "auto", "")
    }

    assert len(keys) == 4 * 2 * 3
    assert signing_key("a", scope) == signing_key("a", scope)
