"""The admin in a real browser, with the gateway as ``make run`` sets it up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from mizuchi_site.private_files import read_exports
from tests.e2e.gateway import MANAGE, is_ready
from tests.servers.process import free_ports, running_server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

BUCKET = "uploads"
CACHE_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway in use, with an admin and an access key."""

    url: str
    admin_password: str
    s3: S3Client


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("admin")
    var = folder / "var"
    (port,) = free_ports(1)
    environment = {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": "",
        "MIZUCHI_VAR": str(var),
    }
    command = [sys.executable, str(MANAGE), "setup_dev"]
    subprocess.run(command, env=os.environ | environment, check=True, capture_output=True)
    with running_server(
        [sys.executable, MANAGE, "serve", "--bind", f"127.0.0.1:{port}"],
        log=folder / "log",
        is_ready=lambda: is_ready(port),
        environment=environment,
    ):
        url = f"http://127.0.0.1:{port}"
        key = read_exports(var / "dev.env")
        s3 = s3_client(url, key["AWS_ACCESS_KEY_ID"], key["AWS_SECRET_ACCESS_KEY"])
        yield Site(url, (var / "dev-admin.txt").read_text().strip(), s3)


def s3_client(url: str, access_key_id: str, secret_access_key: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


@pytest.fixture
def page(chromium: BrowserContext, site: Site) -> Iterator[Page]:
    """A page where the admin is logged in. Its console must stay empty, its requests on the host."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            faults.append(f"console: {message.text}")

    def leave_nothing(request: Request) -> None:
        if not request.url.startswith((site.url, "data:")):
            faults.append(f"request to {request.url}")

    chromium.clear_cookies()
    page = chromium.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("request", leave_nothing)
    page.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
    page.goto(f"{site.url}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(site.admin_password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Upload records").first.wait_for()
    yield page
    page.close()
    assert faults == []


def expect_keys(page: Page, keys: Sequence[str]) -> None:
    """Waits until the list shows just these keys."""
    from playwright.sync_api import expect

    expect(page.locator("td.field-short_key")).to_have_text(keys)


def search(page: Page, term: str) -> None:
    page.locator("#searchbar").fill(term)
    page.get_by_role("button", name="Search").click()


def put(s3: S3Client, key: str, **more: str) -> str:
    """Uploads; returns the request id."""
    answer = s3.put_object(Bucket=BUCKET, Key=key, Body=b"content", **more)  # type: ignore[arg-type]
    return answer["ResponseMetadata"]["RequestId"]


def test_an_upload_is_found_by_key_and_by_request_id(page: Page, site: Site) -> None:
    put(site.s3, "photos/other.jpg")
    request_id = put(site.s3, "photos/käse & <b>brot</b>.jpg", ContentType="image/jpeg")
    page.get_by_role("link", name="Upload records").first.click()
    page.locator("td.field-short_key", has_text="other.jpg").wait_for()

    for term in ("brot", request_id):
        search(page, term)
        expect_keys(page, ["photos/käse & <b>brot</b>.jpg"])

    page.get_by_role("link", name="photos/käse").click()
    page.get_by_role("heading", name="View upload record").wait_for()
    record = page.locator("#content-main").inner_text()
    for shown in ("Stored", request_id, "photos/käse & <b>brot</b>.jpg", "image/jpeg", "7", "dev"):
        assert shown in record
    assert page.get_by_role("button", name="Save").count() == 0


def test_a_refused_upload_is_found_by_its_error(page: Page, site: Site) -> None:
    put(site.s3, "accepted.txt")
    with pytest.raises(ClientError, match="BadDigest"):
        put(site.s3, "refused.txt", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")

    page.goto(f"{site.url}/admin/uploads/uploadrecord/")
    page.get_by_role("link", name="Failed", exact=True).click()
    page.get_by_role("link", name="BadDigest", exact=True).click()

    expect_keys(page, ["refused.txt"])
    assert page.locator("td.field-error_code").all_inner_texts() == ["BadDigest"]


def test_a_key_is_made_used_and_disabled(page: Page, site: Site) -> None:
    page.get_by_role("link", name="Access keys").first.click()
    page.get_by_role("link", name="Add access key").click()
    page.get_by_label("Principal").fill("camera")
    page.get_by_label("Every bucket").uncheck()
    page.get_by_label(BUCKET, exact=True).check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("it is shown only once").wait_for()
    access_key_id, secret = page.locator(".messagelist code").all_inner_texts()

    page.reload()
    assert secret not in page.content()
    camera = s3_client(site.url, access_key_id, secret)
    put(camera, "from-the-camera.jpg")

    page.get_by_role("row", name=access_key_id).get_by_role("checkbox").check()
    page.get_by_role("combobox", name="Action").select_option(label="Disable the selected access keys")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("Access keys disabled: 1.").wait_for()
    disabled_at = time.monotonic()

    assert "InvalidAccessKeyId" in refusal(camera, until=disabled_at + CACHE_SECONDS)


def refusal(s3: S3Client, *, until: float) -> str:
    """Why an upload is refused; the empty text when none was until then."""
    while time.monotonic() < until:
        try:
            put(s3, "once-more.jpg")
        except ClientError as error:
            return str(error)
        time.sleep(0.2)
    return ""


def test_every_page_is_titled_and_has_its_styles(page: Page, site: Site) -> None:
    put(site.s3, "styled.txt")
    for path in ("", "uploads/uploadrecord/", "authz/accesskey/", "authz/accesskey/add/", "auth/user/"):
        page.goto(f"{site.url}/admin/{path}")
        assert re.search("Mizuchi Uploadr$", page.title())
        header = page.locator("#header")
        assert header.evaluate("e => getComputedStyle(e).display") == "flex"


def test_who_logs_out_is_out(page: Page, site: Site) -> None:
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="Logged out").wait_for()
    page.goto(f"{site.url}/admin/uploads/uploadrecord/")

    assert page.get_by_label("Password").is_visible()
