"""Queues whose tasks are pushed to an address: signed, repeated with a stable id, answered by status."""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import threading

import pytest

from platen import until

Got = collections.namedtuple("Got", "id time signature body")


class Receiver:
    """An HTTP server that answers from a script: (status, headers, body) one after the other, the last one for ever."""

    def __init__(self):
        self.got, self.script, self.running, self.most, self.hold = [], [(200, {}, b"{}")], 0, 0, threading.Event()
        self.lock = threading.Lock()
        self.hold.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.got.append(Got(self.headers["webhook-id"], self.headers["webhook-timestamp"],
                                         self.headers["webhook-signature"], body))
                    outer.running += 1
                    outer.most = max(outer.most, outer.running)
                    status, headers, answer = outer.script.pop(0) if len(outer.script) > 1 else outer.script[0]
                outer.hold.wait(30)
                with outer.lock:
                    outer.running -= 1
                try:
                    self.send_response(status)
                    for k, v in {"Content-Type": "application/json", **headers, "Content-Length": str(len(answer))}.items():
                        self.send_header(k, v)
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tasks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


@pytest.fixture(scope="module")
def pusher(tmp_path_factory):
    import platen
    server = platen.Server(tmp_path_factory.mktemp("push"), args=["--allow-private", "127.0.0.0/8"])
    yield server.client()
    server.stop()


def handle(client, queue, url, **more):
    answer = client.request("PUT", f"/api/v1/queues/{queue}/handler", json={"kind": "push", "url": url, **more})
    assert answer.status == 200, answer
    return answer.json()


def verify(got, secret):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    want = base64.b64encode(hmac.digest(key, b".".join((got.id.encode(), got.time.encode(), got.body)), hashlib.sha256)).decode()
    assert got.signature == f"v1,{want}"


def send(client, queue, payload, **more):
    answer = client.post(f"/api/v1/queues/{queue}/tasks", json={"payload": payload, **more})
    assert answer.status == 202, answer
    return answer.json()["id"]


def test_regular_course(pusher, receiver):
    secret = handle(pusher, "a", receiver.url)["secret"]
    receiver.script = [(200, {}, b'{"thumbnail": "t.png"}')]
    job = pusher.wait(send(pusher, "a", {"picture": "p.png"}))
    assert (job["state"], job["data"]) == ("done", {"thumbnail": "t.png"})
    got, = receiver.got
    verify(got, secret)
    body = json.loads(got.body)
    assert body["type"] == "queue.task" and body["data"]["payload"] == {"picture": "p.png"}
    assert body["data"]["job"] == job["id"] and body["data"]["id"] == got.id and body["data"]["attempt"] == 1
    assert "secret" not in handle(pusher, "a", receiver.url)  # it stays, and is not shown again
    pusher.wait(send(pusher, "a", 2))
    verify(receiver.got[1], secret)
    assert pusher.get("/api/v1/queues/a/handler").json()["url"] == receiver.url
    assert pusher.post("/api/v1/queues/a/lease", json={}).status == 409


def test_repeated_with_the_same_id(pusher, receiver):
    handle(pusher, "b", receiver.url)
    receiver.script = [(429, {"Retry-After": "1"}, b""), (200, {}, b"[1]")]
    job = pusher.wait(send(pusher, "b", 1))
    assert (job["state"], job["data"], job["attempts"]) == ("done", {"value": [1]}, 2)
    assert len({g.id for g in receiver.got}) == 1
    assert [json.loads(g.body)["data"]["attempt"] for g in receiver.got] == [1, 2]
    assert int(receiver.got[1].time) - int(receiver.got[0].time) >= 1
    assert pusher.event_types(job["id"]) == ["job.added", "task.started", "task.retry", "task.started", "task.done", "job.done"]


@pytest.mark.parametrize("status, reason", [(400, "task_refused"), (410, "task_refused"), (500, "task_failed"), (302, "task_failed")])
def test_what_a_status_means(pusher, receiver, status, reason):
    handle(pusher, f"c{status}", receiver.url)
    receiver.script = [(status, {"Location": receiver.url}, b"because")]
    job = pusher.wait(send(pusher, f"c{status}", 1, attempts=1))
    assert (job["state"], job["reason"]) == ("failed", reason) and str(status) in job["detail"] and "because" in job["detail"]
    assert len(receiver.got) == 1, "no redirect is followed, nothing is repeated"


