"""Every pipeline in docs/pipelines.md is accepted by a server, and those that wait for nobody run."""

import re

import platen

DOCS = platen.ROOT / "docs" / "pipelines.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", DOCS.read_text(), re.S | re.M)
RUNS = {  # name: files by input, data that must come
    "read": ({"source": ["report.docx"]}, lambda d: d["words"] > 0 and d["text"]["type"] == "text/markdown" and d["chunks"]["bytes"] > 0),
    "picture-set": ({"picture": ["photo.jpg"]}, lambda d: len(d["pictures"]) == 3 and d["small"]["type"] == "image/webp"),
    "gallery": ({"photos": ["photo.jpg", "words.txt", "picture.png"]}, lambda d: d["archive"]["type"] == "application/zip" and d["widest"] > 0),
    "careful": ({"source": ["report.docx"]}, lambda d: "text" in d),
    "shelf": ({"books": ["notes.md", "report.docx"]}, lambda d: d["words"] > 0 and d["german"] == 0),
}


def store_all(client):
    names = []
    for text in BLOCKS:
        answer = client.post("/api/v1/pipelines", body=text.encode(), headers={"Content-Type": "application/yaml"})
        assert answer.status in (200, 201), (text, answer)
        names.append(answer.json()["name"])
    return names


def run(client, name, files):
    """The job when it has ended, and its nodes by name."""
    parts = [(field, *platen.as_upload(f)[::2], platen.as_upload(f)[1]) for field, of in files.items() for f in of]
    body, kind = platen.multipart([], parts)
    answer = client.post(f"/api/v1/pipelines/{name}/run", {"wait": 60}, body=body, headers={"Content-Type": kind})
    assert answer.status in (200, 202), (name, answer)
    job = client.wait(answer.json()["id"])
    return job, {n["id"]: n for n in client.get(f"/api/v1/jobs/{job['id']}/nodes").json()["nodes"]}


def test_every_pipeline_of_the_docs_is_accepted_and_runs(server):
    client = server.client()
    assert set(RUNS) <= set(store_all(client))
    for name, (files, wanted) in RUNS.items():
        job, nodes = run(client, name, files)
        assert job["state"] == "done" and wanted(job["data"]), (name, job, nodes)
        assert not [n for n in nodes.values() if n["state"] not in ("done", "skipped")], (name, nodes)


def test_what_the_docs_say_of_failures(server):
    client = server.client()
    store_all(client)
    job, nodes = run(client, "careful", {"source": [("broken.pdf", b"%PDF-1.7 and nothing")]})
    assert job["state"] == "failed" and job["reason"] == nodes["text"]["reason"], (job, nodes)
    assert nodes["pdf"]["state"] == nodes["text"]["state"] == "failed" and nodes["pdf"]["optional"]
    report = client.job(nodes["report"]["child"])
    assert report["data"]["result"] == {"step": "text", "why": job["reason"], "file": "broken.pdf"}
    assert client.job(nodes["count"]["child"])["data"]["result"] == 2
