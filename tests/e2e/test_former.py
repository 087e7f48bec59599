"""The paths of the earlier documents worker answer as they did."""

import pytest

from platen import SAMPLES


def check_handle(body):
    assert body["job_id"].startswith("job_") and body["check_status_url"] == f"/api/v1/job/{body['job_id']}"
    assert body["status"] in ("queued", "processing", "completed")


def finished(client, body):
    client.wait(body["job_id"], 60)
    return client.get(body["check_status_url"]).json()


@pytest.mark.parametrize("path, file, form", [
    ("process/document", "report.docx", {}),
    ("process/document", "report.pdf", {"output_format": "markdown"}),
    ("process/image", "photo.jpg", {"output_format": "jpg", "width": "64"}),
    ("process/video", "clip.mp4", {"operation": "thumbnail"}),
    ("extract/async/text", "report.pdf", {}),
    ("extract/async/pdf-range", "report.pdf", {"start_page": "2", "end_page": "2"}),
])
def test_work_in_the_background(client, path, file, form):
    answer = client.post(f"/api/v1/{path}", form=form, files=[file])
    assert answer.status == 202
    check_handle(answer.json())
    job = finished(client, answer.json())
    assert (job["status"], job["progress"]) == ("completed", 100), job
    assert client.get(job["result_url"]).status == 200
    assert job["result"]["duration"] >= 0


def test_text(client):
    got = client.post("/api/v1/extract/text", files=["report.pdf"]).json()
    assert "Harbour Report" in got["text"] and got["source_type"] == "application/pdf"
    assert (got["page_count"], got["char_count"]) == (3, len(got["text"]))
    assert got["word_count"] > 100 and got["metadata"]["title"] and got["extracted_at"]


def test_pages(client):
    every = client.post("/api/v1/extract/pdf-pages", files=["report.pdf"]).json()
    assert [p["page"] for p in every["pages"]] == [1, 2, 3] and every["total_pages"] == 3
    some = client.post("/api/v1/extract/pdf-range", form={"start_page": 2, "end_page": 3}, files=["report.pdf"]).json()
    assert [p["page"] for p in some["pages"]] == [2, 3]
    assert [p["text"] for p in some["pages"]] == [p["text"] for p in every["pages"][1:]]


@pytest.mark.parametrize("path, file", [("ocr/image", "scan.png"), ("ocr/document", "scan.pdf")])
def test_recognition(client, path, file):
    if not (SAMPLES / file).exists():
        file = "scan-turned.png"
    got = client.post(f"/api/v1/{path}", files=[file]).json()
    assert len(got["text"]) > 20 and 0.3 < got["confidence"] <= 1 and got["language"]


def test_files_at_once(client):
    picture = client.post("/api/v1/sync/convert/image", form={"output_format": "png", "width": "32"}, files=["photo.jpg"])
    assert (picture.status, picture.headers["content-type"]) == (200, "image/png")
    page = client.post("/api/v1/sync/convert/document", form={"output_format": "html"}, files=["notes.md"])
    assert (page.status, page.headers["content-type"].split(";")[0]) == (200, "text/html")


def test_what_is_wrong_is_named(client):
    assert client.post("/api/v1/extract/text", form={"colour": "red"}, files=["report.pdf"]).status == 422
    assert client.post("/api/v1/extract/pdf-range", files=["report.pdf"]).json()["errors"]
    assert client.post("/api/v1/extract/text", files=["report.pdf", "report.docx"]).json()["reason"] == "input_missing"
    broken = client.post("/api/v1/extract/text", files=[("a.pdf", b"%PDF-1.4 nothing", "application/pdf")])
    assert broken.status == 422 and broken.json()["hint"]
    assert client.get("/api/v1/job/job_00000000000000").status == 404


def test_stats(client):
    stats = client.get("/api/v1/queue/stats").json()
    assert {"queues", "pending", "active", "failed"} <= set(stats)
