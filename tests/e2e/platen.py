"""Harness: real servers of the build under test, a client for them, and the command line.

    server = Server(folder)            # `platen serve` on a free port with its data in `folder`
    server.run("text.stats", files=["words.txt"])["data"]
    server.client().get("/api/v1/jobs")        # checked against the server's OpenAPI document
    server.kill(); server.start()      # the same data again
    server.stop()                      # SIGTERM; fails when the log has errors

Nothing here sleeps for luck: `until` waits for a condition and fails when its time is over.
"""

import collections
import contextlib
import http.client
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse
from pathlib import Path

from schema import Contract
from websocket import WebSocket

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PLATEN_BUILD") or ROOT / "build").resolve()
PLATEN = BUILD / "platen"
SAMPLES = ROOT / "samples"
SANITIZED = PLATEN.exists() and b"__asan_init" in PLATEN.read_bytes()
SLOW = 4 if SANITIZED else 1  # deadlines are that many times longer under sanitizers

SANITIZER_REPORT = re.compile(
    rb"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|SUMMARY: \w+Sanitizer")


def until(condition, seconds=10, why="the condition"):
    """The first true value of `condition`, asked again and again for at most `seconds` (longer under sanitizers)."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{why} did not come true in {seconds * SLOW} s")
        time.sleep(0.01)


def environment(**more):
    """The environment without what would change platen's behaviour, plus `more` (None removes)."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("PLATEN_") and k not in ("NO_COLOR", "COLUMNS", "LINES")}
    env.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=0")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    env.update({k: str(v) for k, v in more.items() if v is not None})
    for k in [k for k, v in more.items() if v is None]:
        env.pop(k, None)
    return env


def cli(*words, input=None, env=None, cwd=None, text=True, timeout=60, check=None):
    """Run `platen WORDS…` to its end. `check`: the exit code it must have."""
    if isinstance(input, str) and not text:
        input = input.encode()
    feed = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
    done = subprocess.run([str(PLATEN), *[str(w) for w in words]], capture_output=True, text=text, cwd=cwd,
                          env=environment(**(env or {})), timeout=timeout * SLOW, check=False, **feed)
    stderr = done.stderr.encode() if text else done.stderr
    assert not SANITIZER_REPORT.search(stderr), stderr.decode(errors="replace")[:4000]
    assert done.returncode >= 0, f"platen {words} died of signal {-done.returncode}: {stderr[-2000:]!r}"
    if check is not None:
        assert done.returncode == check, \
            f"platen {words}: exit {done.returncode}, not {check}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done


class Answer:
    """What came back: status, headers (names in lower case), type (without parameters), body; `sent`: the JSON that went out."""

    def __init__(self, method, path, status, headers, body, sent=None):
        self.method, self.path, self.status, self.body, self.sent = method, path, status, body, sent
        self.headers = {}
        for name, value in headers:
            key = name.lower()
            self.headers[key] = f"{self.headers[key]}, {value}" if key in self.headers else value
        self.type = self.headers.get("content-type", "").split(";")[0].strip()

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode()

    def __repr__(self):
        start = (self.body or b"")[:600]
        return f"<{self.method} {self.path}: {self.status} {start!r}>"


Event = collections.namedtuple("Event", "id type data")


class EventStream:
    """Server-sent events of an open answer, one by one; ends when the server ends the stream."""

    def __init__(self, connection, answer, contract=None):
        self.connection, self.answer, self.contract = connection, answer, contract
        self.status = answer.status
        self.headers = {k.lower(): v for k, v in answer.getheaders()}

    def __iter__(self):
        fields = {}
        for raw in self.answer:
            line = raw.decode().rstrip("\n")
            if line.startswith(":"):
                continue
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            elif fields:
                data = json.loads(fields["data"])
                if self.contract is not None:
                    self.contract.validate(data, {"$ref": "#/components/schemas/Event"})
                assert (int(fields["id"]), fields["event"]) == (data["seq"], data["type"])
                yield Event(int(fields["id"]), fields["event"], data)
                fields = {}

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def multipart(fields, files):
    """A multipart/form-data body. fields: (name, value) pairs; files: (field, filename, type, bytes)."""
    boundary = "platen-" + secrets.token_hex(12)
    out = []
    for name, value in fields:
        out.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
                   + str(value).encode() + b"\r\n")
    for field, filename, media, data in files:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
        if media:
            head += f"Content-Type: {media}\r\n"
        out.append(head.encode() + b"\r\n" + data + b"\r\n")
    out.append(f"--{boundary}--\r\n".encode())
    return b"".join(out), f"multipart/form-data; boundary={boundary}"


def as_upload(item):
    """A path, a name in samples/, (name, bytes) or (name, bytes, type) as (name, bytes, type)."""
    if isinstance(item, tuple):
        return (*item, "") if len(item) == 2 else item
    path = Path(item) if os.path.isabs(item) else SAMPLES / item
    return path.name, path.read_bytes(), ""


