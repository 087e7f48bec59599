"""Sessions of browsers: a key is changed for a cookie, and what a request by cookie must show."""

import json
import re
import socket

import pytest

from platen import cli, until

HERE = {"X-Platen": "test"}


class Browser:
    """Keeps the cookie as a browser does, and no key."""

    def __init__(self, server):
        self.http, self.cookie, self.set = server.client(None), None, ""

    def sign_in(self, key, headers=None):
        answer = self.http.post("/api/v1/session", json={"key": key}, headers=headers)
        self.set = answer.headers.get("set-cookie", "")
        found = re.match(r"platen_session=([^;]*)", self.set)
        self.cookie = found and found.group(1)
        return answer

    def request(self, method, path, headers=None, **more):
        return self.http.request(method, path, headers={"Cookie": f"other=1; platen_session={self.cookie}; last=x",
                                                        **(headers or {})}, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)


@pytest.fixture
def browser(server):
    made = Browser(server)
    assert made.sign_in(server.key).status == 201
    return made


def origin(server):
    return server.url


def test_a_key_is_changed_for_a_cookie(server, client):
    browser = Browser(server)
    answer = browser.sign_in(f"  {server.key}\n")  # pasted with what was around it
    assert answer.status == 201
    who = answer.json()
    assert who["role"] == "owner" and who["project"]["name"] == "default" and who["project"]["id"].startswith("prj_")
    assert who["key"]["id"] in {k["id"] for k in client.get("/api/v1/keys").json()["keys"]}
    assert who["version"] in cli("version", check=0).stdout and who["expires"] > who["now"]
    parts = browser.set.split("; ")
    assert set(parts[1:]) == {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"}
    assert re.fullmatch(r"ps_[\w-]{43}", browser.cookie) and browser.cookie not in answer.text()
    again = browser.get("/api/v1/session").json()
    assert {**again, "now": 0} == {**who, "now": 0}
    assert browser.get("/api/v1/jobs").status == 200
    assert client.get("/api/v1/session").json()["expires"] is None  # with the key itself
    for path in server.data.iterdir():
        if path.is_file() and path.name.startswith("platen.db"):
            assert browser.cookie.encode() not in path.read_bytes()
    assert browser.cookie not in server.log_text()


def test_behind_tls_the_cookie_is_secure(server):
    browser = Browser(server)
    assert browser.sign_in(server.key, headers={"X-Forwarded-Proto": "https"}).status == 201
    assert browser.set.endswith("; Secure")


def test_signing_out_ends_it(server, browser):
    other = Browser(server)
    other.sign_in(server.key)
    assert browser.request("DELETE", "/api/v1/session", headers=HERE).status == 204
    answer = browser.get("/api/v1/jobs")
    assert (answer.status, answer.json()["reason"]) == (401, "unauthorized")
    assert other.get("/api/v1/jobs").status == 200


def test_signing_out_clears_the_cookie(browser):
    answer = browser.request("DELETE", "/api/v1/session", headers=HERE)
    assert answer.headers["set-cookie"].startswith("platen_session=; ") and "Max-Age=0" in answer.headers["set-cookie"]


def test_a_key_has_no_session_to_end(client):
    answer = client.delete("/api/v1/session")
    assert (answer.status, answer.json()["reason"]) == (409, "conflict")


def test_a_revoked_key_ends_its_sessions_at_once(server, client):
    key = client.post("/api/v1/keys", json={"name": "phone", "role": "viewer"}).json()
    browser = Browser(server)
    browser.sign_in(key["key"])
    assert browser.get("/api/v1/session").json()["role"] == "viewer"
    assert browser.request("POST", "/api/v1/steps/test.noop", headers=HERE).status == 403
    assert client.delete(f"/api/v1/keys/{key['id']}").status == 204
    assert browser.get("/api/v1/session").status == 401


def test_a_session_outlives_the_server(new_server):
    server = new_server()
    browser = Browser(server)
    browser.sign_in(server.key)
    server.stop()
    server.start()
    browser.http = server.client(None)
    assert browser.get("/api/v1/session").status == 200


@pytest.mark.parametrize("cookie", ["", "ps_", "ps_" + "A" * 43, "pk_" + "A" * 43, "x" * 4000, '"ps_"'])
def test_a_wrong_cookie_is_refused(server, cookie):
    browser = Browser(server)
    browser.cookie = cookie
    answer = browser.get("/api/v1/jobs")
    assert (answer.status, answer.json()["reason"]) == (401, "unauthorized")


def test_a_session_is_no_key_and_a_key_no_session(server, browser):
    assert server.client(browser.cookie).get("/api/v1/jobs").status == 401
    browser.cookie = server.key
    assert browser.get("/api/v1/jobs").status == 401


def test_a_key_goes_before_the_cookie(browser, server):
    assert browser.get("/api/v1/jobs", headers={"Authorization": "Bearer wrong"}).status == 401
    key = {"X-API-Key": server.key}
    assert browser.request("POST", "/api/v1/steps/test.noop", headers=key).status == 202  # and needs no sign


def test_changes_by_cookie_show_where_they_come_from(server, browser):
    """What another page could send is refused; what it cannot is let in."""
    def add(headers):
        return browser.request("POST", "/api/v1/steps/test.noop", headers=headers)
    here = origin(server)
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": here + "0"},
                    {"Origin": here.replace("127.0.0.1", "localhost")}, {"X-Platen": ""}, {"Origin": ""}):
        answer = add(headers)
        assert (answer.status, answer.json()["reason"]) == (403, "forbidden"), headers
        assert "X-Platen" in answer.json()["detail"] + answer.json()["hint"]
    for headers in ({"X-Platen": "web"}, {"Origin": here}, {"Origin": here.upper().replace("HTTP", "http")}):
        assert add(headers).status == 202, headers
    for method, path in (("DELETE", "/api/v1/session"), ("PUT", "/api/v1/secrets/X"), ("PATCH", "/api/v1/webhooks/whk_06y3vvspw0000")):
        assert browser.request(method, path).status == 403
    assert browser.get("/api/v1/jobs", headers={"Origin": "https://evil.example"}).status == 200  # it cannot read it


