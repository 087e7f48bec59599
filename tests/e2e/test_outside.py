"""Work that is done outside: lease, complete, fail, extend over HTTP; what happens when either side dies."""

import subprocess
import sys
import threading
import time

from platen import SAMPLES, cli, environment, until


def lease(client, queue, **more):
    answer = client.post(f"/api/v1/queues/{queue}/lease", json=more)
    assert answer.status == 200, answer
    return answer.json()["tasks"]


def send(client, queue, payload=None, **more):
    answer = client.post(f"/api/v1/queues/{queue}/tasks", json={"payload": payload, **more})
    assert answer.status == 202, answer
    return answer.json()["id"]


def answer(client, task, what="complete", **body):
    return client.post(f"/api/v1/tasks/{task['id']}/{what}", json={"attempt": task["attempt"], **body})


def test_regular_course(client):
    job = send(client, "orders", {"order": 17}, priority=5)
    assert client.job(job)["queue"] == "orders" and client.job(job)["step"] == "queue.send"
    task, = lease(client, "orders", worker="w1", lease_seconds=60)
    assert task["payload"] == {"order": 17} and task["job"] == job and task["attempt"] == 1 and task["priority"] == 5
    assert client.job(job)["state"] == "running"
    assert lease(client, "orders") == []
    got = answer(client, task, data={"ok": True}, usage={"pages": 3})
    assert got.status == 200 and got.json()["lease_until"] is None, got
    assert client.job(job)["state"] == "done" and client.job(job)["data"] == {"ok": True}
    assert client.event_types(job) == ["job.added", "task.started", "task.done", "job.done"]
    # The same answer again is fine; another one is not.
    assert answer(client, task, data={"ok": True}).status == 200
    refused = answer(client, task, "fail", retry=True)
    assert (refused.status, refused.json()["reason"]) == (409, "conflict")
    assert client.event_types(job) == ["job.added", "task.started", "task.done", "job.done"]


def test_the_step_is_the_same(client):
    job = client.add("queue.send", {"to": "orders", "payload": [1, "two"]})
    task, = lease(client, "orders")
    assert task["payload"] == [1, "two"] and task["job"] == job
    assert answer(client, task).status == 200
    assert client.job(job)["data"] == {}


def test_best_first_and_batches(client):
    for priority in (0, 9, -3, 9):
        send(client, "ranked", priority, priority=priority)
    tasks = lease(client, "ranked", max=3)
    assert [t["payload"] for t in tasks] == [9, 9, 0]
    tasks += lease(client, "ranked", max=100)
    assert [t["payload"] for t in tasks] == [9, 9, 0, -3]
    for t in tasks:
        assert answer(client, t).status == 200


def test_files_go_both_ways(client):
    job = client.start("queue.send", {"to": "files"}, files=["words.txt"]).json()["id"]
    task, = lease(client, "files")
    assert [i["name"] for i in task["inputs"]] == ["words.txt"]
    got = client.get(f"/api/v1/jobs/{job}/inputs/0")
    assert got.body == (SAMPLES / "words.txt").read_bytes()
    assert client.get(f"/api/v1/jobs/{job}/inputs/1").status == 404
    blob = client.post("/api/v1/blobs", body=b"made elsewhere", headers={"Content-Type": "text/plain"}).json()
    assert answer(client, task, outputs=[{"blob": "0" * 64}]).status == 404
    assert answer(client, task, outputs=[{"blob": blob["blob"], "name": "out.txt", "type": "text/plain"}]).status == 200
    job = client.job(job)
    assert job["state"] == "done" and client.output(job) == b"made elsewhere"
    assert job["outputs"][0]["name"] == "out.txt"


def test_failing(client):
    job = send(client, "failing", attempts=2)
    task, = lease(client, "failing")
    assert answer(client, task, "fail", retry=True, detail="the printer is out of paper", retry_after_ms=1).status == 200
    assert answer(client, task, "fail", retry=True).status == 200  # said again
    shown = client.job(job)
    assert (shown["state"], shown["reason"], shown["detail"]) == ("queued", "task_failed", "the printer is out of paper")
    task, = lease(client, "failing", wait=20)
    assert task["attempt"] == 2
    assert answer(client, task, "fail", retry=False, detail="no such order").status == 200
    shown = client.job(job)
    assert (shown["state"], shown["reason"], shown["detail"]) == ("failed", "task_refused", "no such order")
    letters = client.get("/api/v1/dead-letters", {"queue": "failing"}).json()["dead_letters"]
    assert [d["job"] for d in letters] == [job]


def test_extend_and_progress(client):
    job = send(client, "long")
    task, = lease(client, "long", lease_seconds=1)
    got = answer(client, task, "extend", lease_seconds=600, done=3, total=10, note="cutting")
    assert got.status == 200 and got.json()["lease_until"] > task["lease_until"], got
    assert client.job(job)["progress"] == {"done": 3, "total": 10}
    assert client.event_types(job)[-1] == "task.progress"
    # The first lease's end passes, and it stays this worker's.
    until(lambda: client.get("/api/v1/jobs").status == 200 and time.time() > parse(task["lease_until"]) + 0.1)
    assert lease(client, "long") == []
    assert answer(client, task).status == 200