class Client:
    """HTTP client of one server and one key. Every answer is checked against the server's OpenAPI document."""

    def __init__(self, url, key=None, contract=None, timeout=90):
        self.url, self.key, self.contract, self.timeout = url, key, contract, timeout
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.tls = parts.hostname, parts.port, parts.scheme == "https"

    def connect(self, timeout=None):
        """A connected socket, for what http.client will not send."""
        sock = socket.create_connection((self.host, self.port), timeout=timeout or self.timeout)
        return self._tls().wrap_socket(sock, server_hostname=self.host) if self.tls else sock

    def raw(self, data, timeout=10):
        """Send bytes as they are, return all that comes until the server closes (or the time is over)."""
        out = b""
        with self.connect(timeout=timeout) as sock:
            sock.sendall(data)
            with contextlib.suppress(TimeoutError, ConnectionError):
                while True:
                    got = sock.recv(65536)
                    if not got:
                        break
                    out += got
        return out

    @staticmethod
    def _tls():
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def connection(self, timeout=None):
        wait = timeout or self.timeout
        if self.tls:
            return http.client.HTTPSConnection(self.host, self.port, timeout=wait, context=self._tls())
        return http.client.HTTPConnection(self.host, self.port, timeout=wait)

    def auth(self):
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def request(self, method, path, query=None, body=None, json=None, form=None, files=None, headers=None,
                check=True, connection=None, chunked=False):
        """One request. json: a value to send; form and files (see as_upload; a dict gives them fields): multipart;
        query: dict or pairs."""
        import json as json_module
        head = self.auth()
        if json is not None:
            body, head["Content-Type"] = json_module.dumps(json).encode(), "application/json"
        elif files is not None or form is not None:
            fields = list(form.items()) if isinstance(form, dict) else list(form or [])
            named = files if isinstance(files, dict) else {"file": files or []}
            uploads = [(field, *(up[0], up[2], up[1])) for field, some in named.items()
                       for up in map(as_upload, some if isinstance(some, list) else [some])]
            body, head["Content-Type"] = multipart(fields, uploads)
        head.update(headers or {})
        target = path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        conn = connection or self.connection()
        try:
            conn.request(method, target, body=body, headers=head, encode_chunked=chunked)
            got = conn.getresponse()
            answer = Answer(method, path.partition("?")[0], got.status, got.getheaders(), got.read(), json)
        finally:
            if connection is None:
                conn.close()
        if check and self.contract is not None:
            self.contract.check(answer)
        return answer

    def get(self, path, query=None, **more):
        return self.request("GET", path, query, **more)

    def head(self, path, query=None, **more):
        return self.request("HEAD", path, query, **more)

    def post(self, path, query=None, **more):
        return self.request("POST", path, query, **more)

    def delete(self, path, query=None, **more):
        return self.request("DELETE", path, query, **more)

    def events(self, job, after=None, headers=None):
        """A stream of the job's events (SSE); `after` goes out as Last-Event-ID."""
        head = {**self.auth(), "Accept": "text/event-stream", **(headers or {})}
        if after is not None:
            head["Last-Event-ID"] = str(after)
        conn, path = self.connection(), f"/api/v1/jobs/{job}/events"
        conn.request("GET", path, headers=head)
        stream = EventStream(conn, conn.getresponse(), self.contract)
        if self.contract is not None and stream.status == 200:
            self.contract.check(Answer("GET", path, stream.status, stream.headers.items(), b""))
        return stream

    def websocket(self, path, headers=None):
        head = {"Host": f"{self.host}:{self.port}", **self.auth(), **(headers or {})}
        return WebSocket(self.connect(), path, head)

    # What most tests do.

    def start(self, step, params=None, files=None, wait=0, **options):
        """Start a step and return the answer: multipart when there are files, else JSON."""
        if files:
            form = [(k, json.dumps(v) if isinstance(v, (dict, bool)) else ",".join(v) if isinstance(v, list) else v)
                    for k, v in {**(params or {}), **options}.items()]
            return self.post(f"/api/v1/steps/{step}", {"wait": wait}, form=form, files=files)
        return self.post(f"/api/v1/steps/{step}", json={"params": params or {}, "wait": wait, **options})

    def run(self, step, params=None, files=None, wait=30, **options):
        """Run a step to its end and return the job, whatever became of it."""
        answer = self.start(step, params, files, wait=wait, **options)
        assert answer.status in (200, 202), answer
        return answer.json() if answer.status == 200 else self.wait(answer.json()["id"])

    def add(self, step, params=None, **options):
        """Start a step without waiting; returns the id of the job."""
        answer = self.start(step, params, **options)
        assert answer.status == 202, answer
        return answer.json()["id"]

    def job(self, job):
        answer = self.get(f"/api/v1/jobs/{job}")
        assert answer.status == 200, answer
        return answer.json()

    def wait(self, job, seconds=60):
        """The job when it has ended."""
        deadline = time.monotonic() + seconds * SLOW
        while True:
            answer = self.get(f"/api/v1/jobs/{job}", {"wait": 20})
            assert answer.status in (200, 202), answer
            got = answer.json()
            if got["state"] in ("done", "failed", "canceled"):
                return got
            assert time.monotonic() < deadline, f"{job} did not end: {got}"

    def until_state(self, job, *states, seconds=10):
        return until(lambda: (j := self.job(job))["state"] in states and j, seconds, f"{job} is {states}")

    def output(self, job, index=0):
        answer = self.get(f"/api/v1/jobs/{job['id']}/outputs/{index}")
        assert answer.status == 200, answer
        return answer.body

    def event_types(self, job):
        answer = self.get(f"/api/v1/jobs/{job}/events", {"limit": 1000})
        assert answer.status == 200, answer
        return [e["type"] for e in answer.json()["events"]]


