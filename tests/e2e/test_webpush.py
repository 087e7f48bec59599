"""Web Push: a scripted push service on loopback takes the messages; Python's cryptography decrypts them (RFC 8291) and checks who
sent them (RFC 8292)."""

import base64
import json
import os
import urllib.parse

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from platen import Server, until
from test_session import Browser as Session
from test_webhooks import Receiver

SLOW_PIPELINE = "name: asks\nsteps:\n  review: {wait: approval, who: reviewer}\n"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def raw(public):
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def mac(key, data):
    h = hmac.HMAC(key, hashes.SHA256())
    h.update(data)
    return h.finalize()


class Browser:
    """A browser's half of a subscription, and its push service."""

    def __init__(self, service, path="/push"):
        self.service, self.path = service, path
        self.private, self.auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        self.endpoint = service.url(path)

    def keys(self):
        return {"endpoint": self.endpoint, "p256dh": b64(raw(self.private.public_key())), "auth": b64(self.auth)}

    def decrypt(self, body):
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21:21 + length], body[21 + length:]
        assert length == 65 and size == 4096 and len(body) <= 4096
        shared = self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        info = b"WebPush: info\0" + raw(self.private.public_key()) + sender
        prk = mac(salt, mac(mac(self.auth, shared), info + b"\1"))
        key, nonce = mac(prk, b"Content-Encoding: aes128gcm\0\1")[:16], mac(prk, b"Content-Encoding: nonce\0\1")[:12]
        clear = AESGCM(key).decrypt(nonce, record, None)
        assert clear.endswith(b"\2")
        return json.loads(clear[:-1])

    def heard(self, count=1):
        """The first `count` messages, decrypted, each sent as the standards want it."""
        got = self.service.wait(count, self.path)
        for _, headers, _, at in got:
            assert headers["content-encoding"] == "aes128gcm" and headers["ttl"] == "86400"
            assert headers["urgency"] in ("normal", "high") and len(headers["topic"]) <= 32
            check_sender(headers["authorization"], self.endpoint, at)
        return [self.decrypt(body) for _, _, body, _ in got]


