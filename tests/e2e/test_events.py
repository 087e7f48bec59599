"""A job's events: as a list, as a stream (SSE), over a WebSocket."""

import concurrent.futures
import json

import pytest

from platen import until

REGULAR = ["job.added", "task.started", "task.done", "job.done"]


def test_the_regular_way_has_four_events_and_nothing_else(client):
    for step, params in (("test.noop", {}), ("text.stats", {"text": "x"})):
        job = client.run(step, params)
        events = client.get(f"/api/v1/jobs/{job['id']}/events").json()["events"]
        assert [e["type"] for e in events] == REGULAR
        assert [e["seq"] for e in events] == [1, 2, 3, 4]
        assert all(e["job"] == job["id"] for e in events)
        assert [e["time"] for e in events] == sorted(e["time"] for e in events)


def test_a_failure_is_told_in_order(client):
    job = client.run("test.fail", {"reason": "no_text"})
    assert client.event_types(job["id"]) in (["job.added", "task.started", "task.failed", "job.failed"],
                                             ["job.added", "task.started", "task.failed", "task.dead", "job.failed"])
    events = client.get(f"/api/v1/jobs/{job['id']}/events").json()["events"]
    assert events[2]["data"]["reason"] == "no_text"


def test_after_and_limit(client):
    job = client.run("test.noop")["id"]
    path = f"/api/v1/jobs/{job}/events"
    assert [e["seq"] for e in client.get(path, {"after": 2}).json()["events"]] == [3, 4]
    assert [e["seq"] for e in client.get(path, {"limit": 2}).json()["events"]] == [1, 2]
    assert client.get(path, {"after": 99}).json()["events"] == []
    assert client.get(path, {"after": -1}).status == client.get(path, {"limit": 0}).status == 422


def test_a_stream_follows_a_job_to_its_end(client):
    job = client.add("test.sleep", {"ms": 300})
    with client.events(job) as stream:
        assert stream.status == 200 and stream.headers["content-type"].startswith("text/event-stream")
        events = list(stream)  # ends with the job
    assert [e.id for e in events] == list(range(1, len(events) + 1))
    assert events[0].type == "job.added" and events[1].type == "task.started" and events[-1].type == "job.done"
    assert {e.type for e in events[2:-2]} <= {"task.progress"}
    listed = client.get(f"/api/v1/jobs/{job}/events").json()["events"]
    assert [e.data for e in events] == listed  # what is streamed is what is kept


def test_a_stream_is_live(client):
    job = client.add("test.sleep", {"ms": 3600000})
    with client.events(job) as stream:
        events = iter(stream)
        assert next(events).type == "job.added"
        assert next(events).type == "task.started"
        client.post(f"/api/v1/jobs/{job}/cancel")
        rest = [e.type for e in events]
    assert rest[-1] == "job.canceled" and set(rest[:-1]) <= {"task.progress"}


def test_a_stream_of_an_ended_job_ends_at_once(client):
    job = client.run("test.noop")["id"]
    with client.events(job) as stream:
        assert [e.type for e in stream] == REGULAR


@pytest.mark.parametrize("last", [0, 1, 3, 4, 99])
def test_a_stream_resumes_after_the_last_event_that_was_seen(client, last):
    job = client.run("test.noop")["id"]
    with client.events(job, after=last) as stream:
        assert [e.id for e in stream] == [n for n in (1, 2, 3, 4) if n > last]


def test_a_broken_stream_resumes_without_loss_or_repetition(client):
    job = client.add("test.sleep", {"ms": 1500})
    seen = []
    with client.events(job) as stream:
        for event in stream:
            seen.append(event)
            if len(seen) == 3:
                break  # the connection breaks here
    with client.events(job, after=seen[-1].id) as stream:
        seen += list(stream)
    assert [e.id for e in seen] == list(range(1, len(seen) + 1)) and seen[-1].type == "job.done"


