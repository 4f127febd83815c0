"""The page to upload files in the browser."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.desk.running import BUCKET, Desk
from tests.e2e.desk.watched_page import expect_accessible, shots

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response, Route

MIB = 1024**2
_DROP = """([input, area]) => {
  const dropped = new DataTransfer();
  for (const file of input.files) dropped.items.add(file);
  for (const type of ["dragenter", "dragover", "drop"]) {
    area.dispatchEvent(new DragEvent(type, {dataTransfer: dropped, bubbles: true, cancelable: true}));
  }
}"""


class Requests:
    """What the page's S3 requests were answered."""

    def __init__(self, page: Page) -> None:
        self.answers: list[Response] = []
        page.on("response", self._note)

    def _note(self, answer: Response) -> None:
        if urlsplit(answer.url).path.startswith(f"/{BUCKET}/"):
            self.answers.append(answer)

    def parts(self) -> list[int]:
        """The numbers of the parts that arrived, in order of their number."""
        return sorted(
            int(query["partNumber"][0])
            for answer in self.answers
            if "partNumber" in (query := parse_qs(urlsplit(answer.url).query)) and answer.ok
        )

    def aborted(self) -> list[int]:
        """With which status each AbortMultipartUpload was answered."""
        return [answer.status for answer in self.answers if answer.request.method == "DELETE"]

    def ids(self) -> set[str]:
        return {answer.headers["x-amz-request-id"] for answer in self.answers}


@pytest.fixture
def upload_page(page: Page, desk: Desk) -> Iterator[Page]:
    page.goto(f"{desk.url}/admin/upload/")
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    page.reload()
    page.get_by_text("Drop files here or").wait_for()
    yield page
    page.unroute_all(behavior="ignoreErrors")


def stored(desk: Desk, key: str) -> bytes:
    """What the storage holds, read past the gateway."""
    return (desk.log.parent / "var" / "objects" / BUCKET / key).read_bytes()


def file_of(folder: Path, name: str, size: int) -> Path:
    file = folder / name
    file.write_bytes(os.urandom(size))
    return file


def drop(page: Page, file: Path) -> None:
    """Drags the file onto the page, as far as a page's own events can."""
    page.evaluate(
        "() => document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'd'}))"
    )
    page.locator("#d").set_input_files(file)
    area = page.locator(".uppy-Dashboard-AddFiles").element_handle()
    page.evaluate(_DROP, [page.locator("#d").element_handle(), area])
    page.evaluate("() => document.getElementById('d').remove()")


def choose(page: Page, file: Path) -> None:
    page.locator("input.uppy-Dashboard-input").first.set_input_files(file)


def begin(page: Page, file: Path) -> None:
    choose(page, file)
    page.get_by_role("button", name="Upload 1 file").click()


def result(page: Page, key: str) -> dict[str, str]:
    """The facts of a stored object, once it is shown."""
    item = page.locator("#upload-results li", has_text=f"{BUCKET}/{key}")
    item.wait_for()
    names, texts = item.locator("dt").all_inner_texts(), item.locator("dd").all_inner_texts()
    return dict(zip(names, texts, strict=True))


def record_shown(page: Page, key: str) -> str:
    """The text of the upload's record, reached by the link of the result."""
    page.locator("#upload-results li", has_text=key).get_by_role("link", name="Upload record").click()
    page.get_by_role("link", name=key.rpartition("/")[2]).first.click()
    page.get_by_text("user:admin").first.wait_for()
    return page.locator("#content-main").inner_text()


def test_a_small_file_goes_in_one_piece(upload_page: Page, desk: Desk, tmp_path: Path) -> None:
    page, requests = upload_page, Requests(upload_page)
    expect_accessible(page)
    shots(page, "upload-empty")
    file = file_of(tmp_path, "käse & brot #1.txt", 1000)
    page.get_by_label("Folder").fill("/in/deep/")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="browse files").press("Enter")
    chooser.value.set_files(file)
    button = page.get_by_role("button", name="Upload 1 file")
    button.wait_for()
    expect_accessible(page)
    shots(page, "upload-chosen")
    button.press("Enter")

    key = f"in/deep/{file.name}"
    facts = result(page, key)
    assert stored(desk, key) == file.read_bytes()
    assert [answer.request.method for answer in requests.answers] == ["PUT"]
    assert requests.ids() == {facts["Request id"]}
    expect_accessible(page)
    shots(page, "upload-stored")
    assert facts["Request id"] in record_shown(page, key)