def check_sender(authorization, endpoint, at):
    scheme, _, rest = authorization.partition(" ")
    parts = dict(p.strip().split("=", 1) for p in rest.split(","))
    head, claims, signature = parts["t"].split(".")
    assert scheme == "vapid" and json.loads(unb64(head)) == {"typ": "JWT", "alg": "ES256"}
    said = json.loads(unb64(claims))
    where = urllib.parse.urlsplit(endpoint)
    assert said["aud"] == f"{where.scheme}://{where.netloc}" and said["sub"].startswith("https://")
    assert at < said["exp"] <= at + 24 * 3600
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(parts["k"]))
    r, s = (int.from_bytes(unb64(signature)[i:i + 32], "big") for i in (0, 32))
    public.verify(utils.encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    return parts["k"]


@pytest.fixture(scope="module")
def allowing(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("webpush"), args=["--allow-private", "127.0.0.0/8"])
    yield server
    server.stop()


@pytest.fixture
def service():
    made = []

    def make(answer=lambda path, n: (201, {}, b"")):
        made.append(Receiver(answer))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture
def subscribe(allowing):
    """Subscriptions of a test are gone after it."""
    client, made = allowing.client(), []

    def add(browser, as_client=None, **wants):
        who = as_client or client
        answer = who.post("/api/v1/push", json={**browser.keys(), "label": "a test", "language": "ru", **wants})
        assert answer.status == 201, answer
        made.append((who, answer.json()["id"]))
        return answer.json()
    yield add
    for who, one in made:
        who.delete(f"/api/v1/push/{one}")


def test_a_job_of_mine_that_ends(allowing, service, subscribe):
    client, browser = allowing.client(), Browser(service())
    made = subscribe(browser, mine=True)
    assert (made["mine"], made["failed"], made["approvals"], made["told"]) == (True, False, False, None)
    job = client.run("test.noop")["id"]
    [message] = browser.heard()
    assert {k: message[k] for k in ("type", "job", "name", "path", "language")} == {
        "type": "job.done", "job": job, "name": "test.noop", "path": f"/jobs/{job}", "language": "ru"}
    listed = until(lambda: (b := client.get("/api/v1/push").json()["browsers"][0])["told"] and b, 10, "told")
    assert listed["id"] == made["id"] and listed["endpoint"] == browser.endpoint


def test_jobs_of_others_are_not_told_as_mine(allowing, service, subscribe):
    client, browser = allowing.client(), Browser(service())
    other = client.post("/api/v1/keys", json={"role": "runner"}).json()
    subscribe(browser, mine=True)
    allowing.client(other["key"]).run("test.noop")
    job = client.run("test.noop")["id"]
    assert [m["job"] for m in browser.heard()] == [job]
    client.delete(f"/api/v1/keys/{other['id']}")


def test_any_failure(allowing, service, subscribe):
    client, browser = allowing.client(), Browser(service())
    other = client.post("/api/v1/keys", json={"role": "runner"}).json()
    subscribe(browser, failed=True)
    runner = allowing.client(other["key"])
    runner.run("test.noop")
    job = runner.run("test.fail", {"reason": "no_text"})
    assert job["state"] == "failed"
    [message] = browser.heard()
    assert (message["type"], message["job"], message["reason"]) == ("job.failed", job["id"], "no_text")
    assert message["detail"] and browser.service.messages("/push")[0][1]["urgency"] == "high"
    client.delete(f"/api/v1/keys/{other['id']}")


def test_an_approval_that_waits(allowing, service, subscribe):
    client, browser = allowing.client(), Browser(service())
    subscribe(browser, approvals=True)
    assert client.post("/api/v1/pipelines", body=SLOW_PIPELINE.encode(), headers={"Content-Type": "application/yaml"}).status == 201
    job = client.post("/api/v1/pipelines/asks/run", json={}).json()["id"]
    [message] = browser.heard()
    assert (message["type"], message["job"], message["name"], message["node"]) == ("wait.approval", job, "asks", "review")
    told = [e for e in client.get("/api/v1/events", {"types": "wait.approval"}).json()["events"] if e["job"] == job]
    assert [(e["subject"], e["data"]) for e in told] == [("asks", {"node": "review", "who": "reviewer"})]
    client.post(f"/api/v1/jobs/{job}/approvals/review", json={"approved": True})


def test_a_test_message_and_the_key(allowing, service, subscribe):
    client, browser = allowing.client(), Browser(service())
    made = subscribe(browser, failed=True)
    assert client.post(f"/api/v1/push/{made['id']}/test").status == 202
    [message] = browser.heard()
    assert (message["type"], message["language"]) == ("test", "ru")
    key = client.get("/api/v1/push").json()["key"]
    _, headers, _, at = browser.service.messages("/push")[0]
    assert check_sender(headers["authorization"], browser.endpoint, at) == key


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(allowing, service, subscribe, status):
    client, browser = allowing.client(), Browser(service(lambda path, n: (status, {}, b"")))
    made = subscribe(browser, mine=True)
    client.post(f"/api/v1/push/{made['id']}/test")
    until(lambda: made["id"] not in [b["id"] for b in client.get("/api/v1/push").json()["browsers"]], 10, "forgetting")
    client.run("test.noop")
    assert len(browser.service.messages("/push")) == 1


def test_a_message_that_is_refused_for_good_is_dropped(allowing, service, subscribe):
    client, browser = allowing.client(), Browser(service(lambda path, n: (400 if n == 1 else 201, {}, b"")))
    made = subscribe(browser, mine=True)
    client.post(f"/api/v1/push/{made['id']}/test")
    browser.service.wait(1, "/push")
    job = client.run("test.noop")["id"]
    assert browser.heard(2)[1]["job"] == job


def test_a_service_that_is_busy_is_asked_again(allowing, service, subscribe):
    def answer(path, n):
        return (429, {"Retry-After": "1"}, b"") if n == 1 else (201, {}, b"")
    client, browser = allowing.client(), Browser(service(answer))
    made = subscribe(browser, mine=True)
    client.post(f"/api/v1/push/{made['id']}/test")
    first, second = browser.heard(2)
    assert first == second
    _, one, body, at = browser.service.messages("/push")[0]
    _, two, again, later = browser.service.messages("/push")[1]
    assert one["topic"] == two["topic"] and body != again and later - at >= 1


def test_the_same_endpoint_is_the_same_browser(allowing, service, subscribe):
    client, browser = allowing.client(), Browser(service())
    first, second = subscribe(browser, mine=True), subscribe(browser, approvals=True)
    assert first["id"] == second["id"] and (second["mine"], second["approvals"]) == (False, True)
    assert [b["id"] for b in client.get("/api/v1/push").json()["browsers"]] == [first["id"]]


def test_a_browser_belongs_to_its_key(allowing, service, subscribe):
    client, browser = allowing.client(), Browser(service())
    made = subscribe(browser, mine=True)
    other = client.post("/api/v1/keys", json={"role": "owner"}).json()
    stranger = allowing.client(other["key"])
    assert stranger.get("/api/v1/push").json()["browsers"] == []
    assert stranger.delete(f"/api/v1/push/{made['id']}").status == 404
    assert stranger.post(f"/api/v1/push/{made['id']}/test").status == 404
    client.delete(f"/api/v1/keys/{other['id']}")


def test_who_signs_out_hears_nothing_more(allowing, service):
    client, session, browser = allowing.client(), Session(allowing), Browser(service())
    session.sign_in(allowing.key)
    here = {"X-Platen": "test"}
    assert session.request("POST", "/api/v1/push", json={**browser.keys(), "mine": True}, headers=here).status == 201
    job = client.run("test.noop")["id"]
    assert [m["job"] for m in browser.heard()] == [job]
    session.request("DELETE", "/api/v1/session", headers=here)
    second = Browser(browser.service, "/second")
    made = client.post("/api/v1/push", json={**second.keys(), "mine": True}).json()
    job = client.run("test.noop")["id"]
    assert [m["job"] for m in second.heard()] == [job]  # it came later, so the other would have been told as well
    assert len(browser.service.messages("/push")) == 1
    client.delete(f"/api/v1/push/{made['id']}")


def test_a_flood_is_not_told(allowing, service, subscribe):
    client, browser = allowing.client(), Browser(service())
    subscribe(browser, mine=True)
    jobs = [client.add("test.noop") for _ in range(30)]
    for job in jobs:
        client.wait(job)
    second = Browser(browser.service, "/second")
    subscribe(second, mine=True)
    last = client.run("test.noop")["id"]
    assert second.heard()[0]["job"] == last
    assert len(browser.service.messages("/push")) == 10


@pytest.mark.parametrize("change, param", [
    ({"auth": "x"}, "auth"), ({"p256dh": b64(b"\4" + b"\1" * 64)}, "p256dh"), ({"endpoint": "nonsense"}, "endpoint"),
    ({"endpoint": "https://10.0.0.1/push"}, "endpoint"), ({"endpoint": "ftp://example.com"}, "endpoint"), ({"mine": False}, "mine"),
    ({"language": "xx"}, "language"), ({"endpoint": "https://example.com/" + "x" * 1000}, "endpoint"),
])
def test_what_a_subscription_cannot_be(allowing, service, change, param):
    answer = allowing.client().post("/api/v1/push", json={**Browser(service()).keys(), "mine": True, **change})
    assert answer.status == 422, answer
    problem = answer.json()
    assert param in [problem.get("param")] + [e["param"] for e in problem.get("errors", [])], problem


def test_private_addresses_need_leave(client, service):
    answer = client.post("/api/v1/push", json={**Browser(service()).keys(), "mine": True})
    assert (answer.status, answer.json()["reason"]) == (422, "address_refused")
    answer = client.post("/api/v1/push", json={**Browser(service()).keys(), "endpoint": "http://example.com/push", "mine": True})
    assert answer.status == 422 and "https" in answer.json()["detail"]


def test_messages_outlive_the_server(new_server, service):
    server = new_server(args=["--allow-private", "127.0.0.0/8"])
    busy = [True]
    browser = Browser(service(lambda path, n: (503, {"Retry-After": "1"}, b"") if busy[0] else (201, {}, b"")))
    client = server.client()
    made = client.post("/api/v1/push", json={**browser.keys(), "mine": True}).json()
    key = client.get("/api/v1/push").json()["key"]
    client.post(f"/api/v1/push/{made['id']}/test")
    browser.service.wait(1, "/push")
    server.stop()
    busy[0] = False
    before = len(browser.service.messages("/push"))
    server.start()
    browser.service.wait(before + 1, "/push")
    assert server.client().get("/api/v1/push").json()["key"] == key
    assert all(m["type"] == "test" for m in browser.heard(before + 1))
    assert unb64(browser.keys()["auth"]) == browser.auth
    for path in server.data.iterdir():
        if path.is_file() and path.name.startswith("platen.db"):
            assert browser.keys()["auth"].encode() not in path.read_bytes()
