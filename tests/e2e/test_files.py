"""Outputs, documents and blobs: what goes in comes out, in whole or in part."""

import hashlib
import re

import pytest

TEXT = bytes(range(256)) * 40
HASH = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture(scope="module")
def files(shared):
    """The same bytes under every path that serves files."""
    client = shared.client()
    blob = client.post("/api/v1/blobs", body=TEXT, headers={"Content-Type": "application/x-test"}).json()
    assert (blob["blob"], blob["bytes"]) == (HASH, len(TEXT))
    document = client.post("/api/v1/documents", files=[("data.bin", TEXT, "application/x-test")]).json()["documents"][0]
    return {"blob": f"/api/v1/blobs/{HASH}", "document": f"/api/v1/documents/{document['id']}/content"}


@pytest.fixture(params=["blob", "document"])
def path(request, files):
    return files[request.param]


@pytest.mark.parametrize("header, start, end", [
    ("bytes=0-0", 0, 1), ("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-100", len(TEXT) - 100, None),
    (f"bytes={len(TEXT) - 1}-", len(TEXT) - 1, None), ("bytes=10-999999", 10, None), (f"bytes=-{len(TEXT) * 2}", 0, None),
])
def test_ranges(client, path, header, start, end):
    answer = client.get(path, headers={"Range": header})
    want = TEXT[start:end]
    assert answer.status == 206 and answer.body == want
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(want) - 1}/{len(TEXT)}"
    assert answer.headers["content-length"] == str(len(want))


