"""Keys and roles: who gets in, and who may do what."""

import pytest

ROLES = ["viewer", "runner", "reviewer", "editor", "owner"]

# method, path, the least role that may. What does not exist is 404 for who may and 403 for who may not.
ROUTES = [
    ("GET", "/api/v1/steps", "viewer"),
    ("GET", "/api/v1/steps/text.stats", "viewer"),
    ("POST", "/api/v1/steps/test.noop", "runner"),
    ("GET", "/api/v1/jobs", "viewer"),
    ("POST", "/api/v1/jobs", "runner"),
    ("GET", "/api/v1/jobs/job_06y3vvspw0000", "viewer"),
    ("GET", "/api/v1/jobs/job_06y3vvspw0000/events", "viewer"),
    ("GET", "/api/v1/jobs/job_06y3vvspw0000/diagnosis", "viewer"),
    ("GET", "/api/v1/jobs/job_06y3vvspw0000/outputs/0", "viewer"),
    ("GET", "/api/v1/jobs/job_06y3vvspw0000/socket", "viewer"),
    ("GET", "/api/v1/jobs/job_06y3vvspw0000/items", "viewer"),
    ("GET", "/api/v1/jobs/job_06y3vvspw0000/archive", "viewer"),
    ("POST", "/api/v1/steps/text.stats/batch", "runner"),
    ("POST", "/api/v1/pipelines/none/batch", "runner"),
    ("POST", "/api/v1/process/document", "runner"),
    ("POST", "/api/v1/process/image", "runner"),
    ("POST", "/api/v1/process/video", "runner"),
    ("POST", "/api/v1/ocr/image", "runner"),
    ("POST", "/api/v1/ocr/document", "runner"),
    ("POST", "/api/v1/extract/text", "runner"),
    ("POST", "/api/v1/extract/pdf-pages", "runner"),
    ("POST", "/api/v1/extract/pdf-range", "runner"),
    ("POST", "/api/v1/extract/async/text", "runner"),
    ("POST", "/api/v1/extract/async/pdf-pages", "runner"),
    ("POST", "/api/v1/extract/async/pdf-range", "runner"),
    ("POST", "/api/v1/sync/convert/document", "runner"),
    ("POST", "/api/v1/sync/convert/image", "runner"),
    ("POST", "/api/v1/sync/convert/video", "runner"),
    ("GET", "/api/v1/job/job_06y3vvspw0000", "viewer"),
    ("GET", "/api/v1/queue/stats", "viewer"),
    ("POST", "/api/v1/jobs/job_06y3vvspw0000/cancel", "runner"),
    ("POST", "/api/v1/jobs/job_06y3vvspw0000/retry", "runner"),
    ("GET", "/api/v1/events", "viewer"),
    ("POST", "/api/v1/events", "runner"),
    ("GET", "/api/v1/events/socket", "viewer"),
    ("GET", "/api/v1/webhooks", "editor"),
    ("POST", "/api/v1/webhooks", "owner"),
    ("GET", "/api/v1/webhooks/whk_06y3vvspw0000", "editor"),
    ("PATCH", "/api/v1/webhooks/whk_06y3vvspw0000", "owner"),
    ("DELETE", "/api/v1/webhooks/whk_06y3vvspw0000", "owner"),
    ("POST", "/api/v1/webhooks/whk_06y3vvspw0000/rotate", "owner"),
    ("POST", "/api/v1/webhooks/whk_06y3vvspw0000/ping", "editor"),
    ("GET", "/api/v1/webhooks/whk_06y3vvspw0000/deliveries", "editor"),
    ("GET", "/api/v1/webhooks/whk_06y3vvspw0000/deliveries/msg_06y3vvspw0000", "editor"),
    ("POST", "/api/v1/webhooks/whk_06y3vvspw0000/deliveries/msg_06y3vvspw0000/redeliver", "editor"),
    ("POST", "/api/v1/webhooks/whk_06y3vvspw0000/redeliver", "editor"),
    ("POST", "/api/v1/pipelines", "editor"),
    ("GET", "/api/v1/pipelines", "viewer"),
    ("GET", "/api/v1/language", "viewer"),
    ("GET", "/api/v1/pipelines/no-such", "viewer"),
    ("PUT", "/api/v1/pipelines/no-such", "editor"),
    ("DELETE", "/api/v1/pipelines/no-such", "editor"),
    ("GET", "/api/v1/pipelines/no-such/source", "viewer"),
    ("GET", "/api/v1/pipelines/no-such/versions", "viewer"),
    ("GET", "/api/v1/pipelines/no-such/diff", "viewer"),
    ("GET", "/api/v1/pipelines/no-such/graph", "viewer"),
    ("POST", "/api/v1/pipelines/no-such/run", "runner"),
    ("GET", "/api/v1/jobs/job_06y3vvspw0000/nodes", "viewer"),
    ("POST", "/api/v1/jobs/job_06y3vvspw0000/signals/paid", "runner"),
    ("POST", "/api/v1/jobs/job_06y3vvspw0000/approvals/review", "reviewer"),
    ("POST", "/api/v1/jobs/job_06y3vvspw0000/pause", "runner"),
    ("POST", "/api/v1/jobs/job_06y3vvspw0000/resume", "runner"),
    ("POST", "/api/v1/jobs/job_06y3vvspw0000/replay", "runner"),
    ("GET", "/api/v1/approvals", "viewer"),
    ("POST", "/api/v1/blobs", "runner"),
    ("GET", "/api/v1/blobs/" + "0" * 64, "viewer"),
    ("POST", "/api/v1/documents", "runner"),
    ("GET", "/api/v1/documents", "viewer"),
    ("GET", "/api/v1/documents/doc_06y3vvspw0000", "viewer"),
    ("GET", "/api/v1/documents/doc_06y3vvspw0000/content", "viewer"),
    ("DELETE", "/api/v1/documents/doc_06y3vvspw0000", "editor"),
    ("POST", "/api/v1/documents/keep", "runner"),
    ("PATCH", "/api/v1/documents/doc_06y3vvspw0000", "editor"),
    ("PUT", "/api/v1/documents/doc_06y3vvspw0000/content", "editor"),
    ("POST", "/api/v1/documents/doc_06y3vvspw0000/restore", "editor"),
    ("GET", "/api/v1/documents/doc_06y3vvspw0000/versions", "viewer"),
    ("POST", "/api/v1/documents/doc_06y3vvspw0000/versions/1/restore", "editor"),
    ("GET", "/api/v1/tags", "viewer"),
    ("GET", "/api/v1/blobs/" + "0" * 64 + "/preview", "viewer"),
    ("GET", "/api/v1/documents/doc_06y3vvspw0000/preview", "viewer"),
    ("GET", "/api/v1/files", "viewer"),
    ("GET", "/api/v1/files/" + "0" * 64 + "/uses", "viewer"),
    ("GET", "/api/v1/system", "editor"),
    ("GET", "/api/v1/usage", "viewer"),
    ("GET", "/api/v1/overview", "viewer"),
    ("GET", "/api/v1/queues/nothing/history", "viewer"),
    ("GET", "/api/v1/queues", "viewer"),
    ("POST", "/api/v1/queues/somewhere/tasks", "runner"),
    ("POST", "/api/v1/queues/somewhere/lease", "runner"),
    ("GET", "/api/v1/queues/somewhere/handler", "viewer"),
    ("PUT", "/api/v1/queues/somewhere/handler", "owner"),
    ("POST", "/api/v1/tasks/task_06y3vvspw0000/complete", "runner"),
    ("POST", "/api/v1/tasks/task_06y3vvspw0000/fail", "runner"),
    ("POST", "/api/v1/tasks/task_06y3vvspw0000/extend", "runner"),
    ("GET", "/api/v1/jobs/job_06y3vvspw0000/inputs/0", "viewer"),
    ("GET", "/api/v1/queues/nothing", "viewer"),
    ("PUT", "/api/v1/queues/nothing", "editor"),
    ("POST", "/api/v1/queues/nothing/pause", "editor"),
    ("POST", "/api/v1/queues/nothing/resume", "editor"),
    ("POST", "/api/v1/queues/nothing/drain", "editor"),
    ("POST", "/api/v1/queues/nothing/purge", "editor"),
    ("POST", "/api/v1/jobs/cancel", "editor"),
    ("POST", "/api/v1/jobs/retry", "editor"),
    ("POST", "/api/v1/jobs/delete", "editor"),
    ("GET", "/api/v1/bridges", "viewer"),
    ("POST", "/api/v1/bridges", "owner"),
    ("DELETE", "/api/v1/bridges/nowhere", "owner"),
    ("POST", "/api/v1/bridges/nowhere/check", "editor"),
    ("GET", "/api/v1/dead-letters", "viewer"),
    ("POST", "/api/v1/dead-letters/redrive", "editor"),
    ("POST", "/api/v1/dead-letters/delete", "editor"),
    ("POST", "/api/v1/dead-letters/task_06y3vvspw0000/redrive", "editor"),
    ("DELETE", "/api/v1/dead-letters/task_06y3vvspw0000", "editor"),
    ("GET", "/api/v1/triggers", "viewer"),
    ("GET", "/api/v1/triggers/cleanup.schedule", "viewer"),
    ("POST", "/api/v1/triggers/no.event/pause", "editor"),
    ("POST", "/api/v1/triggers/no.event/resume", "editor"),
    ("GET", "/api/v1/schedules", "viewer"),
    ("POST", "/api/v1/schedules", "editor"),
    ("POST", "/api/v1/schedules/preview", "viewer"),
    ("GET", "/api/v1/schedules/nightly", "viewer"),
    ("PUT", "/api/v1/schedules/nightly", "editor"),
    ("DELETE", "/api/v1/schedules/nightly", "editor"),
    ("POST", "/api/v1/schedules/nightly/run", "runner"),
    ("POST", "/api/v1/schedules/nightly/pause", "editor"),
    ("POST", "/api/v1/schedules/nightly/resume", "editor"),
    ("GET", "/api/v1/schedules/nightly/preview", "viewer"),
    ("GET", "/api/v1/keys", "owner"),
    ("POST", "/api/v1/keys", "owner"),
    ("DELETE", "/api/v1/keys/key_06y3vvspw0000", "owner"),
    ("GET", "/api/v1/session", "viewer"),
    ("DELETE", "/api/v1/session", "viewer"),
    ("GET", "/api/v1/push", "viewer"),
    ("POST", "/api/v1/push", "viewer"),
    ("DELETE", "/api/v1/push/psh_06y3vvspw0000", "viewer"),
    ("POST", "/api/v1/push/psh_06y3vvspw0000/test", "viewer"),
    ("GET", "/api/v1/secrets", "editor"),
    ("PUT", "/api/v1/secrets/TOKEN", "editor"),
    ("DELETE", "/api/v1/secrets/TOKEN", "editor"),
    ("POST", "/api/v1/backup", "owner"),
]
PUBLIC = ["/health", "/health/liveness", "/health/readiness", "/metrics", "/openapi.json", "/docs"]


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_may(key_of, role):
    caller = key_of(role)
    for method, path, least in ROUTES:
        answer = caller.request(method, path)
        if ROLES.index(role) < ROLES.index(least):
            assert (answer.status, answer.json()["reason"]) == (403, "forbidden"), (role, answer)
            assert least in answer.json()["detail"] + answer.json().get("hint", ""), answer
        else:
            assert answer.status not in (401, 403), (role, answer)