def test_what_a_stream_refuses(client, server):
    job = client.run("test.noop")["id"]
    for bad in ("x", "-1", "1.5", "9" * 30):
        with client.events(job, after=bad) as stream:
            assert stream.status == 400
    with client.events("job_0000000000000") as stream:
        assert stream.status == 404
    with server.client(None).events(job) as stream:
        assert stream.status == 401


def test_fifty_streams_at_once(client):
    job = client.add("test.sleep", {"ms": 700})

    def follow(_):
        with client.events(job) as stream:
            return [e.id for e in stream]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        got = list(pool.map(follow, range(50)))
    assert all(ids == got[0] for ids in got) and got[0] == list(range(1, len(got[0]) + 1)) and len(got[0]) >= 4


def test_readers_that_leave_are_forgotten(new_server):
    """Streams and sockets whose readers go away, at every moment, leave nothing behind: the stop is in order."""
    server = new_server()
    client = server.client()
    job = client.add("test.sleep", {"ms": 3600000})
    head = f"Host: x\r\nAuthorization: Bearer {client.key}\r\n"
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    for i in range(60):
        kinds = (f"GET /api/v1/jobs/{job}/events HTTP/1.1\r\n{head}Accept: text/event-stream\r\n\r\n",
                 f"GET /api/v1/jobs/{job}/socket HTTP/1.1\r\n{head}{upgrade}\r\n",
                 f"HEAD /api/v1/jobs/{job}/events HTTP/1.1\r\n{head}Accept: text/event-stream\r\n\r\n",
                 f"GET /api/v1/jobs/{job}?wait=60 HTTP/1.1\r\n{head}\r\n")
        with client.connect() as sock:
            sock.sendall(kinds[i % 4].encode())
            if i % 3:
                sock.settimeout(0.02)
                try:
                    sock.recv(100)
                except TimeoutError:
                    pass

    def idle():
        text = client.get("/metrics").text()
        return "\nplaten_http_streams 0\n" in text and "\nplaten_http_websockets 0\n" in text
    until(idle, why="all streams gone")
    client.post(f"/api/v1/jobs/{job}/cancel")
    assert server.stop() == 0


def test_a_websocket_follows_a_job_to_its_end(client):
    job = client.add("test.sleep", {"ms": 200})
    with client.websocket(f"/api/v1/jobs/{job}/socket") as ws:
        assert ws.status == 101
        ws.send("what a client says is ignored")
        ws.send(b"alive?", opcode=9)
        events, pongs = [], 0
        while True:
            opcode, payload = ws.frame()
            if opcode == 8:
                break
            if opcode == 10:
                assert payload == b"alive?"
                pongs += 1
            else:
                events.append(json.loads(payload))
        assert payload[:2] == (1000).to_bytes(2, "big") and pongs == 1
    listed = client.get(f"/api/v1/jobs/{job}/events").json()["events"]
    assert events == listed and events[-1]["type"] == "job.done"


def test_a_websocket_resumes(client):
    job = client.run("test.noop")["id"]
    with client.websocket(f"/api/v1/jobs/{job}/socket?after=2") as ws:
        got = []
        while (text := ws.message()) is not None:
            got.append(json.loads(text)["seq"])
        assert got == [3, 4] and ws.closed == 1000


def test_what_a_websocket_refuses(client, server):
    job = client.run("test.noop")["id"]
    for caller, path, status in ((client, "/api/v1/jobs/job_0000000000000/socket", 404), (client, f"/api/v1/jobs/{job}/socket?after=x", 422),
                                 (server.client(None), f"/api/v1/jobs/{job}/socket", 401), (client, "/api/v1/jobs", 200)):
        with caller.websocket(path) as ws:
            assert ws.status == status, path
    answer = client.get(f"/api/v1/jobs/{job}/socket")  # no upgrade
    assert answer.status in (400, 426), answer


def test_an_unmasked_frame_ends_the_connection(client):
    job = client.add("test.sleep", {"ms": 3600000})
    with client.websocket(f"/api/v1/jobs/{job}/socket") as ws:
        ws.send("not masked", mask=False)
        while ws.message() is not None:
            pass
        assert ws.closed == 1002
    client.post(f"/api/v1/jobs/{job}/cancel")
