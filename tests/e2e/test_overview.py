"""Overview: how a project stands, in one request."""

import time


def overview(client, **query):
    answer = client.get("/api/v1/overview", query)
    assert answer.status == 200, answer
    return answer.json()


def test_a_new_project_is_empty(new_server):
    got = overview(new_server().client())
    assert got["empty"] and got["running"] == got["usage"] == got["failed"]["reasons"] == got["steps"] == []
    assert got["documents"] == got["dead_letters"] == {"count": 0, "more": False} and got["approvals"]["count"] == 0
    assert got["points"] and got["free_bytes"] > 0 and not got["running_more"]


def test_what_runs_failed_waits_and_was_used(new_server):
    client = new_server().client()
    client.run("text.tokens", files=["notes.md"])
    failed = [client.run("test.fail", {"reason": r}, attempts=1)["id"] for r in ("internal", "input_damaged", "internal")]
    pipeline = "name: asks\nsteps:\n  ok: {wait: approval}\n"
    client.request("PUT", "/api/v1/pipelines/asks", body=pipeline.encode(), headers={"Content-Type": "application/yaml"})
    asking = client.post("/api/v1/pipelines/asks/run", json={}).json()["id"]
    slow = client.add("test.sleep", {"ms": 60000}, queue="naps")
    client.until_state(slow, "running")
    got = overview(client, zone="Asia/Kolkata")
    assert {j["id"] for j in got["running"]} == {slow, asking} and not got["empty"]
    reasons = got["failed"]["reasons"]
    assert [(r["reason"], r["count"]) for r in reasons] == [("internal", 2), ("input_damaged", 1)]
    assert [j["id"] for j in reasons[0]["jobs"]] == [failed[2], failed[0]] and all(r["meaning"] and r["remedy"] for r in reasons)
    assert got["failed"]["count"] == got["dead_letters"]["count"] == 3 and not got["failed"]["more"]
    assert got["approvals"]["count"] == 1 and got["approvals"]["oldest"][0]["job"] == asking
    assert next(u for u in got["usage"] if u["unit"] == "tokens")["count"] == 1
    step = next(s for s in got["steps"] if s["step"] == "test.fail")
    assert (step["started"], step["ended"], step["failed"]) == (3, 3, 3)
    naps = next(q for q in got["queues"] if q["name"] == "naps")
    assert naps["leased"] == 1 and naps["lately"]["started"] == 1 and naps["lately"]["ended"] == 0
    client.post(f"/api/v1/jobs/{slow}/cancel")
    assert client.get("/api/v1/overview", {"zone": "Nowhere"}).status == 422


def test_only_what_failed_lately_by_many_is_counted(new_server):
    client = new_server().client()
    jobs = [{"step": "test.fail", "params": {"reason": "internal"}, "attempts": 1}] * 520
    answer = client.post("/api/v1/jobs", json={"jobs": jobs})
    assert answer.status in (200, 202), answer
    deadline = time.monotonic() + 30
    while (got := overview(client))["dead_letters"]["count"] < 520 and time.monotonic() < deadline:
        pass
    assert got["failed"]["count"] == 500 and got["failed"]["more"]
    assert len(got["failed"]["reasons"][0]["jobs"]) == 3
