"""What every answer has, whatever the route: problems, methods, headers, health, metrics, the explorer, traces."""

import re

import pytest

from platen import until


# --- problems ---

@pytest.mark.parametrize("method, path, status, reason", [
    ("GET", "/api", 404, "not_found"), ("GET", "/api/v1", 404, "not_found"), ("GET", "/api/v1/jobs/", 404, "not_found"),
    ("GET", "/api/v2/jobs", 404, "not_found"), ("GET", "/docs/../../etc/passwd", None, None), ("GET", "/docs/nothing.js", 404, "not_found"),
    ("POST", "/nothing", 404, "not_found"), ("PUT", "/api/v1/jobs", 405, "method_not_allowed"),
    ("DELETE", "/health", 405, "method_not_allowed"), ("PATCH", "/api/v1/keys", 405, "method_not_allowed"),
])
def test_problems(client, method, path, status, reason):
    answer = client.request(method, path)
    problem = answer.json()
    assert answer.type == "application/problem+json"
    if status is not None:
        assert (answer.status, problem["reason"]) == (status, reason), answer
    assert 400 <= answer.status < 500 and problem["status"] == answer.status
    assert problem["title"] and problem["detail"] and problem["trace"] == answer.headers["x-trace-id"]
    assert problem["type"] == f"urn:platen:problem:{problem['reason']}"


@pytest.mark.parametrize("method, path, allow", [
    ("PUT", "/api/v1/jobs", {"GET", "HEAD", "POST", "OPTIONS"}), ("GET", "/api/v1/blobs", {"POST", "OPTIONS"}),
    ("POST", "/api/v1/steps", {"GET", "HEAD", "OPTIONS"}), ("DELETE", "/api/v1/steps/text.stats", {"GET", "HEAD", "POST", "OPTIONS"}),
    ("GET", "/api/v1/jobs/job_06y3vvspw0000/cancel", {"POST", "OPTIONS"}), ("PUT", "/metrics", {"GET", "HEAD", "OPTIONS"}),
])
def test_allow_names_what_would_work(client, method, path, allow):
    answer = client.request(method, path)
    assert answer.status == 405 and set(answer.headers["allow"].split(", ")) == allow


def test_options(client):
    answer = client.request("OPTIONS", "/api/v1/jobs", check=False)
    assert answer.status in (200, 204) and set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
    assert "access-control-allow-origin" not in answer.headers


# --- headers ---

@pytest.mark.parametrize("path", ["/health", "/api/v1/steps", "/api/nothing", "/docs", "/openapi.json", "/metrics", "/api/v1/jobs/x"])
def test_security_headers_are_on_every_answer(client, path):
    answer = client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-trace-id"]) and answer.headers["date"]
    assert "server" not in answer.headers  # nothing for a scanner
    if path.startswith("/api"):
        assert answer.headers["cache-control"] == "no-store"


def test_the_trace_of_the_caller_goes_on(client, server):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    head = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    answer = client.post("/api/v1/steps/test.fail", {"wait": 30}, json={"params": {"reason": "no_text"}}, headers=head)
    assert answer.headers["x-trace-id"] == trace and answer.json()["trace"] == trace
    assert client.get(f"/api/v1/jobs/{answer.json()['id']}/diagnosis").json()["trace"] == trace
    problem = client.get("/api/v1/jobs/x", headers=head)
    assert problem.json()["trace"] == trace


