"""Requests with a canary in one place each: in the path, a query, a header, a form or a document."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from tests.e2e.wire.canaries import CORE, PERSON
from tests.e2e.wire.client import Request
from tests.e2e.wire.forms import fields, form
from tests.e2e.wire.scene import BODY, Scene
from tests.e2e.wire.signing import UNSIGNED

Build = Callable[[Scene], Request]

_BASIC = base64.b64encode(f"{CORE}:{CORE}".encode()).decode()
_DOCUMENT = (
    "<CompleteMultipartUpload><Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
    "</CompleteMultipartUpload>"
)
_TODAY = f"{datetime.now(UTC):%Y%m%d}"


def metadata(scene: Scene) -> dict[str, str]:
    """What an object may have with it in the storage of this bucket."""
    tagging = {"x-amz-tagging": f"owner={quote(PERSON, safe='')}"} if scene.bucket == "seaweed" else {}
    return {
        "x-amz-meta-owner": PERSON,
        f"x-amz-meta-{CORE}": "1",
        "Content-Type": f"text/{CORE}",
        "Content-Disposition": f'attachment; filename="{PERSON}.pdf"',
        "Content-Language": CORE,
        "Cache-Control": f"private, x={CORE}",
        **tagging,
    }


def described(scene: Scene) -> Request:
    return scene.owner.sign(scene.put(headers=metadata(scene)))


def described_upload(scene: Scene) -> Request:
    return scene.owner.sign(scene.request("POST", query="uploads=", headers=metadata(scene)))


def with_wrong_secret(scene: Scene) -> Request:
    query = f"x-id={quote(PERSON, safe='')}&prefix={CORE}&response-content-type={CORE}"
    request = scene.request("PUT", query=query, headers=metadata(scene), body=BODY)
    return scene.owner.but(secret=f"{CORE}-wrong").sign(request)


def with_wrong_secret_presigned(scene: Scene) -> Request:
    request = scene.request("PUT", query=f"x-id={CORE}", headers={"x-amz-meta-owner": PERSON}, body=BODY)
    return scene.owner.but(secret=f"{CORE}-wrong").presign(request)


def for_another_host(scene: Scene) -> Request:
    """A signature that the doctor finds the cause of: a proxy changed the host."""
    return scene.owner.sign(scene.put(headers={"Host": f"{CORE}.example.org"})).with_headers(
        {"Host": scene.host}
    )


def with_query(method: str, query: str, *, on_bucket: bool = False) -> Build:
    def build(scene: Scene) -> Request:
        path = f"/{scene.bucket}" if on_bucket else scene.path
        return scene.owner.sign(scene.request(method, path, query))

    return build


def with_headers(headers: Mapping[str, str]) -> Build:
    return lambda scene: scene.owner.sign(scene.put(headers=headers))


def authorized_by(value: str) -> Build:
    return lambda scene: scene.put().with_headers({"Authorization": value})


def presigned_with(query: str) -> Build:
    return lambda scene: scene.put().with_query(query)


def at(path: str, method: str = "PUT") -> Build:
    return lambda scene: scene.owner.sign(scene.request(method, path, body=BODY if method == "PUT" else b""))


def at_host(host: str) -> Build:
    return lambda scene: scene.owner.sign(scene.request("PUT", "/key", headers={"Host": host}, body=BODY))


def completing(document: str) -> Build:
    def build(scene: Scene) -> Request:
        upload = scene.upload()
        return scene.owner.sign(
            scene.request("POST", query=f"uploadId={upload}", body=document.replace("@", CORE).encode())
        )

    return build


def form_with(added: Mapping[str, str], *, is_named: bool = True) -> Build:
    def build(scene: Scene) -> Request:
        named = [["starts-with", f"${name}", ""] for name in added] if is_named else []
        return form(scene, {**fields(scene, *named), **added})

    return build


def unsigned(scene: Scene) -> Request:
    return scene.put()


def unknown_key(scene: Scene) -> Request:
    return scene.owner.but(access_key_id=f"AK{CORE.upper()}").sign(scene.put())


def other_region(scene: Scene) -> Request:
    return scene.owner.but(region=CORE, secret=CORE).sign(scene.put())


def other_method(scene: Scene) -> Request:
    return scene.owner.sign(scene.request(CORE.upper()))


def truncated_body(scene: Scene) -> Request:
    return scene.owner.sign(scene.put(headers={"Content-Length": "1000", "x-amz-content-sha256": UNSIGNED}))


ACCEPTED: Mapping[str, Build] = {
    "metadata": described,
    "multipart-metadata": described_upload,
    "presigned": lambda scene: scene.owner.presign(scene.put()),
    "form": lambda scene: form(scene, fields(scene)),
    "form-metadata": form_with({"x-amz-meta-owner": PERSON, "Content-Type": f"text/{CORE}"}),
    "form-redirect": form_with({"success_action_redirect": f"https://{CORE}.example.org/?{PERSON}"}),
    "list-uploads": with_query(
        "GET",
        f"uploads=&prefix={quote(PERSON)}&key-marker={CORE}&delimiter=&upload-id-marker=",
        on_bucket=True,
    ),
}

REFUSED: Mapping[str, Build] = {
    "not-signed": unsigned,
    "wrong-secret": with_wrong_secret,
    "wrong-secret-presigned": with_wrong_secret_presigned,
    "another-host": for_another_host,
    "unknown-access-key": unknown_key,
    "unknown-region": other_region,
    "unknown-method": other_method,
    "bearer": authorized_by(f"Bearer {CORE}.{CORE}.{CORE}"),
    "basic": authorized_by(f"Basic {_BASIC}"),
    "signature-v2": authorized_by(f"AWS {CORE}:{CORE}="),
    "scheme": authorized_by(f"{CORE} {CORE}"),
    "credential": authorized_by(
        f"AWS4-HMAC-SHA256 Credential={CORE}, SignedHeaders={CORE}, Signature={CORE}"
    ),
    "credential-scope": authorized_by(
        f"AWS4-HMAC-SHA256 Credential=AKENDTOEND/{_TODAY}/{CORE}/{CORE}/aws4_request, "
        f"SignedHeaders=host;{CORE}, Signature={CORE}"
    ),
    "session-token": with_headers({"x-amz-security-token": f"{CORE}{CORE}"}),
    "presigned-token": presigned_with(
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={CORE}&X-Amz-Security-Token={CORE}"
        f"&X-Amz-Signature={CORE}"
    ),
    "presigned-v2": presigned_with(f"AWSAccessKeyId={CORE}&Signature={CORE}&Expires=1"),
    "query-token": presigned_with(f"token={CORE}"),
    "date": lambda scene: scene.owner.sign(scene.put()).with_headers({"x-amz-date": CORE}),
    "payload-hash": with_headers({"x-amz-content-sha256": CORE}),
    "content-md5": with_headers({"Content-MD5": CORE}),
    "checksum": with_headers({"x-amz-checksum-crc32": CORE}),
    "checksum-name": with_headers({"x-amz-sdk-checksum-algorithm": CORE}),
    "customer-key": with_headers({"x-amz-server-side-encryption-customer-key": CORE}),
    "copy-source": with_headers({"x-amz-copy-source": f"/{CORE}/{PERSON}"}),
    "grant": with_headers({"x-amz-grant-read": f'emailAddress="{PERSON}"'}),
    "bucket-owner": with_headers({"x-amz-expected-bucket-owner": CORE}),
    "if-match": with_headers({"If-Match": f'"{CORE}"'}),
    "upload-id": with_query("PUT", f"partNumber=1&uploadId={CORE}"),
    "part-number": with_query("PUT", f"partNumber={CORE}&uploadId={CORE}"),
    "version": with_query("PUT", f"versionId={CORE}"),
    "twice": with_query("PUT", f"x-id={CORE}&x-id={CORE}"),
    "subresource": with_query("GET", f"{CORE}={CORE}"),
    "list-objects": with_query("GET", f"list-type=2&prefix={CORE}&start-after={CORE}", on_bucket=True),
    "get-object": with_query("GET", ""),
    "delete-object": with_query("DELETE", ""),
    "head-object": with_query("HEAD", ""),
    "unknown-bucket": at(f"/{CORE}/key"),
    "unknown-bucket-head": at(f"/{CORE}", "HEAD"),
    "create-bucket": at(f"/{CORE}", "PUT"),
    "bucket-of-a-person": at(f"/{quote(PERSON)}/key"),
    "key-control": at(f"/files/{CORE}%01"),
    "key-not-utf-8": at(f"/files/{CORE}%ff"),
    "host-of-bucket": at_host(f"{CORE}.s3.gateway.test"),
    "host-of-a-person": at_host(PERSON),
    "document": completing("@ is no document"),
    "document-entity": completing('<!DOCTYPE @ [<!ENTITY @ "@">]><@>&@;</@>'),
    "document-etag": completing(_DOCUMENT.format(number="1", etag="@")),
    "document-number": completing(_DOCUMENT.format(number="@", etag="e")),
    "form-signature": form_with({"x-amz-signature": CORE}, is_named=False),
    "form-credential": form_with({"x-amz-credential": f"{CORE}/{_TODAY}/us-east-1/s3/aws4_request"}),
    "form-policy": form_with({"policy": CORE}, is_named=False),
    "form-field": form_with({CORE: PERSON}, is_named=False),
    "form-token": form_with({"x-amz-security-token": CORE}),
    "cut-body": truncated_body,
}

#: Refused by some storages only.
EITHER: Mapping[str, Build] = {
    "form-acl": form_with({"acl": CORE}),
    "acl": with_headers({"x-amz-acl": CORE}),
    "unknown-x-amz": with_headers({f"x-amz-{CORE}": CORE}),
}
