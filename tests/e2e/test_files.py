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


# --- names, tags, versions ---

def document(client, name="note.txt", data=b"one", kind="text/plain"):
    return client.post("/api/v1/documents", files=[(name, data, kind)]).json()["documents"][0]


def test_renaming_and_tagging(client):
    doc = document(client, "Quarter Report.txt")
    path = f"/api/v1/documents/{doc['id']}"
    assert (doc["tags"], doc["version"], doc["revision"]) == ([], 1, 1)
    answer = client.request("PATCH", path, json={"name": "Jahresbericht Übersicht.txt", "tags": ["tax", "draft", "tax"]},
                            headers={"If-Match": client.get(path).headers["etag"]})
    doc = answer.json()
    assert answer.status == 200 and doc["tags"] == ["draft", "tax"] and doc["revision"] == 2
    assert answer.headers["etag"] == '"2"' and client.get(path).json() == doc
    ids = lambda **q: [d["id"] for d in client.get("/api/v1/documents", q).json()["documents"]]
    assert doc["id"] in ids(q="jahr übers") and doc["id"] in ids(tag="tax") and doc["id"] in ids(q="draft", type="document")
    assert doc["id"] not in ids(q="quarter") and doc["id"] not in ids(type="image") and doc["id"] not in ids(tag="ta")
    assert {"tag": "tax", "documents": 1} in client.get("/api/v1/tags").json()["tags"]
    stale = client.request("PATCH", path, json={"name": "x"}, headers={"If-Match": '"1"'})
    assert (stale.status, stale.json()["reason"]) == (412, "precondition_failed")
    for body in ({"name": ""}, {"name": "a/b"}, {"tags": ["a,b"]}, {"tags": [""]}, {"nonsense": 1}):
        assert client.request("PATCH", path, json=body).status == 422, body
    assert client.request("PATCH", path, json={"tags": []}).json()["tags"] == []
    assert client.request("PATCH", path, json={}).json()["name"] == "Jahresbericht Übersicht.txt"


def test_versions(client):
    doc = document(client, data=b"one")
    path = f"/api/v1/documents/{doc['id']}"
    put = client.request("PUT", path + "/content", body=b"two", headers={"Content-Type": "text/plain", "If-Match": '"1"'})
    assert put.status == 200 and (put.json()["version"], put.json()["bytes"]) == (2, 3), put
    assert client.get(path + "/content").body == b"two"
    assert client.get(path + "/content", {"version": 1}).body == b"one"
    assert client.get(path + "/content", {"version": 3}).status == 404
    versions = client.get(path + "/versions").json()["versions"]
    assert [(v["version"], v["current"]) for v in versions] == [(2, True), (1, False)]
    stale = client.request("PUT", path + "/content", body=b"three", headers={"Content-Type": "text/plain", "If-Match": '"1"'})
    assert (stale.status, stale.json()["reason"]) == (412, "precondition_failed")
    back = client.post(path + "/versions/1/restore")
    assert back.status == 200 and back.json()["version"] == 3 and client.get(path + "/content").body == b"one"
    page = client.get(path + "/versions", {"limit": 2}).json()
    assert [v["version"] for v in page["versions"]] == [3, 2]
    assert [v["version"] for v in client.get(path + "/versions", {"cursor": page["next"]}).json()["versions"]] == [1]
    for number in ("9", "x", "0"):
        assert client.post(path + f"/versions/{number}/restore").status == 404


def test_a_deleted_document_can_come_back(client):
    doc = document(client, "undo me.txt", b"precious")
    path = f"/api/v1/documents/{doc['id']}"
    assert client.post(path + "/restore").status == 404
    assert client.delete(path).status == 204
    assert doc["id"] not in [d["id"] for d in client.get("/api/v1/documents", {"q": "undo"}).json()["documents"]]
    back = client.post(path + "/restore")
    assert back.status == 200 and back.json()["name"] == "undo me.txt" and client.get(path + "/content").body == b"precious"
    assert doc["id"] in [d["id"] for d in client.get("/api/v1/documents", {"q": "undo"}).json()["documents"]]
    types, after, more = [], "", True
    while more:  # the server of all tests: its feed has many pages
        page = client.get("/api/v1/events", {"types": "document.*", "limit": 1000, **({"after": after} if after else {})},
                          headers={"Accept": "application/json"}).json()
        types += [e["type"] for e in page["events"] if e["subject"] == doc["id"]]
        after, more = page["next"], bool(page["events"])
    assert types == ["document.added", "document.deleted", "document.restored"]