class Server:
    """A server of the build under test. Its log is kept in `folder`/log, its data in `folder`/data."""

    def __init__(self, folder, args=(), env=None, data=None, start=True):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = Path(data) if data else self.folder / "data"
        self.log_path, self.out_path = self.folder / "log", self.folder / "out"
        self.args, self.env = list(args), dict(env or {})
        self.process, self.url, self.owner_key, self.contract = None, None, None, None
        self.seen = 0          # bytes of the log that were looked at
        self.expected = set()  # events of level error that a test asked for
        if start:
            self.start()

    # --- its life ---

    def start(self, args=None, env=None, seconds=20):
        """Start it and wait until it answers. Arguments replace those of the constructor."""
        assert self.process is None, "it runs already"
        self.args = list(args) if args is not None else self.args
        self.env = dict(env) if env is not None else self.env
        command = [str(PLATEN), "serve", "--data", str(self.data)]
        if not any(a == "--listen" or a.startswith("--listen=") for a in self.args):
            command += ["--listen", "127.0.0.1:0"]
        (self.data / "server.json").unlink(missing_ok=True)
        before = self.out_path.stat().st_size if self.out_path.exists() else 0
        with open(self.out_path, "ab") as out, open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command + self.args, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                                            env=environment(**self.env), cwd=self.folder)

        def answers():
            if self.process.poll() is not None:
                status, self.process = self.process.returncode, None
                raise AssertionError(f"the server ended with {status}: {self.log_text()[-3000:]}")
            with contextlib.suppress(OSError, ValueError):
                self.url = json.loads((self.data / "server.json").read_text())["url"]
                return Client(self.url, timeout=5).get("/health/liveness").status == 200
            return False
        until(answers, seconds, "the server's start")
        shown = re.search(r"owner key\s+(pk_[\w-]{43})", self.out_path.read_text()[before:])
        self.owner_key = shown.group(1) if shown else self.owner_key
        if self.contract is None:
            self.contract = Contract(Client(self.url).get("/openapi.json").json())
        return self

    def stop(self, seconds=30, clean=True):
        """SIGTERM and wait; returns the exit status. `clean`: fails when it is not 0 or the log has errors."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop: {self.log_text()[-3000:]}") from None
        self.process = None
        if clean:
            assert status == 0, f"the server ended with {status}: {self.log_text()[-3000:]}"
            self.check_log()
        return status

    def kill(self):
        """kill -9, as a crash of the machine would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    # --- its log ---

    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log(self, event=None):
        """The log's events so far, all or those of one name."""
        found = []
        for line in self.log_text().splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and (event is None or entry.get("event") == event):
                    found.append(entry)
        return found

    def expect_error(self, *events):
        """Errors of these names may be in the log from now on."""
        self.expected.update(events)

    def check_log(self):
        """Fail when the log got an ERROR event or a sanitizer's report since the last look."""
        with open(self.log_path, "rb") as f:
            f.seek(self.seen)
            news = f.read()
        self.seen += len(news)
        report = SANITIZER_REPORT.search(news)
        assert not report, news[max(0, report.start() - 500):report.start() + 6000].decode(errors="replace")
        for line in news.splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and entry.get("level") == "error":
                    assert entry.get("event") in self.expected, f"the server logged an error: {entry}"

    # --- talking to it ---

    @property
    def key(self):
        return (self.data / "cli-key").read_text().strip()

    @property
    def pid(self):
        return self.process.pid

    def client(self, key="", **more):
        """A client with this key; "" is the folder's own (an owner's), None is none."""
        return Client(self.url, self.key if key == "" else key, self.contract, **more)

    def run(self, step, params=None, files=None, wait=30, **options):
        return self.client().run(step, params, files, wait, **options)