@pytest.mark.parametrize("header", [f"bytes={len(TEXT)}-", "bytes=-0", "bytes=999999-1000000"])
def test_ranges_outside(client, path, header):
    answer = client.get(path, headers={"Range": header})
    assert (answer.status, answer.json()["reason"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(TEXT)}"


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=1-2,5-6", "bytes=", "bytes=--5"])
def test_ranges_that_are_ignored(client, path, header):
    answer = client.get(path, headers={"Range": header})
    assert answer.status == 200 and answer.body == TEXT


def test_conditional_requests(client, path):
    etag = client.get(path).headers["etag"]
    assert etag == f'"{HASH}"'
    for condition in (etag, f'"other", {etag}', "*", f"W/{etag}"):
        answer = client.get(path, headers={"If-None-Match": condition})
        assert answer.status == 304 and answer.body == b"" and answer.headers["etag"] == etag
    assert client.get(path, headers={"If-None-Match": '"other"'}).status == 200
    assert client.get(path, headers={"Range": "bytes=0-3", "If-Range": etag}).status == 206
    assert client.get(path, headers={"Range": "bytes=0-3", "If-Range": '"other"'}).body == TEXT


def test_head_is_get_without_the_body(client, path):
    get, head = client.get(path), client.head(path)
    assert head.status == 200 and head.body == b""
    ignore = {"date", "x-trace-id"}
    assert {k: v for k, v in get.headers.items() if k not in ignore} == {k: v for k, v in head.headers.items() if k not in ignore}
    assert head.headers["content-length"] == str(len(TEXT))


def test_downloads_are_attachments_and_not_guessed_at(client, files):
    answer = client.get(files["document"])
    assert answer.type == "application/x-test" and answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == 'attachment; filename="data.bin"'
    name = 'böse"; rm\\\r\n.txt'
    doc = client.post("/api/v1/documents", body=b"x", headers={
        "Content-Type": "multipart/form-data; boundary=b"}, check=False)
    assert doc.status == 400
    doc = client.post("/api/v1/documents", files=[("größe 100%.txt", b"x")]).json()["documents"][0]
    header = client.get(f"/api/v1/documents/{doc['id']}/content").headers["content-disposition"]
    assert header.endswith("filename*=UTF-8''gr%C3%B6%C3%9Fe%20100%25.txt") and "\n" not in header, name


def test_an_html_file_cannot_run_here(client):
    """A document is shown under the policy of the API: no script, even when a browser opens it."""
    doc = client.post("/api/v1/documents", files=[("evil.html", b"<script>alert(1)</script>", "text/html")]).json()["documents"][0]
    answer = client.get(f"/api/v1/documents/{doc['id']}/content")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_outputs(client):
    job = client.run("image.convert", {"format": "webp", "width": 64}, files=["picture.png"])
    assert job["state"] == "done", job
    out, path = job["outputs"][0], f"/api/v1/jobs/{job['id']}/outputs/0"
    answer = client.get(path)
    assert answer.type == out["type"] == "image/webp" and len(answer.body) == out["bytes"]
    assert hashlib.sha256(answer.body).hexdigest() == out["blob"] == answer.headers["etag"].strip('"')
    assert answer.body[:4] == b"RIFF" and answer.body[8:12] == b"WEBP"
    assert client.get(path, headers={"Range": "bytes=8-11"}).body == b"WEBP"
    assert client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status == 304
    assert client.head(path).headers["content-length"] == str(out["bytes"])
    assert client.get(f"/api/v1/blobs/{out['blob']}").body == answer.body  # by its hash, too
    for index in ("1", "-1", "x", "99999999999999999999"):
        assert client.get(f"/api/v1/jobs/{job['id']}/outputs/{index}").status == 404


def test_an_output_can_be_the_next_input(client):
    first = client.run("archive.extract", {"match": ["*.md"]}, files=["bundle.zip"])
    out = first["outputs"][0]
    job = client.post("/api/v1/steps/file.detect", json={"inputs": [{"blob": out["blob"], "name": out["name"]}], "wait": 30}).json()
    assert job["state"] == "done" and job["inputs"][0]["blob"] == out["blob"]


def test_the_inputs_of_a_job_are_blobs_of_the_project(client):
    """Named by the project from the start: they can be fetched, are in backups, and the sweep keeps them."""
    data = b"an input that nobody uploaded before\n"
    job = client.start("file.detect", files=[("a.txt", data)], delay_ms=3600000).json()
    assert client.get(f"/api/v1/blobs/{job['inputs'][0]['blob']}").body == data
    client.post(f"/api/v1/jobs/{job['id']}/cancel")


# --- documents ---

def test_a_document_from_birth_to_death(client):
    answer = client.post("/api/v1/documents", files=[("a.txt", b"first", "text/plain"), ("b.txt", b"second")])
    assert answer.status == 201
    a, b = answer.json()["documents"]
    assert (a["name"], a["type"], a["bytes"]) == ("a.txt", "text/plain", 5) and b["bytes"] == 6
    assert client.get(f"/api/v1/documents/{a['id']}").json() == a
    listed = client.get("/api/v1/documents", {"limit": 200}).json()["documents"]
    assert a in listed and b in listed
    answer = client.delete(f"/api/v1/documents/{a['id']}")
    assert answer.status == 204 and answer.body == b""
    for answer in (client.get(f"/api/v1/documents/{a['id']}"), client.get(f"/api/v1/documents/{a['id']}/content"),
                   client.delete(f"/api/v1/documents/{a['id']}"),
                   client.post("/api/v1/steps/file.detect", json={"inputs": [{"document": a["id"]}]})):
        assert (answer.status, answer.json()["reason"]) == (404, "not_found")
    assert client.get(f"/api/v1/documents/{b['id']}/content").body == b"second"


def test_a_raw_body_is_a_document_too(client):
    answer = client.post("/api/v1/documents", body=b"raw bytes", headers={"Content-Type": "text/plain"})
    doc = answer.json()["documents"][0]
    assert answer.status == 201 and doc["name"] and doc["type"] == "text/plain"
    assert client.get(f"/api/v1/documents/{doc['id']}/content").body == b"raw bytes"


def test_no_file_is_said(client):
    for answer in (client.post("/api/v1/documents", form={"a": "b"}), client.post("/api/v1/documents"),
                   client.post("/api/v1/blobs", form={"a": "b"})):
        assert (answer.status, answer.json()["reason"]) == (422, "input_missing"), answer


def test_documents_are_paged(new_server):
    client = new_server().client()
    made = [client.post("/api/v1/documents", files=[(f"{i}.txt", b"%d" % i)]).json()["documents"][0]["id"] for i in range(7)]
    seen, cursor = [], {}
    while True:
        page = client.get("/api/v1/documents", {"limit": 3, **cursor}).json()
        seen += [d["id"] for d in page["documents"]]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    assert seen == made[::-1]
    assert client.get("/api/v1/documents", {"cursor": "job_06y3vvspw0000"}).status == 400


def test_documents_with_an_idempotency_key(client):
    head = {"Idempotency-Key": "doc-1"}
    first = client.post("/api/v1/documents", files=[("a.txt", b"once")], headers=head)
    again = client.post("/api/v1/documents", files=[("a.txt", b"once")], headers=head)
    assert first.status == again.status == 201 and first.json() == again.json()
    assert len([d for d in client.get("/api/v1/documents", {"limit": 200}).json()["documents"] if d in first.json()["documents"]]) == 1
    for files in ([("a.txt", b"other")], [("b.txt", b"once")], [("a.txt", b"once", "text/plain")]):
        other = client.post("/api/v1/documents", files=files, headers=head)
        assert (other.status, other.json()["reason"]) == (422, "idempotency_mismatch"), files


def test_an_empty_file_is_a_file(client):
    doc = client.post("/api/v1/documents", files=[("empty", b"")]).json()["documents"][0]
    assert doc["bytes"] == 0 and doc["blob"] == hashlib.sha256(b"").hexdigest()
    answer = client.get(f"/api/v1/documents/{doc['id']}/content")
    assert answer.status == 200 and answer.body == b""
    assert client.get(f"/api/v1/documents/{doc['id']}/content", headers={"Range": "bytes=0-0"}).status == 416


# --- blobs ---

def test_the_same_bytes_are_one_blob(client):
    first = client.post("/api/v1/blobs", files=[("a.txt", b"same", "text/plain")])
    assert first.status == 201 and first.json()["name"] == "a.txt" and first.json()["type"] == "text/plain"
    second = client.post("/api/v1/blobs", body=b"same")
    assert first.json()["blob"] == second.json()["blob"] == hashlib.sha256(b"same").hexdigest()


@pytest.mark.parametrize("name", ["0" * 64, HASH[:-1], HASH.upper(), HASH + "0", "..%2f..%2fplaten.db", "%2e%2e", "x"])
def test_no_such_blob(client, name):
    answer = client.get(f"/api/v1/blobs/{name}")
    assert answer.status in (400, 404), answer


def test_a_large_upload_is_streamed_to_disk(client, server):
    """64 MB go through without the server growing by as much."""
    def resident():
        with open(f"/proc/{server.pid}/status") as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) * 1024
    size, piece = 64 * 1024 * 1024, b"\0" * (1024 * 1024)
    before = resident()
    digest = hashlib.sha256()
    for _ in range(size // len(piece)):
        digest.update(piece)
    blob = client.post("/api/v1/blobs", body=iter([piece] * 64), headers={"Content-Length": str(size)}).json()
    assert (blob["bytes"], blob["blob"]) == (size, digest.hexdigest())
    assert client.get(f"/api/v1/blobs/{blob['blob']}", headers={"Range": f"bytes={size - 5}-"}).body == b"\0" * 5
    assert resident() - before < 32 * 1024 * 1024
