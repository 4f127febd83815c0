"""The upload page: who may see it, which buckets it offers, and the bundle that it brings along."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import Settings

from authz.config import BucketAuth
from mizuchi_site.desk.upload_page import OpenBucket, open_buckets
from uploads.config import BucketConfig, Limits

SITE = Path(__file__).resolve().parents[3] / "mizuchi_site"
BUNDLE = SITE / "static" / "vendor" / "uppy"
URL = "/admin/upload/"


def login(client: Client, role: str) -> Client:
    user = User.objects.create_user(f"{role}-user", password="x" * 20, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return client


def configure(settings: Settings, **rules: BucketAuth) -> None:
    limits = Limits(max_object_bytes=10, content_types=("image/*", "text/plain"))
    buckets = tuple(BucketConfig(name, "local", name, limits=limits) for name in rules)
    settings.UPLOADS = dataclasses.replace(settings.UPLOADS, buckets=buckets)
    settings.AUTHZ = dataclasses.replace(settings.AUTHZ, buckets=rules)


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 200), ("admin", 200)])
def test_who_may_upload_sees_it(client: Client, role: str, status: int) -> None:
    assert login(client, role).get(URL).status_code == status


@pytest.mark.django_db
def test_it_offers_what_is_open_with_its_limits(client: Client, settings: Settings) -> None:
    configure(settings, open=BucketAuth(browser_upload=True), closed=BucketAuth())
    page = login(client, "operator").get(URL).content.decode()
    assert re.findall(r'<option value="(\w+)"', page) == ["open"]
    assert 'data-max-object-bytes="10"' in page
    assert 'data-content-types="image/* text/plain"' in page


@pytest.mark.django_db
def test_without_an_open_bucket_it_says_what_opens_one(client: Client, settings: Settings) -> None:
    configure(settings, closed=BucketAuth())
    page = login(client, "operator").get(URL).content.decode()
    assert "browser_upload: true" in page
    assert "<option" not in page


@pytest.mark.django_db
def test_links_are_for_who_may_follow_them(client: Client) -> None:
    user = User.objects.create_user("only-uploads", password="x" * 20, is_staff=True)
    operator = Group.objects.get(name="operator")
    user.user_permissions.add(operator.permissions.get(codename="upload_in_browser"))
    client.force_login(user)
    page = client.get(URL).content.decode()
    assert "REQUEST_ID" not in page
    client.force_login(User.objects.create_superuser("root", password="x" * 20))
    assert client.get(URL).content.decode().count("REQUEST_ID") == 2


def test_a_folder_for_everybody_is_shown_as_it_is_asked_for(settings: Settings) -> None:
    configure(settings, open=BucketAuth(browser_upload=True, key_template="users/{subject}/in/"))
    assert [bucket.own_folder for bucket in open_buckets("user:ann/a")] == ["users/user:ann%2Fa/in/"]
    assert isinstance(open_buckets("user:x")[0], OpenBucket)


def test_the_bundle_is_of_its_sources() -> None:
    """After a change of the sources: make upload-page."""
    for line in (BUNDLE / "SOURCES.sha256").read_text().splitlines():
        digest, _, name = line.partition("  ")
        content = (SITE / "upload_page" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, f"{name} changed; run: make upload-page"


def test_the_bundle_needs_nothing_that_the_content_policy_forbids() -> None:
    code = (BUNDLE / "uppy.min.js").read_text()
    assert not re.search(r"\beval\(|\bimport\(", code)
    styles = (BUNDLE / "uppy.min.css").read_text()
    assert "@import" not in styles
    assert set(re.findall(r"url\(\"?(\w+:)", styles)) <= {"data:"}


def test_every_package_in_the_bundle_has_its_licence() -> None:
    licences = (BUNDLE / "LICENSES.txt").read_text()
    for package in ("@uppy/core", "@uppy/dashboard", "preact", "lodash"):
        assert re.search(rf"^{package} \d+\.\d+\.\d+ \(MIT\)$", licences, re.MULTILINE)