def test_answers_that_are_no_objects(pusher, receiver):
    handle(pusher, "d", receiver.url, concurrency=1)
    receiver.script = [(204, {}, b""), (200, {"Content-Type": "text/plain"}, b"fine"), (200, {}, b'"x' * 60_000), (200, {}, b"")]
    jobs = [pusher.wait(send(pusher, "d", n, attempts=1)) for n in range(3)]
    assert [j["data"] for j in jobs] == [{}, {"text": "fine"}, {}]
    assert jobs[2]["reason"] == "limit_output"


def test_nobody_there(pusher, receiver):
    url = receiver.url
    handle(pusher, "e", url)
    receiver.close()
    job = pusher.wait(send(pusher, "e", 1, attempts=1))
    assert (job["state"], job["reason"]) == ("failed", "unreachable")


def test_at_most_so_many_at_once(pusher, receiver):
    handle(pusher, "f", receiver.url, concurrency=3)
    receiver.hold.clear()
    jobs = [send(pusher, "f", n) for n in range(10)]
    until(lambda: receiver.running == 3, why="three at once")
    receiver.hold.set()
    assert {pusher.wait(j)["state"] for j in jobs} == {"done"}
    assert receiver.most == 3 and len(receiver.got) == 10


def test_handlers_change(pusher, receiver):
    job = send(pusher, "g", "early")
    assert pusher.get("/api/v1/queues/g/handler").json() == {"queue": "g", "kind": "workers"}
    handle(pusher, "g", receiver.url)  # what stands there is pushed
    assert pusher.wait(job)["state"] == "done"
    back = pusher.request("PUT", "/api/v1/queues/g/handler", json={"kind": "workers"})
    assert back.json() == {"queue": "g", "kind": "workers"}
    job = send(pusher, "g", "later")
    task, = pusher.post("/api/v1/queues/g/lease", json={"wait": 20}).json()["tasks"]
    assert task["job"] == job and len(receiver.got) == 1
    pusher.post(f"/api/v1/tasks/{task['id']}/complete", json={"attempt": 1})


def test_delayed(pusher, receiver):
    handle(pusher, "h", receiver.url)
    assert pusher.wait(send(pusher, "h", 1, delay_ms=200))["state"] == "done"


def test_what_is_refused(pusher, client):
    for queue, body, reason in (("default", {"kind": "push", "url": "http://127.0.0.1/"}, "bad_param"),
                                ("x", {"kind": "push"}, "bad_param"), ("x", {"kind": "push", "url": "ftp://example.com/"}, "bad_param"),
                                ("x", {"kind": "push", "url": "http://10.0.0.1/"}, "address_refused"),
                                ("x", {"kind": "push", "url": "http://127.0.0.1/", "secret": "short"}, "bad_param"),
                                ("Big", {"kind": "workers"}, "bad_param")):
        answer = pusher.request("PUT", f"/api/v1/queues/{queue}/handler", json=body)
        assert answer.json()["reason"] == reason, (queue, body, answer)
    assert pusher.get("/api/v1/queues/x/handler").status == 404
    answer = client.request("PUT", "/api/v1/queues/x/handler", json={"kind": "push", "url": "http://127.0.0.1:1/"})
    assert answer.json()["reason"] == "address_refused", "loopback needs --allow-private"


def test_the_server_dies_while_it_pushes(new_server, receiver):
    server = new_server(args=["--allow-private", "127.0.0.0/8"])
    secret = handle(server.client(), "i", receiver.url)["secret"]
    receiver.hold.clear()
    job = send(server.client(), "i", 1)
    until(lambda: len(receiver.got) == 1, why="the push")
    server.kill()
    receiver.hold.set()
    server.start()
    assert server.client().wait(job)["state"] == "done"
    assert len(receiver.got) == 2 and len({g.id for g in receiver.got}) == 1
    verify(receiver.got[1], secret)


def test_the_server_stops_while_it_pushes(new_server, receiver):
    server = new_server(args=["--allow-private", "127.0.0.0/8", "--grace", "0"])
    handle(server.client(), "j", receiver.url)
    receiver.hold.clear()
    job = send(server.client(), "j", 1, attempts=1)
    until(lambda: len(receiver.got) == 1, why="the push")
    assert server.stop() == 0
    receiver.hold.set()
    server.start()
    assert server.client().wait(job)["state"] == "done", "the attempt did not count"


def test_the_secret_lies_sealed(new_server, receiver):
    server = new_server(args=["--allow-private", "127.0.0.0/8"])
    secret = handle(server.client(), "k", receiver.url)["secret"]
    assert server.client().wait(send(server.client(), "k", 1))["state"] == "done"
    verify(receiver.got[0], secret)
    server.stop()
    stored = b"".join(p.read_bytes() for p in server.data.glob("platen.db*"))
    assert secret.encode() not in stored and b"sealed:v1:" in stored