def test_every_route_of_the_document_is_in_the_table(server):
    """A new route must be added above, with its role; the document tells the same role."""
    import re
    described = {}
    for path, item in server.contract.document["paths"].items():
        for method, operation in item.items():
            role = operation.get("x-role")
            if role is not None and "x-step" not in operation:
                described[method.upper(), path] = role
    tested = {}
    for method, path, role in ROUTES:
        for (m, template) in described:
            if m == method and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path):
                tested.setdefault((m, template), role)
    assert tested == described
    for item in server.contract.document["paths"].values():
        for operation in item.values():
            if "x-step" in operation:
                assert operation["x-role"] == "runner"


def test_without_a_key_only_public_pages_answer(server):
    nobody = server.client(None)
    for path in PUBLIC:
        assert nobody.get(path).status == 200
    for method, path, _ in ROUTES:
        answer = nobody.request(method, path)
        assert (answer.status, answer.json()["reason"]) == (401, "unauthorized"), answer
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("headers", [
    {"Authorization": "Bearer pk_" + "A" * 43}, {"Authorization": "Bearer "}, {"Authorization": "Basic dXNlcjpwYXNz"},
    {"Authorization": "pk_"}, {"X-API-Key": "wrong"}, {"X-API-Key": ""}, {"Authorization": "Bearer " + "x" * 4000},
    {"Cookie": "key=pk_"},
])
def test_a_wrong_key_is_refused(server, headers):
    answer = server.client(None).get("/api/v1/jobs", headers=headers)
    assert (answer.status, answer.json()["reason"]) == (401, "unauthorized")
    assert "www-authenticate" in answer.headers
    assert "pk_" not in answer.text()


