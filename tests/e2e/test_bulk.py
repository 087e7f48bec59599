"""Many jobs in one request: all or none, or what is well-formed; repeated safely."""

from platen import until


def bulk(client, jobs, query=None, **more):
    return client.post("/api/v1/jobs", query, json={"jobs": jobs}, **more)


def ids(answer):
    assert answer.status == 202, answer
    return [j["id"] for j in answer.json()["jobs"]]


def test_in_order_and_all(client):
    made = ids(bulk(client, [{"step": "text.stats", "params": {"text": "w " * (n // 10 + 1)}} for n in range(1000)]))
    assert len(set(made)) == 1000 and made == sorted(made)
    for n in (0, 1, 500, 999):
        job = client.wait(made[n])
        assert job["state"] == "done" and job["data"]["words"] == n // 10 + 1
        assert client.event_types(made[n]) == ["job.added", "task.started", "task.done", "job.done"]


def test_each_with_its_own_options(client):
    made = ids(bulk(client, [
        {"step": "test.noop", "delay_ms": 3_600_000, "priority": 7, "attempts": 9, "concurrency_key": "k"},
        {"step": "queue.send", "params": {"to": "bulk-orders", "payload": {"n": 1}}},
        {"step": "text.stats", "params": {"text": "a b"}, "inputs": []},
        {"step": "test.fail", "params": {"reason": "no_text"}}]))
    first = client.job(made[0])
    assert (first["state"], first["priority"], first["max_attempts"]) == ("queued", 7, 9)
    assert client.job(made[1])["queue"] == "bulk-orders"
    assert client.wait(made[2])["data"]["words"] == 2
    assert client.wait(made[3])["reason"] == "no_text"
    task, = client.post("/api/v1/queues/bulk-orders/lease", json={}).json()["tasks"]
    assert task["payload"] == {"n": 1}
    client.post(f"/api/v1/tasks/{task['id']}/complete", json={"attempt": 1})
    client.post(f"/api/v1/jobs/{made[0]}/cancel")


def test_every_fault_is_named_and_nothing_is_stored(client):
    before = client.get("/api/v1/jobs", {"limit": 1}).json()["jobs"]
    answer = bulk(client, [
        {"step": "test.noop"}, {"step": "text.stat"}, {"params": {}}, 7,
        {"step": "text.stats", "params": {"txt": "x"}, "priority": 101},
        {"step": "test.noop", "wait": 3}, {"step": "test.noop", "inputs": [{"blob": "x"}]},
        {"step": "document.extract"}, {"step": "queue.send", "params": {"to": "default"}},
        {"step": "queue.send", "params": {"to": "Two Words"}}, {"step": "test.sleep", "params": {"ms": -1}}])
    problem = answer.json()
    assert answer.status in (404, 422) and "10 of 11" in problem["detail"], problem
    named = [e["param"] for e in problem["errors"]]
    assert named == ["jobs[1].step", "jobs[2].step", "jobs[3]", "jobs[4].text", "jobs[4].txt", "jobs[4].priority", "jobs[5].wait", "jobs[6].inputs",
                     "jobs[7].inputs", "jobs[8].to", "jobs[9].to", "jobs[10].ms"]
    assert "did you mean text.stats" in problem["errors"][0]["detail"]
    assert client.get("/api/v1/jobs", {"limit": 1}).json()["jobs"] == before


def test_partial(client):
    answer = bulk(client, [{"step": "nope.nope"}, {"step": "test.noop"}, {"step": "test.sleep", "params": {"ms": "x", "y": 1}}],
                  {"partial": "true"})
    assert answer.status == 202, answer
    one, two, three = answer.json()["jobs"]
    assert one["problem"]["reason"] == "unknown_step" and "id" not in one
    assert client.wait(two["id"])["state"] == "done"
    assert three["problem"]["reason"] == "bad_param" and [e["param"] for e in three["problem"]["errors"]] == ["ms", "y"]
    none = bulk(client, [{"step": "nope.nope"}], {"partial": "true"})
    assert none.status == 200 and "problem" in none.json()["jobs"][0]


def test_files(client):
    blob = client.post("/api/v1/blobs", body=b"two words", headers={"Content-Type": "text/plain"}).json()["blob"]
    made = ids(bulk(client, [{"step": "text.stats", "inputs": [{"blob": blob, "name": "a.txt", "type": "text/plain"}]}] * 2)) \
        if accepts_files(client, "text.stats") else ids(bulk(client, [
            {"step": "document.extract", "inputs": [{"blob": blob, "name": "a.txt", "type": "text/plain"}]}] * 2))
    for job in made:
        assert client.wait(job)["state"] == "done"


def accepts_files(client, step):
    return "accepts" in client.get(f"/api/v1/steps/{step}").json()


def test_repeated(client):
    head = {"Idempotency-Key": "bulk-1"}
    jobs = [{"step": "test.noop"}, {"step": "nope.nope"}, {"step": "test.noop"}]
    first = bulk(client, jobs, {"partial": "true"}, headers=head)
    again = bulk(client, jobs, {"partial": "true"}, headers=head)
    assert first.json() == again.json() and first.status == again.status == 202
    other = bulk(client, jobs[:1], headers=head)
    assert other.json()["reason"] == "idempotency_mismatch"


def test_what_is_refused(client):
    for body, reason in ((None, "bad_request"), ({}, "bad_request"), ({"jobs": []}, "bad_request"), ({"jobs": {}}, "bad_request"),
                         ({"jobs": [{"step": "test.noop"}] * 1001}, "limit_count")):
        answer = client.post("/api/v1/jobs", json=body)
        assert answer.json()["reason"] == reason, (body, answer)
    large = bulk(client, [{"step": "text.stats", "params": {"text": "x" * 200_000}}] * 4)
    assert len(ids(large)) == 4
    until(lambda: all(client.job(j)["state"] == "done" for j in ids(large)))
