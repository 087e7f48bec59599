"""The harness itself: what it is for must make it fail."""

import pytest

from platen import Server
from schema import Undocumented


def test_a_server_starts_answers_and_stops(new_server):
    server = new_server()
    assert server.owner_key.startswith("pk_")
    assert server.run("test.noop")["state"] == "done"
    assert server.stop() == 0
    assert [e["event"] for e in server.log() if e["event"].startswith("server.")] == \
        ["server.started", "server.stopping", "server.stopped"]


def test_answers_that_the_document_does_not_describe_are_found(server):
    client = server.client()
    answer = client.get("/health")
    answer.body = b'{"status":"fine","checks":[]}'
    with pytest.raises(Undocumented):
        server.contract.check(answer)
    answer = client.get("/health")
    answer.status = 201
    with pytest.raises(Undocumented):
        server.contract.check(answer)
    answer = client.get("/health")
    answer.type = "text/html"
    with pytest.raises(Undocumented):
        server.contract.check(answer)


def test_errors_and_sanitizer_reports_in_the_log_are_found(tmp_path):
    server = Server(tmp_path, start=False)
    server.log_path.write_text('{"level":"info","event":"server.started"}\n')
    server.check_log()
    for line in ('{"level":"error","event":"db.failed"}\n', "==7==ERROR: AddressSanitizer: heap-use-after-free\n",
                 "src/base/str.c:7:3: runtime error: signed integer overflow\n"):
        with open(server.log_path, "a") as log:
            log.write(line)
        with pytest.raises(AssertionError):
            server.check_log()
    server.expect_error("db.failed")
    with open(server.log_path, "a") as log:
        log.write('{"level":"error","event":"db.failed"}\n')
    server.check_log()
