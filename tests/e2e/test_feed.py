"""The project's feed: what happened, as a list, as streams that resume, and what callers publish."""

import json
import os
import subprocess

from platen import PLATEN, cli, environment, until


def put(client, kind, data=None, **more):
    answer = client.post("/api/v1/events", json={"type": kind, "data": data or {}, **more})
    assert answer.status == 201, answer
    return answer.json()


def newest(client):
    return page_all(client)[1]


def page_all(client, after="", types="", limit=1000):
    """All events after one, and where to go on."""
    events = []
    while True:
        answer = client.get("/api/v1/events", {"after": after, "types": types, "limit": limit})
        assert answer.status == 200, answer
        got = answer.json()
        events += got["events"]
        assert not got["gap"]
        if not got["events"]:
            return events, got["next"]
        after = got["next"]


class Feed:
    """Server-sent events of the project, one by one."""

    def __init__(self, client, query="", last=None):
        head = {**client.auth(), "Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        self.connection = client.connection(timeout=20)
        self.connection.request("GET", "/api/v1/events" + query, headers=head)
        self.answer = self.connection.getresponse()
        self.status, self.contract = self.answer.status, client.contract

    def next(self):
        fields = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith(":"):
                continue
            if not line and "data" not in fields:  # where the stream begins
                continue
            if not line:
                data = json.loads(fields["data"])
                self.contract.validate(data, {"$ref": "#/components/schemas/Happening"})
                assert (fields["id"], fields["event"]) == (data["id"], data["type"])
                return data
            name, _, value = line.partition(": ")
            fields[name] = value

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.answer.close()
        self.connection.close()


def test_what_is_told(client):
    place = newest(client)
    job = client.run("test.noop")
    failed = client.run("test.fail", attempts=1)
    assert failed["state"] == "failed"
    sleeper = client.add("test.sleep", {"ms": 3600000})
    client.post(f"/api/v1/jobs/{sleeper}/cancel")
    doc = client.post("/api/v1/documents", files=[("a.txt", b"words")]).json()["documents"][0]
    client.delete(f"/api/v1/documents/{doc['id']}")
    events, _ = page_all(client, place)
    mine = [e for e in events if e["job"] in (job["id"], failed["id"], sleeper) or e["subject"] == doc["id"]]
    assert [e["type"] for e in mine] == ["job.done", "task.dead", "job.failed", "job.canceled", "document.added",
                                         "document.deleted"]
    done, dead, fail, cancel, added, deleted = mine
    assert done["subject"] == "test.noop" and done["data"] == {
        "state": "done", "attempts": 1, "started": job["started"], "finished": job["finished"]}
    assert dead["data"]["step"] == "test.fail" and dead["data"]["reason"] == failed["reason"]
    assert fail["subject"] == "test.fail" and fail["data"]["state"] == "failed"
    assert fail["data"]["reason"] == failed["reason"] and fail["data"]["hint"]
    assert cancel["subject"] == "test.sleep" and cancel["data"]["reason"] == "canceled"
    assert added["data"] == {"name": "a.txt", "type": doc["type"], "bytes": 5, "blob": doc["blob"]}
    assert deleted["data"] == added["data"]
    assert [e["id"] for e in events] == sorted(e["id"] for e in events)


def test_items_of_a_batch_are_not_told(client):
    place = newest(client)
    answer = client.post("/api/v1/steps/file.detect/batch", {"wait": 30},
                         files=[("a.txt", b"one"), ("b.txt", b"two")])
    assert answer.status == 200, answer
    events, _ = page_all(client, place)
    assert [e["job"] for e in events if e["subject"] == "file.detect"] == [answer.json()["id"]]


def test_filters_and_pages(client):
    place = newest(client)
    made = [put(client, kind, {"n": n}) for n, kind in enumerate(["a.one", "b.one", "a.two", "a.three"])]
    assert page_all(client, place, "a.*", 1)[0] == [made[0], made[2], made[3]]
    assert page_all(client, place, "b.one,a.two")[0] == [made[1], made[2]]
    assert page_all(client, place, "nothing.*")[0] == []
    for bad in ({"types": "A b"}, {"types": "*.done"}, {"after": "job_0000000000000"}, {"after": "x"}, {"limit": 0}):
        assert client.get("/api/v1/events", bad).status == 422, bad


def test_publishing(client):
    made = put(client, "user.created", {"id": 7, "name": "Ä"}, subject="user-7")
    assert made["data"] == {"id": 7, "name": "Ä"} and made["subject"] == "user-7" and made["job"] is None
    for body in ({"type": "job.done"}, {"type": "document.mine"}, {"type": "plain"}, {"type": "A.b"}, {"type": "a.b", "data": [1]},
                 {"type": "a.b", "data": {"x": "y" * 20000}}, {"data": {}}, {"type": "a.b", "more": 1},
                 {"type": "webhook.disabled"}, {"type": "a" * 60 + ".bcdef"}):
        answer = client.post("/api/v1/events", json=body)
        assert answer.status == 422, (body, answer)


def test_publishing_once(client):
    place, head = newest(client), {"Idempotency-Key": "feed-" + os.urandom(4).hex()}
    first = client.post("/api/v1/events", json={"type": "a.b", "data": {"n": 1}}, headers=head)
    again = client.post("/api/v1/events", json={"type": "a.b", "data": {"n": 1}}, headers=head)
    other = client.post("/api/v1/events", json={"type": "a.b", "data": {"n": 2}}, headers=head)
    assert first.status == again.status == 201 and first.json() == again.json()
    assert (other.status, other.json()["reason"]) == (422, "idempotency_mismatch")
    assert page_all(client, place)[0] == [first.json()]


def test_a_stream_resumes(client):
    with Feed(client, "?types=x.*") as feed:
        one = put(client, "x.one")
        put(client, "y.one")
        two = put(client, "x.two")
        assert [feed.next(), feed.next()] == [one, two]
    three = put(client, "x.three")
    with Feed(client, "?types=x.*", last=one["id"]) as feed:
        assert [feed.next(), feed.next()] == [two, three]
        four = put(client, "x.four")
        assert feed.next() == four
    with Feed(client, f"?types=x.*&after={three['id']}") as feed:
        assert feed.next() == four
    for query, last in (("?after=evt_1", None), ("", "7")):
        with Feed(client, query, last) as feed:
            assert feed.status == 422


def test_a_websocket_follows_the_project(client):
    place = put(client, "w.zero")["id"]
    with client.websocket(f"/api/v1/events/socket?types=w.*&after={place}") as ws:
        assert ws.status == 101
        one, two = put(client, "w.one"), put(client, "w.two")
        assert [json.loads(ws.message()), json.loads(ws.message())] == [one, two]
    with client.websocket("/api/v1/events/socket?types=W") as ws:
        assert ws.status == 422


def test_many_streams_of_one_project(client):
    """Each gets all of its types, in order; those that leave are forgotten."""
    feeds = [Feed(client, "?types=many.*") for _ in range(60)]
    made = [put(client, f"many.{kind}") for kind in ("one", "two", "three")]
    for feed in feeds[::2]:
        feed.close()
    for feed in feeds[1::2]:
        assert [feed.next() for _ in made] == made
        feed.close()
    until(lambda: "\nplaten_http_streams 0\n" in client.get("/metrics").text(), why="all streams gone")


def test_events_outlive_the_server(new_server):
    server = new_server()
    client = server.client()
    one = put(client, "a.one")
    server.kill()
    server.start()
    client = server.client()
    two = put(client, "a.two")
    assert page_all(client, types="a.*")[0] == [one, two]


def test_the_command(new_server):
    server = new_server()
    client = server.client()
    target = ["--data", server.data]
    one = put(client, "user.created", {"id": 1})
    client.run("test.noop")
    shown = cli("events", *target, check=0).stdout
    assert "user.created" in shown and "job.done" in shown and "test.noop" in shown
    got = [json.loads(line) for line in cli("events", "--json", "--types", "user.*", *target, check=0).stdout.splitlines()]
    assert got == [one]
    made = json.loads(cli("events", "publish", "user.deleted", "--fields", '{"id": 1}', "--json", *target, check=0).stdout)
    assert made["type"] == "user.deleted" and made["data"] == {"id": 1}
    assert cli("events", "publish", "job.done", *target).returncode == 2
    assert cli("events", "nonsense", *target).returncode == 2

    follow = subprocess.Popen([str(PLATEN), "events", "--follow", "--json", "--types", "user.*", "--after", made["id"],
                               "--server", server.url, "--key", server.owner_key],
                              stdout=subprocess.PIPE, text=True, env=environment())
    try:
        two = put(client, "user.two")
        assert json.loads(follow.stdout.readline()) == two
        port = server.url.rpartition(":")[2]  # the connection breaks, and what happened meanwhile is not lost
        server.kill()
        server.start(args=["--listen", f"127.0.0.1:{port}"])
        three = put(server.client(), "user.three")
        assert json.loads(follow.stdout.readline()) == three
    finally:
        follow.terminate()
        follow.wait(10)
        follow.stdout.close()