def test_an_upload_by_cookie_is_refused_before_its_body(server, browser):
    head = (f"POST /api/v1/blobs HTTP/1.1\r\nHost: {browser.http.host}:{browser.http.port}\r\nContent-Length: 9999999\r\n"
            f"Cookie: platen_session={browser.cookie}\r\n\r\n").encode()
    with socket.create_connection((browser.http.host, browser.http.port), 10) as sock:
        sock.sendall(head)
        assert sock.recv(65536).startswith(b"HTTP/1.1 403")


def test_sockets_by_cookie_need_the_same_origin(server, browser):
    cookie = {"Cookie": f"platen_session={browser.cookie}"}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-origin"}):
        assert browser.http.websocket("/api/v1/events/socket", {**cookie, **headers}).status == 403
    assert browser.http.websocket("/api/v1/events/socket", {**cookie, "Origin": origin(server)}).status == 101


def test_streams_by_cookie_need_the_same_origin(server, browser, client):
    job = client.run("test.noop")["id"]
    cookie = {"Cookie": f"platen_session={browser.cookie}"}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        with browser.http.events(job, headers={**cookie, **headers}) as stream:
            assert stream.status == 403, headers
    for headers in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": origin(server)}):  # EventSource sends no Origin at home
        with browser.http.events(job, headers={**cookie, **headers}) as stream:
            assert [e.type for e in stream][-1] == "job.done"


def test_no_other_site_signs_somebody_in(server):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = Browser(server).sign_in(server.key, headers)
        assert (answer.status, answer.json()["reason"]) == (403, "forbidden") and "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [{}, {"key": ""}, {"key": 7}, {"key": "x" * 300}, {"kee": "x"}, [], "x"])
def test_what_signing_in_cannot_be(server, body):
    answer = server.client(None).post("/api/v1/session", json=body)
    assert answer.status in (400, 401, 422), answer


def test_guessing_is_slowed_down(new_server):
    server = new_server()
    browser = Browser(server)
    for _ in range(10):
        answer = browser.sign_in("pk_" + "B" * 43)
        assert (answer.status, answer.json()["reason"]) == (401, "unauthorized")
    for key in ("pk_" + "B" * 43, server.key):
        answer = browser.sign_in(key)
        assert (answer.status, answer.json()["reason"]) == (429, "too_many_requests")
        assert answer.headers["retry-after"] == "60"
    assert server.client().get("/api/v1/jobs").status == 200  # keys themselves go on
    assert len(server.log("key.refused")) == 10


def test_a_key_keeps_a_hundred_sessions(new_server):
    server = new_server()
    browsers = []
    for _ in range(102):
        browsers.append(Browser(server))
        assert browsers[-1].sign_in(server.key).status == 201
    assert [b.get("/api/v1/session").status for b in (*browsers[:3], browsers[-1])] == [401, 401, 200, 200]


def test_the_first_start_shows_a_link(new_server):
    server = new_server()
    line = until(lambda: re.search(r"^open +(.*)/#key=(.*)$", server.out_path.read_text(), re.M), 10, "the welcome")
    assert line[1] == server.url and Browser(server).sign_in(line[2]).status == 201
    assert line[2] not in server.log_text()


def test_open_prints_a_link_that_lets_in(server, tmp_path):
    link = cli("open", "--data", str(server.data), "--print", check=0).stdout.strip()
    url, _, key = link.partition("/#key=")
    assert url == server.url and Browser(server).sign_in(key).status == 201
    shown = json.loads(cli("open", "--data", str(server.data), "--json", check=0).stdout)
    assert shown == {"url": url, "link": link}
    nobody = cli("open", "--data", str(tmp_path), "--print")
    assert nobody.returncode == 1 and "platen serve" in nobody.stderr


def test_open_starts_the_browser_without_showing_the_key(server, tmp_path):
    tool, seen = tmp_path / "xdg-open", tmp_path / "seen"
    tool.write_text(f'#!/bin/sh\necho "$@" > {seen}; cat "$1" >> {seen}\n')
    tool.chmod(0o755)
    env = {"DISPLAY": ":7", "PATH": f"{tmp_path}:/usr/bin:/bin"}
    out = cli("open", "--data", str(server.data), env=env, check=0).stdout
    words, page = seen.read_text().split("\n", 1)
    assert out == f"opened {server.url}\n" and "pk_" not in words and words.startswith("/")
    assert f'url={server.url}/#key=pk_' in page
    assert (server.data / "open.html").stat().st_mode & 0o077 == 0
    tool.write_text("#!/bin/sh\nexit 3\n")  # no browser: the link helps
    assert "/#key=pk_" in cli("open", "--data", str(server.data), env=env, check=0).stdout