def parse(text):
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_a_worker_that_dies_is_replaced(client):
    job = send(client, "mortal")
    dead, = lease(client, "mortal", lease_seconds=1)
    task, = lease(client, "mortal", wait=30)  # woken when the other's lease runs out
    assert task["id"] == dead["id"] and task["attempt"] == 2
    late = answer(client, dead, data={"who": "the dead"})
    assert (late.status, late.json()["reason"]) == (409, "conflict")
    assert answer(client, dead, "extend").status == 409
    assert answer(client, task, data={"who": "the living"}).status == 200
    assert client.job(job)["data"] == {"who": "the living"}
    assert client.event_types(job) == ["job.added", "task.started", "task.lost", "task.started", "task.done", "job.done"]


def test_waiting_for_a_task(client):
    """Many wait; each task wakes one, and nobody looks again before."""
    got, threads = [], []

    def work(n):
        for task in lease(client, "waited", wait=30, worker=f"w{n}"):
            got.append((n, task["payload"]))
            assert answer(client, task).status == 200
    for n in range(5):
        threads.append(threading.Thread(target=work, args=(n,)))
        threads[-1].start()
    for n in range(5):
        send(client, "waited", n)
    for t in threads:
        t.join(60)
    assert sorted(p for _, p in got) == list(range(5)) and len({n for n, _ in got}) == 5


def test_a_delayed_task_wakes_at_its_time(client):
    waiter = []
    thread = threading.Thread(target=lambda: waiter.extend(lease(client, "later", wait=30)))
    thread.start()
    job = send(client, "later", "x", delay_ms=300)
    thread.join(60)
    task, = waiter
    assert task["job"] == job and answer(client, task).status == 200


def test_waiting_ends_in_time(client):
    began = time.monotonic()
    assert lease(client, "nobody", wait=1) == []
    assert time.monotonic() - began >= 0.9


def test_a_client_that_went_away_takes_nothing(client):
    """Its wake is passed on to who waits behind it."""
    gone = client.connection()
    gone.request("POST", "/api/v1/queues/left/lease", body=b'{"wait":60}',
                 headers={**client.auth(), "Content-Type": "application/json"})
    behind = []
    thread = threading.Thread(target=lambda: behind.extend(lease(client, "left", wait=30)))
    thread.start()
    gone.close()
    time.sleep(0.05)  # both orders are right; this one is the more interesting
    job = send(client, "left")
    thread.join(60)
    task, = behind
    assert task["job"] == job and answer(client, task).status == 200


def test_cancel_takes_the_task_away(client):
    job = send(client, "canceled")
    task, = lease(client, "canceled")
    assert client.post(f"/api/v1/jobs/{job}/cancel").status == 200
    assert answer(client, task, "extend").status == 409
    assert answer(client, task).status == 409


def test_queues_of_this_server_are_refused(client):
    for name in ("default", "batch", "document"):
        sent = client.post(f"/api/v1/queues/{name}/tasks", json={"payload": 1})
        assert (sent.status, sent.json()["reason"], sent.json()["param"]) == (422, "bad_param", "to"), sent
        if name != "batch":
            assert client.post(f"/api/v1/queues/{name}/lease", json={}).json()["reason"] == "bad_param"
    for name in ("Upper", "a" * 65, "sp%20ace", "quote%22"):
        assert client.post(f"/api/v1/queues/{name}/tasks", json={"payload": 1}).status == 422, name


def test_what_is_wrong_is_said(client):
    send(client, "wrong")
    task, = lease(client, "wrong")
    for what, body, status in (("complete", {}, 422), ("complete", {"attempt": 1, "data": [1]}, 422),
                               ("complete", {"attempt": 1, "usage": {"pages": "many"}}, 422),
                               ("complete", {"attempt": 1, "data": {"x": "y" * 200_000}}, 422),
                               ("complete", {"attempt": 2}, 409), ("fail", {"attempt": 1}, 422),
                               ("extend", {"attempt": 7}, 409)):
        got = client.post(f"/api/v1/tasks/{task['id']}/{what}", json=body)
        assert got.status == status, (what, body, got)
    assert client.post("/api/v1/tasks/task_06y3vvspw0000/complete", json={"attempt": 1}).status == 404
    assert client.post("/api/v1/queues/wrong/lease", json={"max": 101}).status == 422
    assert answer(client, task).status == 200
    # A task of this server's own is nobody else's to end.
    job = client.add("test.sleep", {"ms": 60000})
    client.until_state(job, "running")
    own = client.post(f"/api/v1/tasks/{job.replace('job_', 'task_')}/complete", json={"attempt": 1})
    assert own.status == 409, own
    client.post(f"/api/v1/jobs/{job}/cancel")