def test_a_large_file_is_dropped_paused_and_gone_on_with_after_a_reload(
    upload_page: Page, desk: Desk, tmp_path: Path
) -> None:
    page, requests = upload_page, Requests(upload_page)
    file = file_of(tmp_path, "large.bin", 30 * MIB)
    held: list[Route] = []
    page.route(re.compile("partNumber=3&"), lambda route: held.append(route))

    drop(page, file)
    page.get_by_role("button", name="Upload 1 file").click()
    until(page, lambda: requests.parts() == [1, 2, 4] and len(held) == 1)
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_text("Paused: ").wait_for()
    shots(page, "upload-paused")
    page.get_by_role("button", name="Resume", exact=True).click()
    until(page, lambda: len(held) == 2)

    page.reload()
    page.get_by_text("Begun here before").wait_for()
    expect_accessible(page)
    shots(page, "upload-unfinished")
    page.unroute_all(behavior="ignoreErrors")
    page.locator("#upload-unfinished input[type=file]").set_input_files(file)

    facts = result(page, file.name)
    assert page.locator("#upload-unfinished").is_hidden()
    assert stored(desk, file.name) == file.read_bytes()
    assert requests.parts() == [1, 2, 3, 4], "each part arrived, and none twice"
    assert requests.ids() == {facts["Request id"]}, "all requests are one trace"
    assert facts["ETag"].endswith("-4")
    record = record_shown(page, file.name)
    assert facts["Request id"] in record
    page.go_back()


def test_an_upload_can_be_cancelled_or_discarded_and_no_other_file_goes_on_with_it(
    upload_page: Page, desk: Desk, tmp_path: Path
) -> None:
    page, requests = upload_page, Requests(upload_page)
    file = file_of(tmp_path, "left.bin", 9 * MIB)
    page.route(re.compile("partNumber=2&"), lambda route: None)

    begin(page, file)
    until(page, lambda: requests.parts() == [1])
    page.get_by_role("button", name="Cancel").first.click()
    until(page, lambda: requests.aborted() == [204])
    assert page.locator("#upload-unfinished").is_hidden()

    begin(page, file)
    until(page, lambda: requests.parts() == [1, 1])
    page.reload()
    other = file_of(tmp_path, "other.bin", 9 * MIB)
    page.locator("#upload-unfinished input[type=file]").set_input_files(other)
    page.get_by_text("This is another file").wait_for()
    page.get_by_role("button", name="Discard left.bin").click()
    page.locator("#upload-unfinished").wait_for(state="hidden")

    assert requests.aborted() == [204, 204]
    page.goto(f"{desk.url}/admin/uploads/uploadrecord/?q=left.bin")
    assert page.locator("#content-main").inner_text().count("Aborted") >= 2


def test_what_cannot_be_a_key_is_said_before_anything_is_sent(upload_page: Page, tmp_path: Path) -> None:
    page, requests = upload_page, Requests(upload_page)
    page.get_by_label("Folder").fill("a/../b")
    page.get_by_text('The folder has "." or ".." as a folder or name.').wait_for()
    begin(page, file_of(tmp_path, "x.txt", 1))
    page.get_by_text('x.txt has "." or ".."').first.wait_for()
    assert requests.answers == []


@pytest.fixture
def failing_page(upload_page: Page, desk: Desk) -> Iterator[Page]:
    """One whose console may tell of requests that failed."""
    page = upload_page.context.new_page()
    page.goto(f"{desk.url}/admin/upload/")
    yield page
    page.close()


def test_a_part_that_fails_for_a_moment_is_sent_again(failing_page: Page, desk: Desk, tmp_path: Path) -> None:
    page, requests = failing_page, Requests(failing_page)
    failed = []

    def fail_once(route: Route) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route)
            route.fulfill(status=503)

    page.route(re.compile("partNumber=2&"), fail_once)
    file = file_of(tmp_path, "again.bin", 9 * MIB)
    begin(page, file)
    result(page, file.name)
    assert stored(desk, file.name) == file.read_bytes()
    assert requests.parts() == [1, 2]


def test_what_the_gateway_refuses_is_told_with_the_request_id(
    failing_page: Page, desk: Desk, tmp_path: Path
) -> None:
    page, requests = failing_page, Requests(failing_page)
    file = file_of(tmp_path, "refused.txt", 1)
    page.get_by_label("Folder").fill("a//b")
    begin(page, file)
    page.locator("#upload-failures li", has_text="refused.txt").wait_for()
    told = page.locator("#upload-failures li").inner_text()
    assert "InvalidArgument" in told
    assert f"request id {requests.ids().pop()}" in told
    expect_accessible(page)
    shots(page, "upload-refused")
    page.get_by_label("Folder").fill("a/b")
    page.get_by_role("button", name="Retry upload").first.click()
    result(page, "a/b/refused.txt")
    assert page.locator("#upload-failures").is_hidden()
    assert stored(desk, "a/b/refused.txt") == file.read_bytes()


def until(page: Page, holds: Any, milliseconds: int = 20_000) -> None:
    """Waits, while the page goes on."""
    for _ in range(milliseconds // 50):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to that")
