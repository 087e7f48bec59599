"""Previews: pictures, texts and facts of files, made in the sandbox without a job."""

import concurrent.futures

import pytest

from platen import SAMPLES


def document(client, name, data=None, kind="application/octet-stream"):
    body = (SAMPLES / name).read_bytes() if data is None else data
    return client.post("/api/v1/documents", files=[(name, body, kind)]).json()["documents"][0]


def preview(client, doc, **query):
    return client.get(f"/api/v1/documents/{doc['id']}/preview", query)


@pytest.fixture(scope="module")
def docs(shared):
    client = shared.client()
    names = ["report.pdf", "picture.png", "clip.mp4", "notes.md", "bundle.zip", "logo.svg"]
    return {name: document(client, name) for name in names}


@pytest.mark.parametrize("name, facts", [
    ("report.pdf", {"type": "application/pdf", "pages": 3, "preview": ["picture", "text"]}),
    ("picture.png", {"type": "image/png", "preview": ["picture"]}),
    ("clip.mp4", {"type": "video/mp4", "preview": ["picture", "wave"]}),
    ("notes.md", {"type": "text/markdown", "preview": ["picture", "text"]}),
    ("bundle.zip", {"type": "application/zip", "preview": ["entries"]}),
])
def test_facts(client, docs, name, facts):
    answer = preview(client, docs[name], kind="info")
    assert answer.status == 200 and answer.type == "application/json", answer
    info = answer.json()
    assert {k: info[k] for k in facts} == facts and info["encrypted"] is False
    if name == "clip.mp4":
        assert info["duration_ms"] >= 3000 and info["width"] > 0
    if name == "picture.png":
        assert info["width"] > 0 and info["height"] > 0


@pytest.mark.parametrize("name", ["report.pdf", "picture.png", "clip.mp4", "notes.md", "logo.svg"])
def test_pictures(client, docs, name):
    answer = preview(client, docs[name], width=150)
    assert answer.status == 200 and answer.type == "image/webp" and answer.body[:4] == b"RIFF", answer
    assert answer.headers["cache-control"] == "private, max-age=86400, immutable"
    again = client.get(f"/api/v1/blobs/{docs[name]['blob']}/preview", {"width": 150, "name": name},
                       headers={"If-None-Match": answer.headers["etag"]})
    assert again.status == 304 and again.body == b""


def test_pages(client, docs):
    first, second = (preview(client, docs["report.pdf"], page=n, width=320) for n in (1, 2))
    assert first.status == second.status == 200 and first.body != second.body
    beyond = preview(client, docs["report.pdf"], page=99)
    assert beyond.status == 422 and "3 pages" in beyond.json()["detail"]
    text = preview(client, docs["report.pdf"], kind="text", page=1)
    whole = preview(client, docs["report.pdf"], kind="text")
    assert text.type.startswith("text/markdown") and 0 < len(text.body) < len(whole.body)


def test_sound_and_archives(client, docs):
    wave = preview(client, docs["clip.mp4"], kind="wave").json()
    assert wave["duration_ms"] > 3000 and len(wave["points"]) > 100
    entries = preview(client, docs["bundle.zip"], kind="entries").json()["entries"]
    assert "letters/march.md" in [e["path"] for e in entries]


def test_what_cannot_be_shown_says_why(client, docs):
    for doc, kind, reason in [
        (docs["bundle.zip"], "picture", "unsupported_type"), (docs["picture.png"], "text", "unsupported_type"),
        (docs["notes.md"], "wave", "unsupported_type"), (docs["notes.md"], "entries", "unsupported_type"),
        (document(client, "empty.pdf", b""), "picture", "input_empty"),
        (document(client, "broken.png", (SAMPLES / "picture.png").read_bytes()[:200]), "picture", "input_damaged"),
        (document(client, "locked.docx"), "text", "input_encrypted"),
    ]:
        answer = preview(client, doc, kind=kind)
        problem = answer.json()
        assert (answer.status in (415, 422), problem["reason"]) == (True, reason), answer
        assert problem["detail"] and problem["hint"]
    locked = preview(client, document(client, "locked.docx"), kind="info").json()
    assert locked["encrypted"] is True and locked["preview"] == []
    assert client.get("/api/v1/blobs/" + "0" * 64 + "/preview").status == 404
    assert preview(client, docs["notes.md"], kind="nonsense").status == 422
    assert preview(client, docs["notes.md"], width=5).status == 422


def test_asked_quietly_there_is_nothing(client, docs):
    for doc in (docs["bundle.zip"], document(client, "protected.pdf")):
        answer = preview(client, doc, quiet="true", width=160)
        assert answer.status == 204 and answer.body == b"" and answer.headers["cache-control"] == "private, max-age=3600"
    assert preview(client, docs["picture.png"], quiet="true", width=160).status == 200
    assert client.get("/api/v1/blobs/" + "0" * 64 + "/preview", {"quiet": "true"}).status == 404


def test_the_name_in_the_query_helps(client):
    blob = client.post("/api/v1/blobs", body=b"a,b\n1,2\n").json()["blob"]
    assert client.get(f"/api/v1/blobs/{blob}/preview", {"kind": "info", "name": "t.csv"}).json()["type"] == "text/csv"


def test_no_job_is_made(client, docs):
    before = client.get("/api/v1/jobs", {"limit": 1}).json()["jobs"]
    preview(client, docs["report.pdf"], page=3, width=640)
    assert client.get("/api/v1/jobs", {"limit": 1}).json()["jobs"] == before


def test_many_at_once_keep_the_api_answering(new_server):
    """More than are made at once: they wait without a thread, the rest is refused, everything else is answered."""
    server = new_server()
    client = server.client()
    picture = (SAMPLES / "picture.png").read_bytes()
    docs = [document(client, f"{n}.png", picture + bytes([n])) for n in range(100)]
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = [pool.submit(lambda d=d: preview(server.client(), d, width=160)) for d in docs]
        assert client.get("/health/readiness").status == 200
        assert client.get("/api/v1/documents", {"limit": 1}).status == 200
        answers = [a.result() for a in answers]
    assert {a.status for a in answers} <= {200, 503} and any(a.status == 200 for a in answers)
    for refused in (a for a in answers if a.status == 503):
        assert refused.json()["reason"] == "overloaded" and int(refused.headers["retry-after"]) > 0


def test_a_server_stops_in_the_middle_of_previews(new_server):
    server = new_server()
    client = server.client()
    docs = [document(client, f"{n}.md", b"# %d\n" % n, "text/markdown") for n in range(12)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        for d in docs:
            pool.submit(lambda d=d: preview(server.client(), d))
        server.stop()
