"""The gateway under the desk's tests, as ``make run`` sets it up, and what clients do with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from mizuchi_site.private_files import read_exports
from tests.e2e.gateway import MANAGE, is_ready
from tests.servers.process import free_ports, running_server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from playwright.sync_api import Page

BUCKET = "uploads"
ADMIN = "admin"
LOGIN_PATH = "/admin/login/"


@dataclass(frozen=True, slots=True)
class Desk:
    """A gateway in use: ``s3`` uploads to it with the key of ``setup_dev``, principal ``dev``."""

    url: str
    admin_password: str
    s3: S3Client
    log: Path

    def cookies(self, username: str = ADMIN, password: str | None = None) -> dict[str, str]:
        """Those of a new session. Raises AssertionError when the login is refused."""
        jar = CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        with opener.open(self.url + LOGIN_PATH) as form:
            (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.read().decode())
        fields = {
            "username": username,
            "password": self.admin_password if password is None else password,
            "csrfmiddlewaretoken": token,
            "next": "/admin/",
        }
        with opener.open(self.url + LOGIN_PATH, urllib.parse.urlencode(fields).encode()):
            cookies = {cookie.name: str(cookie.value) for cookie in jar}
        assert "sessionid" in cookies, f"{username} may not log in"
        return cookies


@contextmanager
def running_desk(folder: Path) -> Iterator[Desk]:
    """Sets up and serves until the block ends. Raises ServerFailed."""
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
        yield Desk(url, (var / "dev-admin.txt").read_text().strip(), s3, folder / "log")


def s3_client(url: str, access_key_id: str, secret_access_key: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        region_name="us-east-1",
        config=Config(
            signature_version="s3v4", retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
        ),
    )


def put(s3: S3Client, key: str, body: bytes = b"content", **more: str) -> str:
    """Uploads; returns the request id."""
    answer = s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)  # type: ignore[arg-type]
    return answer["ResponseMetadata"]["RequestId"]


def search(page: Page, term: str) -> None:
    """Of a list of the admin."""
    page.locator("#searchbar").fill(term)
    page.get_by_role("button", name="Search").click()


def open_trace(page: Page) -> None:
    """Its link is there once the trace is stored, which is within seconds."""
    link = page.get_by_role("link", name="Open its trace")
    for _ in range(40):
        if link.is_visible():
            break
        page.wait_for_timeout(250)
        page.reload()
    link.click()