def test_idempotency(client):
    head = {"Idempotency-Key": "outside-order-1"}
    first = client.post("/api/v1/queues/once/tasks", json={"payload": 1}, headers=head)
    again = client.post("/api/v1/queues/once/tasks", json={"payload": 1}, headers=head)
    other = client.post("/api/v1/queues/once/tasks", json={"payload": 2}, headers=head)
    assert first.json()["id"] == again.json()["id"]
    assert other.json()["reason"] == "idempotency_mismatch"
    task, = lease(client, "once", max=10)
    assert answer(client, task).status == 200


def test_a_batch_of_files(client):
    job = client.post("/api/v1/steps/queue.send/batch", form={"to": "many"}, files=["words.txt", "plain.txt"]).json()["id"]
    tasks = lease(client, "many", max=10)
    assert sorted(t["inputs"][0]["name"] for t in tasks) == ["plain.txt", "words.txt"]
    for t in tasks:
        assert answer(client, t).status == 200
    assert client.job(job)["state"] == "done"


def test_the_server_dies_between_lease_and_answer(new_server):
    server = new_server()
    client = server.client()
    jobs = [send(client, "crash", n) for n in range(3)]
    one, two = lease(client, "crash", max=2, lease_seconds=600)
    short = None
    short, = lease(client, "crash", lease_seconds=1)
    server.kill()
    server.start()
    client = server.client()
    # Workers live on: their leases do too. What ran out while the server was away comes again.
    assert answer(client, one, data={"n": 0}).status == 200
    assert client.job(jobs[0])["data"] == {"n": 0}
    assert answer(client, two, "extend", lease_seconds=60).status == 200
    again, = lease(client, "crash", wait=30, max=10)
    assert (again["id"], again["attempt"]) == (short["id"], 2)
    assert answer(client, short).status == 409
    for t in (two, again):
        assert answer(client, t).status == 200
    assert [client.wait(j)["state"] for j in jobs] == ["done"] * 3
    server.kill()
    server.start()
    assert answer(server.client(), again).status == 200  # the answer got lost with the server: said again


def test_the_sample_worker(server, client):
    worker = subprocess.Popen([sys.executable, str(SAMPLES / "worker.py"), server.url, client.key, "sampled"],
                              env=environment(), stderr=subprocess.PIPE)
    try:
        good = send(client, "sampled", {"text": "three little words"})
        bad = send(client, "sampled", {"no": "text"})
        assert client.wait(good)["data"] == {"words": 3}
        assert client.wait(bad)["reason"] == "task_refused"
    finally:
        worker.terminate()
        worker.communicate()


def test_the_command_line_alone_has_no_workers():
    done = cli("run", "queue.send", "--to", "orders")
    assert done.returncode != 0 and "--server" in done.stderr, done


def test_a_queue_that_is_paused_gives_nothing(client):
    job = send(client, "paused")
    assert client.post("/api/v1/queues/paused/pause").status == 200
    assert lease(client, "paused") == []
    waiting = []
    thread = threading.Thread(target=lambda: waiting.extend(lease(client, "paused", wait=30)))
    thread.start()
    until(lambda: client.get("/api/v1/jobs").status == 200)
    assert client.post("/api/v1/queues/paused/resume").status == 200
    thread.join(60)
    task, = waiting
    assert task["job"] == job and answer(client, task).status == 200


def test_the_limit_of_a_queue_holds_for_workers(client):
    assert client.request("PUT", "/api/v1/queues/narrow", json={"concurrency": 1}).status == 200
    jobs = [send(client, "narrow", n) for n in range(2)]
    first, = lease(client, "narrow", max=10)
    waiting = []
    thread = threading.Thread(target=lambda: waiting.extend(lease(client, "narrow", max=10, wait=30)))
    thread.start()
    until(lambda: client.get("/api/v1/jobs").status == 200)
    assert answer(client, first).status == 200
    thread.join(60)
    second, = waiting
    assert [first["job"], second["job"]] == jobs and answer(client, second).status == 200


def test_a_step_of_a_pipeline(client):
    source = """
name: with-worker
inputs:
  text: {type: text, required: true}
steps:
  count: {uses: queue.send, with: {to: flow-words, payload: {text: "${{ inputs.text }}"}}}
  stats: {uses: text.stats, with: {text: "${{ inputs.text }} ${{ steps.count.words }}"}}
outputs:
  words: ${{ steps.count.words }}
  all: ${{ steps.stats.words }}
"""
    made = client.post("/api/v1/pipelines", body=source.encode(), headers={"Content-Type": "application/yaml"})
    assert made.status in (200, 201), made
    run = client.post("/api/v1/pipelines/with-worker/run", json={"inputs": {"text": "three little words"}})
    assert run.status == 202, run
    task, = lease(client, "flow-words", wait=30)
    assert task["payload"] == {"text": "three little words"}
    assert answer(client, task, data={"words": 3}).status == 200
    job = client.wait(run.json()["id"])
    assert job["state"] == "done" and job["data"] == {"words": 3, "all": 4}, job
