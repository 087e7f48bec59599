"""The registry walks: every contract is complete, and every example of every contract runs and gives what it promises."""

import json
import mimetypes
import re

import pytest

from platen import BUILD, PLATEN, SAMPLES, cli

STEPS = json.loads(cli("steps", "--json", "--internal", check=0).stdout)["steps"] if PLATEN.exists() else []
EXAMPLES = [(s, e) for s in STEPS for e in s.get("examples", [])]
REASONS = {line.lower() for line in re.findall(r"^ERROR\((\w+),", (SAMPLES.parent / "src/base/errors.def").read_text(), re.M)}
FAMILY = re.compile(r"[\w.+*-]+/[\w.+*-]+")



def fulfilled(condition, job):
    """Whether one condition of an example's `expect` is true of the job (core/step.h says how they are written)."""
    if m := re.fullmatch(r"reason=(\w+)", condition):
        return job["state"] == "failed" and job["reason"] == m[1]
    if m := re.fullmatch(r"(\w+)(>=|=)(.+)", condition):
        value, want = job["data"].get(m[1]), m[3].strip()
        if value is None:
            return False
        if m[2] == ">=":
            return float(value) >= float(want)
        return (json.dumps(value) if isinstance(value, (bool, int, float)) else str(value)) == want
    m = re.fullmatch(r"([\w.+*-]+/[\w.+*-]+)(?: (\d+)x(\d+))?", condition)
    assert m, f"not a condition: {condition!r}"
    size = m[2] is None or (job["data"].get("width"), job["data"].get("height")) == (int(m[2]), int(m[3]))
    return size and m[1] in [o["type"] for o in job["outputs"]]


def run_outside(name, params, files, wait, client, queue):
    """A step that is done by outside workers: this is one. It gives back what it got: files, else the payload as a file."""
    job = client.start(name, params, files).json()["id"]
    task, = client.post(f"/api/v1/queues/{queue}/lease", json={"wait": wait}).json()["tasks"]
    got = [(i["name"], client.get(f"/api/v1/jobs/{job}/inputs/{n}").body) for n, i in enumerate(task["inputs"])]
    outputs = []
    for name, data in got or [("payload.json", json.dumps(task["payload"]).encode())]:
        blob = client.post("/api/v1/blobs", body=data, headers={"Content-Type": "application/octet-stream"}).json()["blob"]
        outputs.append({"blob": blob, "name": name, "type": mimetypes.guess_type(name)[0]})
    done = client.post(f"/api/v1/tasks/{task['id']}/complete", json={"attempt": task["attempt"], "outputs": outputs})
    assert done.status == 200, done
    return client.job(job)


@pytest.mark.parametrize("step, example", EXAMPLES, ids=[f"{s['name']}: {e['title']}" for s, e in EXAMPLES])
def test_example(client, step, example):
    if "input" in example:
        assert (SAMPLES / example["input"]).exists(), f"there is no samples/{example['input']}"
    run = run_outside if "outside" in step else client.run
    job = run(step["name"], example.get("args"), files=[example["input"]] if "input" in example else None, wait=60,
              **({"client": client, "queue": example["args"][step["outside"]]} if "outside" in step else {}))
    conditions = [c.strip() for c in example["expect"].split(";") if c.strip()]
    assert conditions, "an example must promise something"
    if not any(c.startswith("reason=") for c in conditions):
        assert job["state"] == "done", job
    missed = [c for c in conditions if not fulfilled(c, job)]
    assert not missed, f"{missed} of {job['state']} {job.get('reason')} {job['data']} {job['outputs']}"


@pytest.mark.parametrize("step", STEPS, ids=[s["name"] for s in STEPS])
class TestContract:
    def test_names(self, step):
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", step["name"]) and step["title"] and step["since"]
        names = [p["name"] for p in step.get("params", [])]
        assert len(names) == len(set(names)) and all(re.fullmatch(r"[a-z][a-z0-9_]*", n) for n in names)
        assert not set(names) & {"wait", "priority", "delay_ms", "attempts", "timeout_ms", "concurrency_key", "file", "inputs", "params",
                                 "output", "json", "quiet", "server", "key"}, "a parameter hides an option"

    def test_every_help_is_a_sentence(self, step):
        texts = [("summary", step["summary"])]
        texts += [(p["name"], p.get("help", "")) for p in step.get("params", [])]
        texts += [(f"{p['name']}={c['name']}", c.get("help", "")) for p in step.get("params", []) for c in p.get("choices", [])]
        for name, text in texts:
            assert text and text[0].upper() == text[0] and text[-1] == "." and "\n" not in text, f"{name}: {text!r}"

        def fields(items):
            for f in items:
                assert f.get("help", "")[-1:] == ".", f"data {f['name']}: {f.get('help')!r}"
                fields(f["items"] if isinstance(f.get("items"), list) else [])
        fields(step.get("data", []))

    def test_parameters(self, step):
        for p in step.get("params", []):
            assert p["type"] in ("int", "number", "bool", "text", "choice", "list", "json"), p
            default = p.get("default")
            if p.get("required"):
                assert default is None, f"{p['name']} is required and has a default"
            if p["type"] in ("int", "number") and default is not None and "min" in p:
                assert p["min"] <= default <= p["max"], p
            if p["type"] == "choice":
                names = [c["name"] for c in p["choices"]]
                assert len(names) == len(set(names)) >= 2 and (default is None or default in names), p
            if p["type"] == "bool":
                assert default in (None, False), f"{p['name']}: a bool starts false"
            if p["type"] in ("int", "number") and re.search(r"_(ms|px|bytes)\Z", p["name"]):
                assert p.get("unit"), f"{p['name']} has no unit"

    def test_media_types(self, step):
        for part in (step.get("accepts") or "").split(",") + (step.get("returns") or "").split(","):
            assert part == "" or FAMILY.fullmatch(part), part

    def test_reasons(self, step):
        assert set(step.get("errors", [])) <= REASONS

    def test_what_accepts_files_shows_how(self, step):
        if step.get("accepts") and not step.get("internal"):
            assert any("input" in e for e in step.get("examples", [])), "no example with a file"
        if not step.get("internal"):
            assert step.get("examples"), "no example"

    def test_examples_fit_the_contract(self, step):
        names = {p["name"] for p in step.get("params", [])}
        fields = {f["name"] for f in step.get("data", [])}
        for e in step.get("examples", []):
            assert e["title"] and e["expect"] and set(e.get("args", {})) <= names, e
            for condition in e["expect"].split(";"):
                if m := re.match(r"\s*(\w+)>?=", condition):
                    assert m[1] in fields | {"reason"}, f"{condition} is not a field of data"
                elif condition.strip():
                    media = condition.split()[0]
                    assert "*/*" in step["returns"] or media in step["returns"].split(","), e


def test_every_engine_brought_its_steps():
    engines = {p.name.removeprefix("platen-engine-") for p in BUILD.glob("platen-engine-*") if p.is_file()}
    assert engines and engines == {s["engine"] for s in STEPS if s.get("engine")}


def test_results_are_the_same_twice(client):
    """A cacheable step's result depends on its parameters and input alone."""
    for step, example in EXAMPLES:
        if step.get("cacheable") and "input" in example and not step.get("internal"):
            one, two = (client.run(step["name"], example.get("args"), files=[example["input"]], wait=60) for _ in range(2))
            assert one["data"] == two["data"] and [o["blob"] for o in one["outputs"]] == [o["blob"] for o in two["outputs"]], step["name"]
            break
