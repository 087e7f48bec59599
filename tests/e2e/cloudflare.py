"""A counterpart that speaks the HTTP API of Cloudflare Queues, as their documentation and client have it: pull, ack, push, get.

json and bytes bodies come as base64, text plain; leases run out after visibility_timeout_ms; errors are a list of code and
message; after max_retries a message goes to the dead letter queue."""

import base64
import http.server
import json
import secrets
import threading
import time


class Queue:
    def __init__(self, name, http_pull=True, dead=None, max_retries=100):
        self.name, self.http_pull, self.dead, self.max_retries, self.messages = name, http_pull, dead, max_retries, []


class Cloudflare:
    TOKEN, ACCOUNT = "cf-token", "023e105f4ecef8ad9ca31a8372d0c353"

    def __init__(self):
        self.queues, self.calls, self.fail, self.lock = {}, [], {}, threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.answer(*outer.handle("GET", self.path, self.headers, None))

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(*outer.handle("POST", self.path, self.headers, body))

            def answer(self, status, result=None, error=None):
                text = json.dumps({"success": error is None, "errors": [{"code": error[0], "message": error[1]}] if error else [],
                                   "messages": [], "result": result}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/client/v4"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def queue(self, name, **more):
        key = secrets.token_hex(16)
        self.queues[key] = Queue(name, **more)
        return key

    def put(self, queue, body, kind="json", delay=0):
        """A message as a producer of theirs makes it."""
        data = json.dumps(body).encode() if kind == "json" else body.encode() if isinstance(body, str) else body
        with self.lock:
            message = {"id": secrets.token_hex(16), "kind": kind, "data": data, "attempts": 0, "visible": time.time() + delay, "lease": None}
            self.queues[queue].messages.append(message)
        return message["id"]

    def waiting(self, queue):
        return len(self.queues[queue].messages)

    def handle(self, method, path, headers, body):
        with self.lock:
            parts = path.removeprefix("/client/v4/").split("/")
            self.calls.append("/".join(parts[4:]) or "get")
            if headers["Authorization"] != f"Bearer {self.TOKEN}":
                return 401, None, (10000, "Authentication error")
            if parts[0] != "accounts" or parts[1] != self.ACCOUNT or parts[3] not in self.queues:
                return 404, None, (10104, "queue_not_found")
            verb = "/".join(parts[4:])
            if self.fail.get(verb):
                return self.fail[verb].pop(0)
            queue = self.queues[parts[3]]
            return getattr(self, {"": "get", "messages/pull": "pull", "messages/ack": "ack", "messages/batch": "push",
                                  "messages": "push_one"}[verb])(queue, body)

    def get(self, queue, _):
        consumers = [{"type": "http_pull", "settings": {}}] if queue.http_pull else [{"type": "worker", "script": "x"}]
        return 200, {"queue_name": queue.name, "consumers": consumers, "consumers_total_count": 1}

    def pull(self, queue, body):
        assert set(body) <= {"visibility_timeout_ms", "batch_size"} and 1 <= body["batch_size"] <= 100, body
        if not queue.http_pull:
            return 400, None, (10203, "the queue has no HTTP pull consumer")
        out = []
        for m in list(queue.messages):
            if m["visible"] > time.time() or len(out) == body["batch_size"]:
                continue
            if m["attempts"] > queue.max_retries:
                queue.messages.remove(m)
                if queue.dead:
                    self.queues[queue.dead].messages.append({**m, "attempts": 0, "visible": 0})
                continue
            m["attempts"] += 1
            m["visible"] = time.time() + body["visibility_timeout_ms"] / 1000
            m["lease"] = secrets.token_urlsafe(24)
            text = m["data"].decode() if m["kind"] == "text" else base64.b64encode(m["data"]).decode()
            out.append({"id": m["id"], "body": text, "timestamp_ms": int(time.time() * 1000), "attempts": m["attempts"],
                        "metadata": {"CF-Content-Type": m["kind"]}, "lease_id": m["lease"]})
        return 200, {"message_backlog_count": len(queue.messages), "messages": out}

    def ack(self, queue, body):
        assert set(body) == {"acks", "retries"}, body
        acks = {a["lease_id"] for a in body["acks"]}
        retries = {r["lease_id"]: r.get("delay_seconds", 0) for r in body["retries"]}
        before = len(queue.messages)
        queue.messages = [m for m in queue.messages if m["lease"] not in acks]
        for m in queue.messages:
            if m["lease"] in retries:
                m["visible"] = time.time() + retries[m["lease"]] * self.__dict__.get("hurry", 1)
        return 200, {"ackCount": before - len(queue.messages), "retryCount": len(retries), "warnings": {}}

    def push(self, queue, body):
        assert set(body) == {"messages"} and 1 <= len(body["messages"]) <= 100, body
        if any(len(json.dumps(m["body"])) > 128_000 for m in body["messages"]):
            return 413, None, (10204, "message too big")
        if any(m["body"] == "poison" for m in body["messages"]):
            return 400, None, (10207, "bad message")
        for m in body["messages"]:
            assert m["content_type"] == "json"
            queue.messages.append({"id": secrets.token_hex(16), "kind": "json", "data": json.dumps(m["body"]).encode(), "attempts": 0,
                                   "visible": 0, "lease": None})
        return 200, None
