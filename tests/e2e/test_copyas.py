"""What the web app's "copy as" gives does what the form would have done: the texts are made by web/src/lib/copyas.ts, then run as they
are, by sh, Python and Node, in a folder that has the files. The server must have got the same parameters and the same bytes each time."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from platen import BUILD, ROOT, SAMPLES, SLOW, environment

PIPELINE = """
name: copyas
inputs:
  picture: {type: file, accepts: "image/*", required: true}
  notes: {type: files}
  title: {type: text}
  tags: {type: list}
  width: {type: int, default: 100}
  keep: {type: bool}
  more: {type: json}
steps:
  info: {uses: image.info, with: {file: "${{ inputs.picture }}"}}
outputs: {title: "${{ inputs.title }}", tags: "${{ inputs.tags }}", width: "${{ inputs.width }}", more: "${{ inputs.more }}"}
"""

MAKER = ROOT / "web/tests/tools/copyas.mjs"
pytestmark = pytest.mark.skipif(shutil.which("node") is None or not (ROOT / "web/node_modules/esbuild").exists(),
                                reason="the web app's tools are not installed")

NASTY = "it's \"quoted\" `id` $HOME ${{ inputs.x }} $${{ \\n %s !! #\n\tsecond line\r\n\u00a0\u2028 naïve 漢字 🖨 -- @x <y; end"


def case(step, params=None, files=(), secrets=None, many=False, json_params=(), without=()):
    return {"step": step, "params": params or {}, "names": files, "secrets": secrets or {}, "many": many, "jsonParams": list(json_params),
            "without": set(without)}


CASES = {
    "text": case("text.stats", {"text": NASTY}),
    "dash": case("text.language", {"text": "--help"}),
    "json": case("data.transform", {"program": "{v: ., n: $name} # '\"$`", "value": {"a b": [1.5, None, True, NASTY], "${{ x }}": "y"},
                                    "args": {"name": NASTY}}, json_params=["value", "args"]),
    "a text as JSON": case("data.transform", {"program": ".", "value": "5", "list": True}, json_params=["value", "args"]),
    "file": case("image.convert", {"width": 64, "format": "png", "background": "#00ff00", "lossless": True}, ["photo.jpg"]),
    "nasty name": case("image.info", {"position": True}, ["it's $HOME `x` 漢 & (1).jpg"]),
    "dash name": case("text.keywords", {"count": 3}, ["-notes.md"]),
    "list": case("text.redact", {"names": ["Ida Lund", "O'Brien", "$PATH"], "text": "Ida Lund met O'Brien at $PATH", "style": "number"}),
    "list with commas": case("text.redact", {"names": ["Lund, Ida", " x"], "text": "Lund, Ida saw x"}, without=["cli"]),
    "empty list": case("text.redact", {"kinds": [], "names": ["Ida"], "text": "Ida, ida@example.org"}, without=["cli"]),
    "files": case("archive.create", {"format": "tar", "names": ["one, 1.md", "two.csv"]}, ["notes.md", "people.csv"], many=True,
                  without=["cli"]),
    "secret": case("pdf.encrypt", {"forbid": ["print", "copy"]}, ["report.pdf"], {"user_password": "s3 'cret\" $x", "owner_password": "another"}),
}


def media(name):
    return {"jpg": "image/jpeg", "md": "text/markdown", "csv": "text/csv", "pdf": "application/pdf"}[name.rsplit(".", 1)[1]]


def source(name):
    known = SAMPLES / name
    return known if known.exists() else SAMPLES / {"jpg": "photo.jpg", "md": "notes.md"}[name.rsplit(".", 1)[1]]


@pytest.fixture(scope="module")
def texts(shared):
    contracts = {s["name"]: s for s in shared.client().get("/api/v1/steps").json()["steps"]}
    runs = [{"server": shared.url, "step": c["step"], "params": c["params"], "secrets": list(c["secrets"]), "many": c["many"],
             **{k: v for k, v in contracts[c["step"]].items() if k in ("accepts", "returns")},
             "files": [{"name": n, "type": media(n)} for n in c["names"]], "jsonParams": c["jsonParams"]} for c in CASES.values()]
    return dict(zip(CASES, maker(runs), strict=True))


def run_text(server, folder, language, text, secrets):
    env = environment(PATH=f"{BUILD}:{os.environ['PATH']}", PLATEN_KEY=server.owner_key, HOME="/nonexistent",
                      **{k.upper(): v for k, v in secrets.items()})
    if language == "javascript":
        (folder / "run.mjs").write_text(text)
        command = ["node", "run.mjs"]
    elif language == "python":
        (folder / "run.py").write_text(text)
        command = [sys.executable, "run.py"]
    else:
        command = ["sh", "-c", text]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60 * SLOW, check=False)
    assert done.returncode == 0, f"{text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def newest(client, step):
    jobs = client.get("/api/v1/jobs", {"step": step, "limit": 1}).json()["jobs"]
    return client.wait(jobs[0]["id"]) if jobs else {"id": None}


def maker(runs):
    done = subprocess.run(["node", str(MAKER)], input=json.dumps(runs), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def made(client, job):
    """What a job was given and what it gave."""
    return {"params": job["params"], "inputs": [(f["name"], f["blob"]) for f in job["inputs"]], "state": job["state"],
            "outputs": [f["name"] for f in job["outputs"]], "data": job["data"]}


@pytest.mark.parametrize("name", CASES)
def test_each_language_makes_the_same_job(server, client, texts, tmp_path, name):
    c, step = CASES[name], CASES[name]["step"]
    for file in c["names"]:
        shutil.copy(source(file), tmp_path / file)
    blobs = []
    for file in c["names"]:
        answer = client.post("/api/v1/blobs", body=(tmp_path / file).read_bytes(), headers={"Content-Type": "application/octet-stream"})
        blobs.append({"blob": answer.json()["blob"], "name": file, "type": media(file)})
    wanted = client.post(f"/api/v1/steps/{step}", json={"params": {**c["params"], **c["secrets"]}, "wait": 30, **({"inputs": blobs} if blobs else {})}).json()
    assert wanted["state"] == "done", wanted
    for language in ("curl", "cli", "python", "javascript"):
        text = texts[name][language]
        assert (text is None) == (language in c["without"]), (language, text)
        if text is None:
            continue
        assert server.owner_key not in text and not any(s in text for s in c["secrets"].values())
        before = newest(client, step)["id"]
        out = run_text(server, tmp_path, language, text, c["secrets"])
        job = newest(client, step)
        assert job["id"] != before, (language, text, out)
        assert made(client, job) == made(client, wanted), (language, text)
        if language in ("python", "javascript"):
            assert json.loads(out) == wanted["data"]
        if language != "curl":
            kept = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (tmp_path / "results").glob("*")}
            assert sorted(kept.values()) == sorted(f["blob"] for f in job["outputs"]), (language, text)
            shutil.rmtree(tmp_path / "results", ignore_errors=True)


@pytest.mark.parametrize("name", CASES)
def test_a_pipeline_of_one_step_makes_the_same_job(server, client, texts, tmp_path, name):
    c, text = CASES[name], texts[name]["yaml"]
    file = tmp_path / "one.yaml"
    file.write_text(text)
    env = environment(PLATEN_KEY=server.owner_key)
    check = subprocess.run([BUILD / "platen", "flow", "check", file, "--server", server.url], env=env, capture_output=True, text=True, check=False)
    assert check.returncode == 0, f"{text}\n{check.stdout}{check.stderr}"
    if c["secrets"] or c["names"]:
        return  # how files get into a pipeline is flow's matter; the parameters are compared where nothing else is needed
    run = subprocess.run([BUILD / "platen", "flow", "run", file, "--server", server.url, "--json", "--follow"], env=env, capture_output=True,
                         text=True, check=False)
    assert run.returncode == 0, f"{text}\n{run.stdout}{run.stderr}"
    wanted = client.run(c["step"], c["params"])
    node, = client.get(f"/api/v1/jobs/{json.loads(run.stdout)['id']}/nodes").json()["nodes"]
    child = client.job(node["child"])
    assert child["params"] == wanted["params"]
    assert child["data"] == wanted["data"]


@pytest.mark.parametrize("tags", [["one", "two $x"], ["with, comma"]], ids=["flags", "json"])
def test_a_run_of_a_pipeline(server, client, tmp_path, tags):
    names = {"picture": ["it's a photo.jpg"], "notes": ["notes.md", "people.csv"]}
    values = {"title": NASTY, "tags": tags, "width": 7, "keep": True, "more": {"a": [NASTY, None]}}
    assert client.post("/api/v1/pipelines", body=PIPELINE.encode(), headers={"Content-Type": "application/yaml"}).status in (200, 201)
    files = {field: [{"name": n, "type": media(n)} for n in some] for field, some in names.items()}
    for file in [n for some in names.values() for n in some]:
        shutil.copy(source(file), tmp_path / file)
    text, = maker([{"server": server.url, "pipeline": "copyas", "params": values, "secrets": [], "files": files, "jsonParams": ["more"],
                    "options": {"priority": 3, "no_memo": True}}])
    assert text["yaml"] is None
    assert (text["cli"] is None) == (tags == ["with, comma"])
    seen = []
    for language in ("curl", "cli", "python", "javascript"):
        if text[language] is None:
            continue
        run_text(server, tmp_path, language, text[language], {})
        job = client.wait(client.get("/api/v1/jobs", {"limit": 1}).json()["jobs"][0]["id"])
        assert (job["pipeline"], job["state"], job["priority"]) == ("copyas", "done", 3), (language, job)
        assert job["data"] == {"title": NASTY, "tags": tags, "width": 7, "more": values["more"]}, language
        assert job["id"] not in seen
        seen.append(job["id"])
        assert [f["name"] for f in job["inputs"]] == ["it's a photo.jpg", "notes.md", "people.csv"]