@pytest.mark.parametrize("bad", ["", "garbage", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-XYZ-00f067aa0ba902b7-01",
                                 "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
def test_a_bad_traceparent_is_replaced(client, bad):
    trace = client.get("/health", headers={"traceparent": bad}).headers["x-trace-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", trace) and trace not in bad


def test_traces_differ(client):
    assert len({client.get("/health").headers["x-trace-id"] for _ in range(20)}) == 20


# --- connections ---

def test_one_connection_carries_many_requests(client):
    conn = client.connection()
    for i in range(50):
        answer = client.request("GET", "/health" if i % 2 else "/api/v1/jobs", connection=conn)
        assert answer.status == 200
    assert client.request("POST", "/api/v1/steps/test.noop", {"wait": 10}, json={}, connection=conn).status == 200
    assert client.request("GET", "/api/nothing", connection=conn).status == 404
    assert client.request("GET", "/health", connection=conn).status == 200
    conn.close()


def test_pipelined_requests_are_answered_in_order(client):
    head = f"Host: {client.host}\r\nAuthorization: Bearer {client.key}\r\n"
    got = client.raw((f"GET /health/liveness HTTP/1.1\r\n{head}\r\nGET /api/nothing HTTP/1.1\r\n{head}\r\n"
                      f"GET /api/v1/jobs?limit=1 HTTP/1.1\r\n{head}Connection: close\r\n\r\n").encode())
    assert re.findall(rb"HTTP/1\.1 (\d+)", got) == [b"200", b"404", b"200"]


def test_expect_continue_is_answered_before_the_body(client):
    with client.connect(timeout=10) as sock:
        sock.sendall((f"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.key}\r\n"
                      "Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n").encode())
        assert sock.recv(1000).startswith(b"HTTP/1.1 100")
        sock.sendall(b"hello")
        answer = b""
        while got := sock.recv(65536):
            answer += got
    assert answer.startswith(b"HTTP/1.1 201") and b'"bytes":5' in answer


def test_an_upload_without_a_key_is_refused_before_it_is_read(server):
    with server.client(None).connect(timeout=10) as sock:
        sock.sendall(b"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 401")


# --- health and metrics ---

def test_health(client):
    health = client.get("/health").json()
    assert health["status"] == "ok" and health["version"] and health["uptime_s"] >= 0
    assert {c["name"] for c in health["checks"]} >= {"database", "disk", "steps"} and all(c["ok"] for c in health["checks"])
    assert client.get("/health/liveness").json()["status"] == "ok"
    ready = client.get("/health/readiness").json()
    assert ready["status"] == "ok" and "version" not in ready


def exposition(text):
    """Prometheus text format 0.0.4, strictly: {family: (type, {labels: value})}."""
    families, helps, current = {}, set(), None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if m := re.fullmatch(r"# HELP ([a-zA-Z_:][\w:]*) ((?:[^\\\n]|\\\\|\\n)+)", line):
            assert m[1] not in helps, line
            helps.add(m[1])
        elif m := re.fullmatch(r"# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)", line):
            assert m[1] in helps and m[1] not in families, line
            current = m[1]
            families[current] = (m[2], {})
        else:
            m = re.fullmatch(r'([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[\d.e+]+|NaN|[+-]Inf)', line)
            assert m, f"not a line of the format: {line!r}"
            name = re.sub(r"_(bucket|sum|count)\Z", "", m[1]) if families[current][0] == "histogram" else m[1]
            assert name == current, f"{line!r} does not belong to {current}"
            key = m[1] + (m[2] or "")
            assert key not in families[current][1], f"twice: {line!r}"
            families[current][1][key] = float(m[3])
    return families


def test_metrics_are_valid_and_count(client):
    def read():
        answer = client.get("/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return exposition(answer.text())
    before = read()
    assert len(before) >= 15
    for name, (kind, samples) in before.items():
        assert name.startswith("platen_"), name
        assert (kind != "counter") or name.endswith("_total"), f"{name} is a counter"
        assert all(v >= 0 for v in samples.values()), name
        if kind == "histogram":
            buckets = [v for k, v in samples.items() if "_bucket" in k]
            assert buckets == sorted(buckets) and 'le="+Inf"' in [k for k in samples if "_bucket" in k][-1]
    client.run("image.info", files=["picture.png"])
    client.get("/api/nothing")

    def grew():
        after = read()
        return any(sum(after[n][1].values()) > sum(before[n][1].values()) for n in after if "engine_tasks" in n)
    until(grew)
    after = read()
    writes = next(n for n in after if "db" in n and "write" in n and after[n][0] == "counter")
    assert sum(after[writes][1].values()) > sum(before[writes][1].values())


# --- the explorer ---

def test_the_explorer_and_what_it_loads(server):
    nobody = server.client(None)
    page = nobody.get("/docs")
    assert page.type == "text/html" and page.status == 200
    csp = page.headers["content-security-policy"]
    assert "script-src 'self'" in csp and "unsafe" not in csp and "frame-ancestors 'none'" in csp
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text()), "inline code the policy would stop"
    assets = re.findall(r'(?:src|href)="([^"#]+)"', page.text())
    assert assets
    assert sum(a.endswith((".js", ".css")) for a in assets) >= 2
    for asset in assets:
        assert not re.match(r"\w+:|//", asset), f"{asset} is another server's"
        path = asset if asset.startswith("/") else f"/docs/{asset}"
        answer = nobody.get(path)
        assert answer.status == 200, path
        want = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}.get(path.rsplit(".", 1)[-1])
        assert want is None or answer.type == want, path
        if path.startswith("/docs/"):
            again = nobody.get(path, headers={"If-None-Match": answer.headers["etag"]})
            assert again.status == 304 and again.body == b""
    assert nobody.get("/docs/").text() == page.text()


def test_the_servers_document_is_the_commands(client):
    from platen import cli
    import json
    assert json.loads(cli("openapi", check=0).stdout) == client.get("/openapi.json").json()
