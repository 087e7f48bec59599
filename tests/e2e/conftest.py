"""Fixtures: `server` is shared by all tests that can share, `new_server` makes one for a test alone."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
pytest.register_assert_rewrite("platen", "schema")

import platen  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "memory_limits: needs limits on memory, which sanitizers do not stand")


def pytest_collection_modifyitems(items):
    for item in items:
        if platen.SANITIZED and item.get_closest_marker("memory_limits"):
            item.add_marker(pytest.mark.skip(reason="limits on memory do not go with sanitizers"))


def pytest_sessionstart(session):
    if not platen.PLATEN.exists():
        raise pytest.UsageError(f"there is no {platen.PLATEN}; `make build` first, or set PLATEN_BUILD")


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    server = platen.Server(tmp_path_factory.mktemp("shared"))
    yield server
    server.stop()


@pytest.fixture
def server(shared):
    """The server that tests share: jobs of others are in it. Its log is looked at after each test."""
    if shared.process is None or shared.process.poll() is not None:  # died in an earlier test, which failed for it
        shared.process = None
        shared.start()
    yield shared
    assert shared.process is not None and shared.process.poll() is None, f"the server died: {shared.log_text()[-3000:]}"
    shared.check_log()


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def new_server(tmp_path):
    """new_server(name="a", args=[…], env={…}, data=…): a server that belongs to the test alone and is stopped at its end."""
    made = []

    def make(name=None, **more):
        server = platen.Server(tmp_path / (name or f"server{len(made)}"), **more)
        made.append(server)
        return server
    yield make
    failures = []
    for server in made:
        try:
            server.stop()
            server.check_log()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture
def key_of(server):
    """key_of("viewer"): a client whose key has that role."""
    made = {}

    def make(role):
        if role not in made:
            answer = server.client().post("/api/v1/keys", json={"name": f"test {role}", "role": role})
            assert answer.status == 201, answer
            made[role] = answer.json()
        return server.client(made[role]["key"])
    yield make
    for key in made.values():
        server.client().delete(f"/api/v1/keys/{key['id']}")