def test_a_key_arrives_in_either_header(server):
    key = server.key
    for headers in ({"Authorization": f"Bearer {key}"}, {"authorization": f"bEaReR   {key} "}, {"X-API-Key": key}):
        assert server.client(None).get("/api/v1/jobs", headers=headers).status == 200
    assert server.client(None).get("/api/v1/jobs", {"api_key": key}).status == 401  # never in an address


def test_the_key_of_another_server_is_unknown_here(server, new_server):
    other = new_server()
    assert server.client(other.key).get("/api/v1/jobs").status == 401
    assert server.client(other.owner_key).get("/api/v1/jobs").status == 401
    blob = server.client().post("/api/v1/blobs", body=b"only on the first server").json()["blob"]
    assert other.client().get(f"/api/v1/blobs/{blob}").status == 404
    job = server.run("test.noop")["id"]
    assert other.client().get(f"/api/v1/jobs/{job}").status == 404


def test_a_key_from_birth_to_death(client, server):
    made = client.post("/api/v1/keys", json={"name": "build server", "role": "viewer"})
    assert made.status == 201
    key = made.json()
    assert key["key"].startswith("pk_") and len(key["key"]) == 46 and (key["name"], key["role"]) == ("build server", "viewer")
    listed = next(k for k in client.get("/api/v1/keys").json()["keys"] if k["id"] == key["id"])
    assert listed["hint"] == key["key"][:7] and listed["revoked"] is None
    assert key["key"] not in client.get("/api/v1/keys").text()
    assert server.client(key["key"]).get("/api/v1/jobs").status == 200
    assert client.delete(f"/api/v1/keys/{key['id']}").status == 204
    answer = server.client(key["key"]).get("/api/v1/jobs")  # at once
    assert answer.status == 401
    listed = next(k for k in client.get("/api/v1/keys").json()["keys"] if k["id"] == key["id"])
    assert listed["revoked"] and listed["used"]
    assert key["key"].encode() not in server.log_path.read_bytes()
    for path in server.data.iterdir():
        if path.is_file() and path.name.startswith("platen.db"):
            assert key["key"].encode() not in path.read_bytes()


