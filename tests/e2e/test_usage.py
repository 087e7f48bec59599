"""Usage: what jobs used, summed up by day, step, pipeline and key; as JSON and as CSV."""

import csv
import io
import time

import pytest

HOUR = 3600_000


def usage(client, **query):
    answer = client.get("/api/v1/usage", query)
    assert answer.status == 200, answer
    return answer.json()


@pytest.fixture
def used(new_server):
    """A server on which two keys have used something, once in a pipeline."""
    server = new_server()
    client = server.client()
    made = client.post("/api/v1/keys", json={"name": '=cmd|"x", evil', "role": "editor"}).json()
    other = server.client(key=made["key"])
    for who in (client, other):
        assert who.run("text.tokens", files=["notes.md"])["state"] == "done"
    pipeline = "name: counted\nsteps:\n  n: {uses: text.tokens, with: {text: one two three}}\n"
    answer = client.request("PUT", "/api/v1/pipelines/counted", body=pipeline.encode(), headers={"Content-Type": "application/yaml"})
    assert answer.status in (200, 201), answer
    started = client.post("/api/v1/pipelines/counted/run", {"wait": 30}, json={})
    assert started.json()["state"] == "done", started
    return server, client, made


def test_rows_by_unit_step_and_key(used):
    server, client, made = used
    total = usage(client)
    assert total["cost_unit"] and total["zone"] == "UTC" and total["by"] == "unit"
    tokens = next(r for r in total["rows"] if r["unit"] == "tokens")
    assert tokens["amount"] > 0 and tokens["count"] == 3
    steps = usage(client, by="step", unit="tokens")["rows"]
    assert steps == [{"step": "text.tokens", **tokens}]
    keys = usage(client, by="key", unit="tokens")["rows"]
    assert {r["key_name"] for r in keys} >= {made["name"]} and len(keys) == 2
    assert sum(r["amount"] for r in keys) == tokens["amount"]
    assert keys[0]["amount"] - keys[1]["amount"] == 3  # the pipeline's, for the owner's key
    one = usage(client, by="key", unit="tokens", key=made["id"])["rows"]
    assert [r["key"] for r in one] == [made["id"]] and one[0]["amount"] * 2 == tokens["amount"] - 3
    parts = usage(client, by="pipeline", unit="tokens")["rows"]
    assert [(r["pipeline"], r["count"]) for r in parts] == [("", 2), ("counted", 1)] and parts[1]["amount"] == 3
    assert usage(client, pipeline="counted", by="step")["rows"] == [{"step": "text.tokens", "unit": "tokens", "amount": 3, "count": 1}]
    assert usage(client, step="no.such")["rows"] == usage(client, unit="parsecs")["rows"] == []


def test_days_of_a_zone(used):
    server, client, made = used
    now = time.time()
    for zone, offset in (("UTC", 0), ("Pacific/Kiritimati", 14), ("Etc/GMT+12", -12)):
        rows = usage(client, by="day", split="step", zone=zone, unit="tokens")["rows"]
        days = {time.strftime("%Y-%m-%d", time.gmtime(t + offset * 3600)) for t in (now, now - 60)}
        assert len(rows) == 1 and rows[0]["day"] in days and rows[0]["step"] == "text.tokens", (zone, rows)
    before = usage(client, until_ms=int(now * 1000) - 2 * HOUR)
    assert before["rows"] == []


def test_csv_is_harmless_to_a_spreadsheet(used):
    server, client, made = used
    for query, head in (({"by": "key"}, {"Accept": "text/csv"}), ({"by": "key", "format": "csv"}, {})):
        answer = client.get("/api/v1/usage", query, headers=head)
        assert answer.status == 200 and answer.type == "text/csv" and "attachment" in answer.headers["content-disposition"]
        text = answer.body.decode()
        assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0] == ["key", "key_name", "unit", "amount", "count"]
        assert [r for r in rows[1:] if r[0] == made["id"]][0][1] == "'" + made["name"]
    assert client.get("/api/v1/usage", {"format": "json"}, headers={"Accept": "text/csv"}).type == "application/json"


@pytest.mark.parametrize("query, param", [
    ({"zone": "Mars/Olympus"}, "zone"), ({"since_ms": 2, "until_ms": 1}, "since_ms"), ({"split": "step"}, "split"),
    ({"key": "job_1"}, "key"), ({"by": "hour"}, "by"), ({"until_ms": 10**15}, "since_ms")])
def test_what_cannot_be_asked(client, query, param):
    answer = client.get("/api/v1/usage", {"since_ms": 1, **query} if param == "since_ms" else query)
    assert answer.status == 422 and param in answer.text(), answer
