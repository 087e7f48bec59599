"""Triggers: events, other pipelines, webhooks and files start pipelines, once each."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import threading
import time
import urllib.parse

import pytest

from platen import until


def store(client, name, on, steps=None, inputs=None):
    definition = {"name": name, "on": on, "inputs": inputs or {},
                  "steps": steps or {"say": {"uses": "test.echo", "with": {"value": "${{ trigger }}"}}}}
    answer = client.request("PUT", f"/api/v1/pipelines/{name}", body=json.dumps(definition),
                            headers={"Content-Type": "application/json"})
    assert answer.status in (200, 201), answer
    return answer


def refused(client, on, inputs=None):
    definition = {"name": "wrong", "on": on, "inputs": inputs or {}, "steps": {"a": {"wait": "signal"}}}
    answer = client.request("PUT", "/api/v1/pipelines/wrong", body=json.dumps(definition),
                            headers={"Content-Type": "application/json"})
    assert answer.status == 422, answer
    return [(e["param"], e["detail"]) for e in answer.json()["errors"]]


def trigger(client, name):
    answer = client.get(f"/api/v1/triggers/{name}")
    assert answer.status == 200, answer
    return answer.json()


def fired(client, name, count=1):
    """The trigger, once it has started so many jobs."""
    return until(lambda: (t := trigger(client, name))["fired"] >= count and t, why=f"{name} has fired {count} times")


def said(client, name, count=1):
    """What `trigger` was, of the last job."""
    t = fired(client, name, count)
    assert t["fired"] == count
    job = client.wait(t["last_job"])
    assert job["state"] == "done", job
    child = client.get(f"/api/v1/jobs/{t['last_job']}/nodes").json()["nodes"][0]["child"]
    return client.wait(child)["data"]["value"]


def publish(client, kind, data):
    assert client.post("/api/v1/events", json={"type": kind, "data": data}).status == 201


@pytest.fixture
def mine(new_server):
    server = new_server()
    return server.client()


def test_an_event_starts_a_job(mine):
    store(mine, "welcome", {"event": {"types": "user.created", "if": "trigger.data.age >= 18"}})
    publish(mine, "user.created", {"name": "Kim", "age": 12})
    publish(mine, "user.created", {"name": "Ada", "age": 36})
    value = said(mine, "welcome.event")
    assert (value["kind"], value["type"], value["data"]["name"]) == ("event", "user.created", "Ada")


def test_inputs_come_from_the_event(mine):
    store(mine, "greet", {"event": {"types": ["user.*"], "with": {"name": "${{ trigger.data.name }}"}}},
          {"say": {"uses": "test.echo", "with": {"value": "${{ inputs.name }}"}}},
          {"name": {"type": "text", "required": True}})
    publish(mine, "user.created", {"name": "Ada"})
    assert said(mine, "greet.event") == "Ada"
    publish(mine, "user.created", {"nobody": 1})
    told = until(lambda: (t := trigger(mine, "greet.event"))["fault"] and t, why="the fault")
    assert "name" in told["fault"] and told["fired"] == 1
    publish(mine, "user.renamed", {"name": "Bob"})  # what could not start is left behind
    assert said(mine, "greet.event", 2) == "Bob"
    assert trigger(mine, "greet.event")["fault"] is None


def test_a_document_is_an_input(mine):
    store(mine, "look", {"event": {"types": "document.added", "with": {"file": "${{ trigger.document }}"}}},
          {"look": {"uses": "file.detect", "with": {"file": "${{ inputs.file }}"}}},
          {"file": {"type": "file", "required": True}})
    mine.post("/api/v1/documents", files=[("a.txt", b"some words\n")])
    job = mine.wait(fired(mine, "look.event")["last_job"])
    assert job["state"] == "done", job


def test_another_pipeline_ends(mine):
    store(mine, "first", {"event": "go.now"}, {"a": {"uses": "test.echo", "with": {"value": 1}}})
    store(mine, "second", {"pipeline": "first"})
    store(mine, "third", {"pipeline": {"names": ["first", "second"], "states": ["failed"]}})
    publish(mine, "go.now", {})
    value = said(mine, "second.pipeline")
    assert (value["type"], value["subject"]) == ("job.done", "first")
    assert trigger(mine, "third.pipeline")["fired"] == 0


def test_a_pipeline_does_not_start_itself(mine):
    store(mine, "loop", {"event": "job.done"})
    store(mine, "other", {"event": "go.now"})
    publish(mine, "go.now", {})
    fired(mine, "loop.event")
    mine.wait(trigger(mine, "loop.event")["last_job"])
    publish(mine, "go.now", {})
    assert said(mine, "loop.event", 2)["subject"] == "other"


def test_pausing_leaves_out_what_happens(mine):
    store(mine, "note", {"event": "a.b"})
    assert mine.post("/api/v1/triggers/note.event/pause").json()["paused"] is True
    publish(mine, "a.b", {"n": 1})
    assert mine.post("/api/v1/triggers/note.event/resume").json()["paused"] is False
    publish(mine, "a.b", {"n": 2})
    assert said(mine, "note.event")["data"] == {"n": 2}
    mine.post("/api/v1/triggers/note.event/pause")
    store(mine, "note", {"event": ["a.b", "a.c"]})  # a further version stays paused
    assert trigger(mine, "note.event")["paused"] is True
    assert mine.delete("/api/v1/pipelines/note").status == 204
    assert mine.get("/api/v1/triggers/note.event").status == 404


def test_what_a_server_missed_is_made_up_once(new_server):
    server = new_server()
    client = server.client()
    store(client, "late", {"event": "a.b"})
    publish(client, "a.b", {"n": 1})
    fired(client, "late.event")
    server.kill()
    server.start()
    client = server.client()
    publish(client, "a.b", {"n": 2})
    assert said(client, "late.event", 2)["data"] == {"n": 2}


def hook(client, name):
    t = trigger(client, name)
    return t["path"], t["secret"]


def standard(secret, body, message="msg_1", at=None):
    at = str(int(at or time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(key, f"{message}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    return {"webhook-id": message, "webhook-timestamp": at, "webhook-signature": "v1," + signature,
            "Content-Type": "application/json"}


def test_a_signed_webhook(mine):
    store(mine, "paid", {"webhook": True})
    path, secret = hook(mine, "paid.webhook")
    body = b'{"order": 7}'
    answer = mine.request("POST", path, body=body, headers=standard(secret, body))
    assert answer.status == 202, answer
    again = mine.request("POST", path, body=body, headers=standard(secret, body))
    assert again.json() == answer.json()  # the same message
    value = said(mine, "paid.webhook")
    assert value["body"] == {"order": 7} and value["headers"]["webhook-id"] == "msg_1"
    assert "webhook-signature" not in value["headers"] and "authorization" not in value["headers"]
    for wrong in (standard("whsec_" + "A" * 44, body), standard(secret, b"{}"),
                  standard(secret, body, at=time.time() - 3600), {}):
        answer = mine.request("POST", path, body=body, headers=wrong)
        assert (answer.status, answer.json()["reason"]) == (401, "bad_signature")
    assert mine.request("POST", "/api/v1/hooks/" + "0" * 40, body=b"{}").status == 404
    assert trigger(mine, "paid.webhook")["fired"] == 1


def test_a_webhook_as_github_signs_it(mine):
    store(mine, "push", {"webhook": {"verify": "github", "if": "trigger.body.ref == 'main'"}})
    path, secret = hook(mine, "push.webhook")
    for ref in ("other", "main"):
        body = json.dumps({"ref": ref}).encode()
        signed = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        answer = mine.request("POST", path, body=body, headers={
            "X-Hub-Signature-256": signed, "X-GitHub-Delivery": ref, "Content-Type": "application/json"})
        assert answer.status == 202, answer
        assert (answer.json()["job"] is None) == (ref == "other")
    assert said(mine, "push.webhook")["body"] == {"ref": "main"}


def test_a_webhook_brings_a_file(mine):
    store(mine, "scan", {"webhook": {"verify": "token"}},
          {"look": {"uses": "file.detect", "with": {"file": "${{ inputs.file }}"}}},
          {"file": {"type": "file", "required": True}})
    path, _ = hook(mine, "scan.webhook")
    answer = mine.request("POST", path, body=b"%PDF-1.4\n", headers={"Content-Type": "application/pdf"})
    assert answer.status == 202, answer
    assert mine.wait(answer.json()["job"])["state"] == "done"
    answer = mine.request("POST", path, body=b"{}", headers={"Content-Type": "application/json"})
    assert answer.json()["reason"] == "input_missing"
    assert "file" in trigger(mine, "scan.webhook")["fault"]


def test_addresses_are_for_editors(mine, new_server):
    store(mine, "secretive", {"webhook": True})
    viewer = mine.post("/api/v1/keys", json={"name": "v", "role": "viewer"}).json()["key"]
    mine.key, kept = viewer, mine.key
    assert trigger(mine, "secretive.webhook")["path"] is None
    assert trigger(mine, "secretive.webhook")["secret"] is None
    mine.key = kept


def test_files_in_a_folder(new_server, tmp_path):
    root = tmp_path / "watched"
    (root / "inbox").mkdir(parents=True)
    (root / "inbox" / "before.txt").write_text("before\n")
    os.utime(root / "inbox" / "before.txt", (1, 1))
    (tmp_path / "secret.txt").write_text("outside\n")
    os.symlink(tmp_path / "secret.txt", root / "inbox" / "link.txt")
    os.symlink(tmp_path, root / "out")
    server = new_server(args=["--watch-root", str(root)])
    client = server.client()
    store(client, "inbox", {"folder": {"path": "inbox", "match": "*.txt"}})
    value = said(client, "inbox.folder")
    assert (value["path"], value["bytes"], value["file"]["type"]) == ("inbox/before.txt", 7, "text/plain")
    (root / "inbox" / "other.pdf").write_text("not matched")
    (root / "inbox" / ".part.txt").write_text("moved in when it is whole")
    os.rename(root / "inbox" / ".part.txt", root / "inbox" / "moved.txt")
    assert said(client, "inbox.folder", 2)["name"] == "moved.txt"
    (root / "inbox" / "before.txt").write_text("changed\n")
    assert said(client, "inbox.folder", 3)["path"] == "inbox/before.txt"
    os.utime(root / "inbox" / "moved.txt", (2, 2))
    server.stop()
    (root / "inbox" / "late.txt").write_text("while nobody looked\n")
    os.utime(root / "inbox" / "late.txt", (3, 3))
    server.start()
    client = server.client()
    assert said(client, "inbox.folder", 4)["name"] == "late.txt"  # and the others are not taken again
    store(client, "outside", {"folder": "out"})
    (tmp_path / "new.txt").write_text("x")
    assert trigger(client, "outside.folder")["fired"] == 0
    server.expect_error("trigger.failed")


def aws_signature(request, path, query):
    """What Signature Version 4 says of a request, as S3 computes it; None when it is not signed as S3 wants it."""
    found = re.match(r"AWS4-HMAC-SHA256 Credential=KEY/(\d{8}/eu-central-1/s3/aws4_request), ?"
                     r"SignedHeaders=(host;x-amz-content-sha256;x-amz-date), ?Signature=[0-9a-f]{64}$",
                     request.headers.get("Authorization", ""))
    if not found:
        return None
    scope, names = found.groups()
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in names.split(";"))
    pairs = "&".join(sorted(query.split("&"))) if query else ""
    whole = "\n".join(["GET", path, pairs, headers, names, request.headers["x-amz-content-sha256"]])
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["X-Amz-Date"], scope,
                      hashlib.sha256(whole.encode()).hexdigest()])
    key = b"AWS4hidden"
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Bucket:
    """What S3 says, for one bucket: lists in two pages, objects, and who does not sign is refused."""

    def __init__(self):
        self.objects, self.asked, self.refused = {}, [], 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                outer.asked.append(self.path)
                signed = aws_signature(self, path, query)
                if signed is None or signed not in self.headers["Authorization"]:
                    outer.refused += 1
                    return self.answer(403, b"<Error><Code>AccessDenied</Code></Error>")
                if path == "/scans/":
                    return self.answer(200, outer.page(urllib.parse.parse_qs(query)))
                body = outer.objects.get(urllib.parse.unquote(path.removeprefix("/scans/")))
                return self.answer(200 if body else 404, body or b"")

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/scans"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def page(self, query):
        keys = sorted(k for k in self.objects if k.startswith(query.get("prefix", [""])[0]))
        first = int(query.get("continuation-token", ["0"])[0])
        more = first + 1 < len(keys)
        entries = "".join(
            f"<Contents><Key>{urllib.parse.quote(key, safe='/')}</Key><LastModified>2026-01-02T03:04:05.000Z"
            f"</LastModified><ETag>&quot;0&quot;</ETag><Size>{len(self.objects[key])}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>" for key in keys[first:first + 1])
        token = f"<NextContinuationToken>{first + 1}</NextContinuationToken>" if more else ""
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                f"<Name>scans</Name><IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}"
                "<EncodingType>url</EncodingType></ListBucketResult>").encode()


def test_objects_in_a_bucket(new_server):
    bucket = Bucket()
    bucket.objects = {"in/first one.txt": b"first\n", "in/b&b.txt": b"second\n", "in/no.pdf": b"x", "out/c.txt": b"y"}
    server = new_server(args=["--allow-private", "127.0.0.0/8"])
    client = server.client()
    spec = {"url": bucket.url, "region": "eu-central-1", "prefix": "in/", "match": "*.txt", "access-key": "KEY",
            "secret": "S3", "every": "1s"}
    store(client, "scans", {"bucket": spec})
    told = until(lambda: (t := trigger(client, "scans.bucket"))["fault"] and t, why="the fault")
    assert "S3" in told["fault"] and not bucket.asked
    client.request("PUT", "/api/v1/secrets/S3", body=json.dumps({"value": "hidden"}),
                   headers={"Content-Type": "application/json"})
    client.post("/api/v1/triggers/scans.bucket/pause")
    client.post("/api/v1/triggers/scans.bucket/resume")
    fired(client, "scans.bucket", 2)
    bucket.objects["in/third.txt"] = b"third\n"
    value = said(client, "scans.bucket", 3)
    assert (value["path"], value["bytes"], value["file"]["type"]) == ("in/third.txt", 6, "text/plain")
    assert value["modified"] == "2026-01-02T03:04:05.000Z"
    lists = len([a for a in bucket.asked if "list-type=2" in a])
    until(lambda: len([a for a in bucket.asked if "list-type=2" in a]) > lists + 8, why="further lists")
    assert trigger(client, "scans.bucket")["fired"] == 3 and bucket.refused == 0
    fetched = [a for a in bucket.asked if "list-type" not in a]
    assert sorted(fetched) == ["/scans/in/b%26b.txt", "/scans/in/first%20one.txt", "/scans/in/third.txt"]
    assert "hidden" not in server.log_text()


def test_a_schedule_is_declared(mine):
    store(mine, "nightly", {"schedule": {"cron": "0 3 * * *", "zone": "Europe/Berlin"}})
    listed = mine.get("/api/v1/schedules").json()["schedules"]
    assert [(s["pipeline"], s["cron"], s["declared_by"]) for s in listed] == [("nightly", "0 3 * * *", "nightly")]
    assert mine.post("/api/v1/triggers/nightly.schedule/pause").status == 200
    assert mine.get("/api/v1/schedules").json()["schedules"] == []
    mine.post("/api/v1/triggers/nightly.schedule/resume")
    assert len(mine.get("/api/v1/schedules").json()["schedules"]) == 1


def test_faults_are_told_at_once(mine):
    faults = dict(refused(mine, {
        "evnt": "a.b", "webhook": {"verify": "githb"}, "folder": {"path": "../etc", "mtch": "*"},
        "schedule": {"cron": "x"}, "pipeline": {"names": "a", "states": ["over"]},
        "event": [{"types": "A B"}, {"types": "a.b", "with": {"nme": "${{ inputs.x }}"}, "if": "1 +"}]},
        {"name": {"type": "text"}}))
    assert 'mean "event"' in faults["on.evnt"]
    assert 'mean "github"' in faults["on.webhook.verify"]
    assert "watch-root" in faults["on.folder.path"] and 'mean "match"' in faults["on.folder.mtch"]
    assert {"on.schedule.cron", "on.pipeline.states", "on.event[0].types", "on.event[1].with",
            "on.event[1].if"} <= set(faults)


def test_pipelines_that_come_with_platen(mine):
    names = {p["name"] for p in mine.get("/api/v1/pipelines").json()["pipelines"]}
    assert {"documents", "photos", "file_uploaded", "user_created"} <= names
    for name in names:
        source = mine.get(f"/api/v1/pipelines/{name}/source").text()
        answer = mine.request("PUT", f"/api/v1/pipelines/{name}", {"dry_run": "true"}, body=source,
                              headers={"Content-Type": "application/yaml"})
        assert answer.status == 200, answer.text()
    listed = {t["id"]: t for t in mine.get("/api/v1/triggers").json()["triggers"]}
    assert listed["user_created.event"]["paused"] and listed["user_created.event"]["built_in"]
    publish(mine, "user.created", {"name": "early"})
    assert mine.post("/api/v1/triggers/user_created.event/resume").json()["built_in"] is False
    publish(mine, "user.created", {"name": "Ada", "email": "ada@example.org"})
    job = mine.wait(fired(mine, "user_created.event")["last_job"])
    assert job["state"] == "done", job
    assert job["data"]["message"]["to"] == "ada@example.org" and "Hello Ada" in job["data"]["message"]["text"]
    assert trigger(mine, "user_created.event")["fired"] == 1


def test_an_uploaded_file_becomes_chunks(mine):
    mine.post("/api/v1/triggers/file_uploaded.event/resume")
    mine.post("/api/v1/documents", files=[("a.md", b"# Title\n\nSome words that say something.\n")])
    job = mine.wait(fired(mine, "file_uploaded.event")["last_job"])
    assert job["state"] == "done", job
    assert job["data"]["verdict"] == "clean" and job["data"]["chunks"]["bytes"] > 0


def send_message(client, queue, payload):
    answer = client.post(f"/api/v1/queues/{queue}/tasks", json={"payload": payload})
    assert answer.status == 202, answer
    return answer.json()["id"]


def test_messages_of_a_queue(client):
    earlier = send_message(client, "orders", {"n": 1})  # it waits for somebody
    store(client, "by-queue", {"queue": {"name": "orders", "with": {"n": "${{ trigger.payload.n }}"}}},
          inputs={"n": {"type": "int", "min": 1}})
    first = client.wait(earlier)
    value = said(client, "by-queue.queue")
    assert (value["kind"], value["queue"], value["payload"], value["job"]) == ("queue", "orders", {"n": 1}, earlier)
    assert first["state"] == "done" and first["data"] == {"job": trigger(client, "by-queue.queue")["last_job"]}
    messages = [send_message(client, "orders", {"n": n}) for n in range(2, 12)]
    ends = [client.wait(m) for m in messages]
    assert [e["state"] for e in ends] == ["done"] * 10 and len({e["data"]["job"] for e in ends}) == 10
    refused_one = client.wait(send_message(client, "orders", {"n": 0}))
    assert (refused_one["state"], refused_one["reason"]) == ("failed", "task_refused"), refused_one
    assert client.wait(send_message(client, "orders", {"n": 5}))["state"] == "done"
    assert refused(client, {"queue": {}}) and refused(client, {"queue": "x", "quee": "y"})
