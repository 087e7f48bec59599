"""System: what the server is made of, its engines and what encloses them, and alerts."""

import json

from platen import cli, until


def system(client):
    answer = client.get("/api/v1/system")
    assert answer.status == 200, answer
    return answer.json()


def test_versions_sizes_engines_and_layers(new_server):
    client = new_server().client()
    client.run("text.tokens", {"text": "one"})
    got = system(client)
    assert got["version"] and got["build"]["database"].startswith("SQLite ") and "OpenSSL" in got["build"]["crypto"]
    assert got["data"]["database_bytes"] > 0 and got["data"]["schema"] > 10 and got["data"]["free_bytes"] > 0
    assert all(c["ok"] for c in got["checks"]) and {c["name"] for c in got["checks"]} >= {"database", "disk"}
    text = next(e for e in got["engines"] if e["name"] == "text")
    assert text["state"] == "warm" and text["tasks"] == 1 and text["failures"] == 0 and text["processes"] >= 1
    assert text["resident_bytes"] > 0 and text["steps"] > 0 and "last_failure" not in text
    doctor = json.loads(cli("doctor", "--json").stdout)
    told = {c["check"]: (c["verdict"], c["found"]) for c in doctor["checks"]}
    assert all(told[s["layer"]] == (s["verdict"], s["found"]) and s["meaning"] for s in got["sandbox"]) and len(got["sandbox"]) >= 5
    assert not any(path in json.dumps(got) for path in ("/tmp/", "/work", "/home"))


def test_alerts_stand_until_they_are_mended(new_server):
    client = new_server().client()
    before = {a["event"] for a in system(client)["alerts"]}
    assert "task.dead" not in before
    client.run("test.fail", {"reason": "internal"}, attempts=1, queue="doomed")
    alert = next(a for a in system(client)["alerts"] if a["event"] == "task.dead")
    assert alert["subject"] == "doomed" and alert["count"] == 1 and alert["level"] == "warn"
    assert alert["meaning"] and alert["remedy"] and alert["time"] == alert["first"]
    client.post("/api/v1/dead-letters/delete", json={})
    assert {a["event"] for a in system(client)["alerts"]} == before


def test_a_killed_engine_is_an_alert(new_server):
    client = new_server().client()
    job = client.run("text.tokens", {"text": "one two " * 10000}, timeout_ms=1, attempts=1)
    assert job["reason"] == "limit_time", job
    def alert():
        return next((a for a in system(client)["alerts"] if a["event"] == "engine.task_killed"), None)
    got = until(alert, 5, "the alert is there")
    assert got["subject"] == "text" and got["count"] == 1
    last = next(e for e in system(client)["engines"] if e["name"] == "text")["last_failure"]
    assert last["reason"] == "limit_time" and last["remedy"]