def test_the_default_role_is_runner(client):
    made = client.post("/api/v1/keys", json={}).json()
    assert made["role"] == "runner"
    assert client.delete(f"/api/v1/keys/{made['id']}").status == 204


def test_what_a_key_cannot_be(client):
    answer = client.post("/api/v1/keys", json={"role": "king", "nmae": "x", "name": 7})
    assert {f["param"] for f in answer.json()["errors"]} == {"role", "nmae", "name"} and answer.status == 422
    for body in ([], "x", 7):
        assert client.post("/api/v1/keys", json=body).status in (400, 422)


def test_nobody_saws_off_the_branch(server):
    owner = server.client()
    mine = next(k["id"] for k in owner.get("/api/v1/keys").json()["keys"]
                if server.key.startswith(k["hint"]) and "command line" in k["name"] and not k["revoked"])
    answer = owner.delete(f"/api/v1/keys/{mine}")
    assert (answer.status, answer.json()["reason"]) == (409, "conflict")
    assert owner.get("/api/v1/keys").status == 200


def test_the_files_of_the_data_folder_are_private(server):
    assert server.data.stat().st_mode & 0o077 == 0
    for name in ("cli-key", "server.json", "platen.db"):
        assert (server.data / name).stat().st_mode & 0o077 == 0, name


def test_the_owner_key_is_shown_once(new_server):
    server = new_server()
    first = server.owner_key
    assert server.client(first).get("/api/v1/keys").status == 200
    server.stop()
    server.start()
    assert server.out_path.read_text().count("owner key") == 1
    assert server.client(first).get("/api/v1/keys").status == 200
    # A lost cli-key is replaced at the next start.
    server.stop()
    (server.data / "cli-key").unlink()
    server.start()
    assert server.client().get("/api/v1/keys").status == 200
