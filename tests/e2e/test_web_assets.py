"""The web app as the server hands it out: pages, files, encodings, conditions, headers. What the app does is web/tests."""

import gzip
import http.client
import re
import urllib.parse

import pytest


@pytest.fixture
def get(server):
    """get(path, method="GET", **headers): (status, headers in lower case, body), without a key and without a contract."""
    where = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)

    def ask(path, method="GET", body=None, **headers):
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    yield ask
    connection.close()


@pytest.fixture
def files(get):
    """The files that the start page names; a build without the app has none."""
    named = re.findall(rb'"(/assets/[^"]+)"', get("/")[2])
    if not named:
        pytest.skip("built without the web app")
    return [name.decode() for name in named]


def test_every_path_of_the_app_is_its_start(get):
    start = get("/")
    assert start[0] == 200 and start[1]["content-type"] == "text/html; charset=utf-8"
    assert b'<html lang="en">' in start[2]
    for path in ["/jobs", "/jobs/job_1?tab=events", "/playground/image.convert", "/nowhere"]:
        assert get(path)[2] == start[2], path


def test_what_is_not_the_apps_stays_a_problem(get):
    for path in ["/api", "/api/v1/nothing", "/docs/nothing", "/health/nothing", "/metrics/x", "/robots.txt", "/.git/config",
                 "/assets/nothing.js"]:
        status, headers, _ = get(path)
        assert (status, headers["content-type"]) == (404, "application/problem+json"), path
    for method in ["POST", "PUT", "DELETE", "PATCH"]:
        assert get("/jobs", method)[0] == 404
    assert get("/", "POST", b"{}")[0] == 404


def test_the_start_is_asked_for_again_and_cheap(get):
    status, headers, body = get("/")
    assert headers["cache-control"] == "no-cache" and headers["vary"] == "Accept-Encoding"
    for tag in [headers["etag"], "W/" + headers["etag"], f'"x", {headers["etag"]}', "*"]:
        again = get("/jobs", If_None_Match=tag)
        assert again[0] == 304 and again[2] == b"" and again[1]["etag"] == headers["etag"]
        assert again[1]["cache-control"] == "no-cache"
    assert get("/", If_None_Match='"other"')[0] == 200
    head = get("/", "HEAD")
    assert head[0] == status and head[2] == b"" and head[1]["content-length"] == str(len(body))


def test_files_with_a_hash_in_their_name_never_change(get, files):
    for name in files:
        status, headers, _ = get(name)
        assert status == 200 and headers["cache-control"] == "public, max-age=31536000, immutable", name
        assert headers["content-type"] in ("text/javascript; charset=utf-8", "text/css; charset=utf-8")
        assert headers["x-content-type-options"] == "nosniff"
    mark = get("/mark.svg")
    assert mark[1]["content-type"] == "image/svg+xml" and mark[1]["cache-control"] == "no-cache"


def test_encodings_are_the_same_file(get, files):
    for name in files:
        plain = get(name)
        packed = get(name, Accept_Encoding="gzip")
        assert "content-encoding" not in plain[1] and packed[1]["content-encoding"] == "gzip"
        assert gzip.decompress(packed[2]) == plain[2]
        brotli = get(name, Accept_Encoding="gzip, br")
        assert brotli[1]["content-encoding"] == "br" and len(brotli[2]) < len(packed[2]) < len(plain[2])
        assert len({answer[1]["etag"] for answer in (plain, packed, brotli)}) == 3
        assert get(name, Accept_Encoding="br", If_None_Match=packed[1]["etag"])[0] == 200
        assert get(name, Accept_Encoding="br", If_None_Match=brotli[1]["etag"])[0] == 304


def test_the_policy_of_the_page(get):
    headers = get("/")[1]
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"] and "data:" not in headers["content-security-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin" and headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
