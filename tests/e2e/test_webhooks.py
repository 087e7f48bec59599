"""Webhooks out: messages to a real receiver, signatures checked by independent code, every way a receiver can misbehave."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

import pytest

from platen import Server, cli, until

ALLOWED = ["--allow-private", "127.0.0.0/8"]


class Receiver:
    """An HTTP server on loopback. `answer(path, n)` decides: (status, headers, body), or None to hang up; n counts from 1."""

    def __init__(self, answer=lambda path, n: (200, {}, b"ok")):
        self.got, self.answer, self.lock = [], answer, threading.Lock()
        self.release = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body, time.time()))
                    n = sum(1 for got in outer.got if got[0] == self.path)
                reply = outer.answer(self.path, n)
                if reply is None:
                    self.close_connection = True
                    return
                status, headers, text = reply
                self.send_response(status)
                for name, value in {"Content-Length": len(text), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def url(self, path="/hook", host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    def messages(self, path="/hook"):
        with self.lock:
            return [got for got in self.got if got[0] == path]

    def wait(self, count, path="/hook"):
        return until(lambda: len(self.messages(path)) >= count and self.messages(path), why=f"{count} messages to {path}")

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver():
    made = []

    def make(*args):
        made.append(Receiver(*args))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def allowing(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("webhooks"), args=ALLOWED)
    yield server
    server.stop()


@pytest.fixture
def hooked(allowing):
    """A server that may send to loopback; webhooks that a test makes are gone after it."""
    yield allowing
    client = allowing.client()
    for made in client.get("/api/v1/webhooks").json()["webhooks"]:
        client.delete(f"/api/v1/webhooks/{made['id']}")
    allowing.check_log()


def signed_by(message, *secrets):
    """Which of the secrets have signed it, as Standard Webhooks says."""
    _, headers, body, _ = message
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    signatures = headers["webhook-signature"].split(" ")
    assert all(s.startswith("v1,") for s in signatures)
    fits = [s for s in secrets if "v1," + base64.b64encode(hmac.new(
        base64.b64decode(s.removeprefix("whsec_")), content, hashlib.sha256).digest()).decode() in signatures]
    assert len(fits) == len(signatures), "a signature by none of the secrets"
    return fits


def hook(client, url, types="", **more):
    answer = client.post("/api/v1/webhooks", json={"url": url, "types": types, **more})
    assert answer.status == 201, answer
    return answer.json()


def publish(client, kind, data=None, **more):
    answer = client.post("/api/v1/events", json={"type": kind, "data": data or {}, **more})
    assert answer.status == 201, answer
    return answer.json()


def deliveries(client, made, **query):
    answer = client.get(f"/api/v1/webhooks/{made['id']}/deliveries", query)
    assert answer.status == 200, answer
    return answer.json()["deliveries"]


def delivery(client, made, index=0):
    answer = client.get(f"/api/v1/webhooks/{made['id']}/deliveries/{deliveries(client, made)[index]['id']}")
    assert answer.status == 200, answer
    return answer.json()


def state(client, made):
    return client.get(f"/api/v1/webhooks/{made['id']}").json()["state"]


def test_events_arrive_signed(hooked, receiver):
    client, target = hooked.client(), receiver()
    publish(client, "user.before")  # before the webhook: not sent
    made = hook(client, target.url(), "job.*,user.*")
    assert made["secret"].startswith("whsec_") and made["state"] == "active"
    job = client.run("test.noop")
    event = publish(client, "user.created", {"id": 7, "name": "Ä"}, subject="user-7")
    publish(client, "other.thing")
    done, user = sorted(target.wait(2), key=lambda m: json.loads(m[2])["id"])  # two at a time: either may be first
    assert json.loads(done[2])["type"] == "job.done" and json.loads(done[2])["job"] == job["id"]
    assert json.loads(done[2])["data"]["state"] == "done" and json.loads(done[2])["subject"] == "test.noop"
    assert json.loads(user[2]) == {"type": "user.created", "timestamp": event["time"], "id": event["id"], "job": None,
                                   "subject": "user-7", "data": {"id": 7, "name": "Ä"}}
    for message in (done, user):
        assert signed_by(message, made["secret"]) == [made["secret"]]
        assert message[1]["content-type"] == "application/json" and message[1]["user-agent"].startswith("platen/")
    sent = until(lambda: [d for d in deliveries(client, made) if d["state"] == "done"] if
                 all(d["state"] == "done" for d in deliveries(client, made)) else None)
    assert [d["type"] for d in sent] == ["user.created", "job.done"]
    assert {d["id"] for d in sent} == {done[1]["webhook-id"], user[1]["webhook-id"]}
    shown = delivery(client, made)
    assert shown["body"] == json.loads(user[2])
    assert [(a["number"], a["status"], a["answer"]) for a in shown["history"]] == [(1, 200, "ok")]
    assert len(target.messages()) == 2
    assert "secret" not in client.get(f"/api/v1/webhooks/{made['id']}").json()
    raw = b"".join(path.read_bytes() for path in hooked.data.glob("platen.db*"))
    assert made["secret"].encode() not in raw, "the secret lies in the clear"


def test_a_failure_is_tried_again_when_asked(hooked, receiver):
    target = receiver(lambda path, n: (503, {"Retry-After": 1}, b"later \xff\x00 please") if n == 1 else (204, {}, b""))
    client = hooked.client()
    made = hook(client, target.url(), "a.*")
    publish(client, "a.one")
    first, second = target.wait(2)
    assert first[1]["webhook-id"] == second[1]["webhook-id"] and first[2] == second[2]
    assert second[3] - first[3] >= 0.99 and signed_by(second, made["secret"])
    shown = until(lambda: (d := delivery(client, made))["state"] == "done" and d)
    assert [(a["status"], a.get("reason")) for a in shown["history"]] == [(503, "remote_failed"), (204, None)]
    assert shown["history"][0]["answer"].startswith("later")


def test_what_does_not_answer_waits(hooked, receiver):
    target = receiver(lambda path, n: None)
    client = hooked.client()
    made = hook(client, target.url(), "a.*")
    publish(client, "a.one")
    shown = until(lambda: (d := delivery(client, made) if deliveries(client, made) else None) and d["attempts"] == 1 and d)
    assert shown["state"] == "pending" and shown["next"] and shown["status"] == 0
    assert shown["history"][0]["reason"] == "unreachable"
    target.answer = lambda path, n: (302, {"Location": target.url("/elsewhere")}, b"")  # not followed
    target.wait(2)
    until(lambda: delivery(client, made)["attempts"] == 2)
    assert delivery(client, made)["history"][1]["reason"] == "remote_refused" and not target.messages("/elsewhere")


def test_gone_disables(hooked, receiver):
    target = receiver(lambda path, n: (410, {}, b"") if n == 1 else (200, {}, b""))
    client = hooked.client()
    made = hook(client, target.url(), "a.*")
    publish(client, "a.one")
    until(lambda: state(client, made) == "disabled")
    got = client.get(f"/api/v1/webhooks/{made['id']}").json()
    assert got["reason"] == "gone" and delivery(client, made)["state"] == "failed"
    told = client.get("/api/v1/events", {"types": "webhook.*"}).json()["events"]
    assert [(e["type"], e["subject"], e["data"]["reason"]) for e in told] == [("webhook.disabled", made["id"], "gone")]
    publish(client, "a.two")
    assert client.post(f"/api/v1/webhooks/{made['id']}/ping").status == 409
    back = client.request("PATCH", f"/api/v1/webhooks/{made['id']}", json={"state": "active"})
    assert back.status == 200 and back.json()["state"] == "active"
    _, second = target.wait(2)  # what happened meanwhile is not lost
    assert json.loads(second[2])["type"] == "a.two"
    until(lambda: deliveries(client, made)[0]["state"] == "done")
    assert client.post(f"/api/v1/webhooks/{made['id']}/redeliver", json={}).json()["count"] == 1
    third = target.wait(3)[2]
    assert json.loads(third[2])["type"] == "a.one" and third[1]["webhook-id"] == target.messages()[0][1]["webhook-id"]


def test_a_slow_address_holds_up_nobody(hooked, receiver):
    target = receiver()

    def slow_or_not(path, n):
        if path == "/slow":
            target.release.wait(15)
        return 200, {}, b""
    target.answer = slow_or_not
    client = hooked.client()
    hook(client, target.url("/slow"), "a.*")
    hook(client, target.url("/fast"), "a.*")
    for n in range(12):
        publish(client, "a.one", {"n": n})
    fast = target.wait(12, "/fast")
    assert sorted(json.loads(m[2])["data"]["n"] for m in fast) == list(range(12))
    assert len(target.messages("/slow")) == 2 and not target.release.is_set()
    target.release.set()
    target.wait(12, "/slow")


def test_a_kill_in_the_middle(new_server, receiver):
    """Sent again after the start, under the same id: at least once, never lost."""
    hooked = new_server(args=ALLOWED)
    target = receiver()

    def hold_first(path, n):
        if n == 1:
            target.release.wait(15)
        return 200, {}, b""
    target.answer = hold_first
    client = hooked.client()
    made = hook(client, target.url(), "a.*")
    publish(client, "a.one")
    target.wait(1)
    hooked.kill()
    target.release.set()
    hooked.start()
    first, second = target.wait(2)
    assert first[1]["webhook-id"] == second[1]["webhook-id"] and first[2] == second[2]
    client = hooked.client()
    until(lambda: [d["state"] for d in deliveries(client, made)] == ["done"])
    assert signed_by(second, made["secret"])


def test_rotation(hooked, receiver):
    client, target = hooked.client(), receiver()
    made = hook(client, target.url(), "a.*")
    answer = client.post(f"/api/v1/webhooks/{made['id']}/rotate")
    assert answer.status == 200, answer
    fresh = answer.json()
    assert fresh["secret"] != made["secret"] and fresh["old_secret_until"]
    publish(client, "a.one")
    message = target.wait(1)[0]
    assert signed_by(message, made["secret"], fresh["secret"]) == [made["secret"], fresh["secret"]]
    own = "whsec_" + base64.b64encode(b"0123456789abcdefghijklmnop").decode()
    mine = hook(client, target.url("/mine"), "b.*", secret=own)
    assert mine["secret"] == own
    ping = client.post(f"/api/v1/webhooks/{mine['id']}/ping")
    assert ping.status == 202 and ping.json()["type"] == "webhook.ping", ping
    message = target.wait(1, "/mine")[0]
    assert signed_by(message, own) == [own] and json.loads(message[2])["type"] == "webhook.ping"
    assert message[1]["webhook-id"] == ping.json()["id"]


def test_pause_change_delete(hooked, receiver):
    client, target = hooked.client(), receiver()
    made = hook(client, target.url(), "a.*", description="ours")
    path = f"/api/v1/webhooks/{made['id']}"
    assert client.request("PATCH", path, json={"state": "paused"}).json()["state"] == "paused"
    publish(client, "a.one")
    changed = client.request("PATCH", path, json={"url": target.url("/new"), "state": "active"}).json()
    assert changed["url"].endswith("/new") and changed["description"] == "ours" and changed["types"] == "a.*"
    target.wait(1, "/new")
    assert not target.messages()
    until(lambda: deliveries(client, made)[0]["state"] == "done")
    again = f"{path}/deliveries/{deliveries(client, made)[0]['id']}/redeliver"
    assert client.post(again).status == 202
    first, second = target.wait(2, "/new")
    assert first[1]["webhook-id"] == second[1]["webhook-id"]
    assert [w["id"] for w in client.get("/api/v1/webhooks").json()["webhooks"]] == [made["id"]]
    assert client.delete(path).status == 204
    assert client.get(path).status == 404 and client.delete(path).status == 404
    assert client.get(f"{path}/deliveries").status == 404


def test_what_is_refused(new_server, receiver):
    server, target = new_server(), receiver()  # nothing private is allowed
    client = server.client()
    for url in ("http://127.0.0.1:1/", "http://10.1.2.3/", "http://[::1]/", "http://169.254.169.254/latest", "http://0x7f000001/",
                "http://[::ffff:127.0.0.1]/", "http://2130706433/"):
        answer = client.post("/api/v1/webhooks", json={"url": url})
        assert (answer.status, answer.json()["reason"]) == (422, "address_refused"), url
    for body in ({"url": "ftp://example.com/"}, {"url": "http://user:pass@example.com/"}, {"url": "example.com"}, {"url": "http://a b/"}, {},
                 {"url": "http://example.com/", "types": "A"}, {"url": "http://example.com/", "secret": "short"},
                 {"url": "http://example.com/", "secret": "whsec_AAAA"}):
        assert client.post("/api/v1/webhooks", json=body).status == 422, body
    assert client.start("test.noop", callback_url="http://127.0.0.1:1/").json()["reason"] == "address_refused"
    made = hook(client, target.url(host="localhost"), "a.*")  # a name: known when it is looked up
    publish(client, "a.one")
    shown = until(lambda: (d := delivery(client, made) if deliveries(client, made) else None) and d["state"] == "failed" and d)
    assert shown["history"][0]["reason"] == "address_refused" and not target.got
    assert state(client, made) == "active"


def test_a_callback_at_the_end_of_a_job(hooked, receiver):
    client, target = hooked.client(), receiver()
    job = client.run("test.noop", callback_url=target.url("/done"))
    client.run("test.noop")
    failed = client.run("test.fail", attempts=1, callback_url=target.url("/failed"))
    batch = client.post("/api/v1/steps/file.detect/batch", {"wait": 30, "callback_url": target.url("/batch")},
                        files=[("a.txt", b"one"), ("b.txt", b"two")]).json()
    done, fail, whole = target.wait(1, "/done")[0], target.wait(1, "/failed")[0], target.wait(1, "/batch")[0]
    assert json.loads(done[2])["job"] == job["id"] and json.loads(done[2])["type"] == "job.done"
    assert json.loads(fail[2])["job"] == failed["id"] and json.loads(fail[2])["data"]["reason"] == failed["reason"]
    assert json.loads(whole[2])["job"] == batch["id"]
    hooks = client.get("/api/v1/webhooks").json()["webhooks"]
    assert [w["callbacks"] for w in hooks] == [True]
    secret = client.post(f"/api/v1/webhooks/{hooks[0]['id']}/rotate").json()["secret"]
    client.run("test.noop", callback_url=target.url("/signed"))
    content = target.wait(1, "/signed")[0]
    assert "v1," in content[1]["webhook-signature"] and len(content[1]["webhook-signature"].split(" ")) == 2
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{content[1]['webhook-id']}.{content[1]['webhook-timestamp']}.".encode() + content[2]
    assert base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode() in content[1]["webhook-signature"]
    assert {d["type"] for d in deliveries(client, hooks[0])} == {"job.done", "job.failed"}
    assert len(target.got) == 4


def test_many_events_at_once(hooked, receiver):
    client, target = hooked.client(), receiver()
    hook(client, target.url(), "test.thing")
    for n in range(60):
        publish(client, "test.thing", {"n": n})
    got = target.wait(60)
    assert sorted(json.loads(m[2])["data"]["n"] for m in got) == list(range(60))
    assert len({m[1]["webhook-id"] for m in got}) == 60


def test_the_command(new_server, receiver):
    hooked = new_server(args=ALLOWED)
    target, own = receiver(), ["--data", hooked.data]
    assert "No webhooks yet" in cli("webhooks", *own, check=0).stdout
    whk, _, rest = cli("webhooks", "add", target.url(), "--types", "a.*", *own, check=0).stdout.partition("  ")
    state_word, secret = rest.split()
    assert whk.startswith("whk_") and state_word == "active" and secret.startswith("whsec_")
    message = cli("webhooks", "ping", whk, *own, check=0).stdout.split()[0]
    sent = target.wait(1)[0]
    assert signed_by(sent, secret) and sent[1]["webhook-id"] == message
    until(lambda: "done" in cli("webhooks", "log", whk, *own, check=0).stdout)
    assert "No such messages" in cli("webhooks", "log", whk, "--failed", *own, check=0).stdout
    cli("webhooks", "redeliver", whk, message, *own, check=0)
    target.wait(2)
    assert "0 sent again" in cli("webhooks", "redeliver", whk, *own, check=0).stdout
    fresh = cli("webhooks", "rotate", whk, *own, check=0).stdout.split()[-1]
    assert fresh.startswith("whsec_") and fresh != secret
    assert "paused" in cli("webhooks", "pause", whk, *own, check=0).stdout
    listed = json.loads(cli("webhooks", "list", "--json", *own, check=0).stdout)["webhooks"]
    assert [(w["id"], w["state"], w["url"]) for w in listed] == [(whk, "paused", target.url())]
    assert "active" in cli("webhooks", "resume", whk, *own, check=0).stdout
    assert "deleted" in cli("webhooks", "delete", whk, *own, check=0).stdout
    assert cli("webhooks", "ping", whk, *own).returncode == 1
    assert cli("webhooks", "add", *own).returncode == cli("webhooks", "nonsense", *own).returncode == 2