def test_keeping_an_output_as_a_document(client):
    job = client.run("image.convert", {"width": 32}, files=["picture.png"])
    out = job["outputs"][0]
    body = {"blob": out["blob"], "name": "small.webp", "type": out["type"], "tags": ["kept"]}
    kept = client.post("/api/v1/documents/keep", json=body, headers={"Idempotency-Key": f"keep-{job['id']}"})
    again = client.post("/api/v1/documents/keep", json=body, headers={"Idempotency-Key": f"keep-{job['id']}"})
    assert kept.status == 201 and kept.json()["documents"][0]["id"] == again.json()["documents"][0]["id"]
    assert kept.json()["documents"][0]["tags"] == ["kept"]
    assert client.post("/api/v1/documents/keep", json={"blob": "0" * 64, "name": "x"}).status == 404
    assert client.post("/api/v1/documents/keep", json={"blob": out["blob"], "name": "a/b"}).status == 422


# --- everything uploaded and made ---

def walk(client, **query):
    found, cursor = [], {}
    while True:
        page = client.get("/api/v1/files", {"limit": 2, **query, **cursor}).json()
        found += page["files"]
        if "next" not in page:
            return found
        cursor = {"cursor": page["next"]}


def test_everything_uploaded_and_made(new_server):
    client = new_server().client()
    first = document(client, "first.txt")
    job = client.run("archive.extract", {"match": ["*.md"]}, files=["bundle.zip"])
    last = document(client, "last.png", b"x", "image/png")
    picture = client.run("image.convert", {"width": 16}, files=["picture.png"])
    made = [("job", job["id"], i) for i in range(len(job["outputs"]))]
    key = lambda f: ("document", f["document"], 0) if f["from"] == "document" else ("job", f["job"], f["index"])
    assert [key(f) for f in walk(client)] == [("job", picture["id"], 0), ("document", last["id"], 0), *made[::-1], ("document", first["id"], 0)]
    assert [key(f) for f in walk(client, **{"from": "uploaded"})] == [("document", last["id"], 0), ("document", first["id"], 0)]
    assert [key(f) for f in walk(client, **{"from": "made"}, step="image.convert")] == [("job", picture["id"], 0)]
    assert {f["from"] for f in walk(client, type="image")} == {"job", "document"}
    assert [key(f) for f in walk(client, q="first")] == [("document", first["id"], 0)]
    assert [f["job"] for f in walk(client, q="picture webp")] == [picture["id"]]
    assert walk(client, pipeline="nothing") == [] and walk(client, q="nowhere") == []
    for cursor in ("x", "file_x.1", "doc_06y3vvspw0000", "file_06y3vvspw0000"):
        assert client.get("/api/v1/files", {"cursor": cursor}).status == 400


def test_what_was_made_from_a_file_and_what_made_it(client):
    unique = b"# A heading\n\nwords " + hashlib.sha256(b"lineage").hexdigest().encode()
    doc = document(client, "source.md", unique, "text/markdown")
    job = client.post("/api/v1/steps/document.convert", json={"inputs": [{"document": doc["id"]}], "params": {"to": "html"}, "wait": 30}).json()
    out = job["outputs"][0]
    taken = client.get(f"/api/v1/files/{doc['blob']}/uses").json()
    assert taken["documents"] == [{"id": doc["id"], "name": "source.md", "current": True}]
    use = taken["jobs"][0]
    assert (use["job"], use["took_it"], use["made_it"], use["state"]) == (job["id"], True, False, "done")
    assert [f["blob"] for f in use["files"]] == [out["blob"]]
    made = client.get(f"/api/v1/files/{out['blob']}/uses").json()["jobs"][0]
    assert (made["job"], made["made_it"], made["took_it"]) == (job["id"], True, False)
    assert [f["blob"] for f in made["files"]] == [doc["blob"]]
    client.request("PUT", f"/api/v1/documents/{doc['id']}/content", body=b"other", headers={"Content-Type": "text/markdown"})
    assert client.get(f"/api/v1/files/{doc['blob']}/uses").json()["documents"][0]["current"] is False
    assert client.get("/api/v1/files/" + "0" * 64 + "/uses").status == 404
