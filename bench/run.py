#!/usr/bin/env python3
"""Measure platen against physical limits and named peers, each pair in the same run.

    bench/run.py --build build [FIGURE…]

Prints a table and writes one JSON line per figure to BUILD/bench.jsonl:
    {"figure","value","unit","compare":{"name","value"},"ratio","goal","met"}
Medians of several runs; ratios matter more than absolute values on a shared machine.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import documents
import flow
import image_sharp
from ocr import bench_ocr
from tokens import bench_tokens
from web import bench_web

ROOT = Path(__file__).resolve().parent.parent
WRK_SECONDS = 5
RUNS = 3


class Server:
    """platen serve on a free port with throwaway data."""

    def __init__(self, build, *options, log="warn"):
        self.dir = Path(tempfile.mkdtemp(prefix="platen-bench-"))
        self.data = self.dir / "data"
        self.started = time.monotonic()
        self.process = subprocess.Popen([build / "platen", "serve", "--data", self.data, "--listen", "127.0.0.1:0", "--log-level", log,
                                         *options], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.url = json.loads((self.data / "server.json").read_text())["url"]
        self.key = (self.data / "cli-key").read_text().strip()
        self.port = int(self.url.rsplit(":", 1)[1])

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def call(self, method, path, body=None, headers=None, connection=None):
        c = connection or self.connection()
        c.request(method, path, body, {"Authorization": f"Bearer {self.key}", **(headers or {})})
        r = c.getresponse()
        data = r.read()
        if r.status >= 400:
            raise RuntimeError(f"{method} {path}: {r.status} {data[:300]!r}")
        return json.loads(data) if data.startswith(b"{") else data

    def run(self, step, path, query="", connection=None):
        job = self.call("POST", f"/api/v1/steps/{step}?wait=60{query}", Path(path).read_bytes(),
                        {"Content-Type": "application/octet-stream", "X-Filename": Path(path).name}, connection)
        if job["state"] != "done":
            raise RuntimeError(f"{path}: {job.get('reason')}: {job.get('detail')}")
        return job

    def rss(self, peak=False):
        name = "VmHWM" if peak else "VmRSS"
        return int(re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) * 1024

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Report:
    def __init__(self, path):
        self.path, self.rows = path, []
        path.write_text("")

    def add(self, figure, value, unit, goal, met, compare=None, ratio=None):
        row = {"figure": figure, "value": value, "unit": unit, "compare": compare, "ratio": ratio, "goal": goal, "met": bool(met)}
        self.rows.append(row)
        with self.path.open("a") as f:
            f.write(json.dumps(row) + "\n")
        beside = f"{compare['name']} {number(compare['value'])}" if compare else ""
        print(f"{'met ' if met else 'MISS'}  {figure:38} {number(value):>12} {unit:8} {'' if ratio is None else f'{ratio:6.2f}x':>8}  "
              f"{beside:42} goal {goal}", flush=True)


def number(v):
    return f"{v:,.0f}" if abs(v) >= 100 else f"{v:.3g}"


def wrk(server, script=None, path="/", query="", seconds=WRK_SECONDS, connections=64, threads=2):
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}", server.url + path]
    if script:
        command[1:1] = ["-s", ROOT / "bench" / script]
    out = subprocess.run(command, env={**os.environ, "PLATEN_KEY": server.key, "QUERY": query}, capture_output=True, text=True,
                         check=True).stdout
    if "Non-2xx" in out:
        raise RuntimeError(out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def bench_enqueue(build, report):
    durable, checked = [], []
    for _ in range(RUNS):
        with Server(build) as s:
            checked.append(wrk(s, "enqueue.lua", query="?dry_run=true"))
            durable.append(wrk(s, "enqueue.lua"))
    d, c = statistics.median(durable), statistics.median(checked)
    report.add("durable enqueue over HTTP", d, "jobs/s", "30,000/s and 0.5x", d >= 30000 and d >= 0.5 * c,
               {"name": "the same request, dry_run (writes nothing)", "value": c}, d / c)


def bench_bulk(build, report):
    """Tasks in batches of 100, 16 clients, each batch on disk before it is answered."""
    rates = []
    for _ in range(RUNS):
        with Server(build) as s:
            rates.append(100 * wrk(s, "bulk.lua", connections=16, threads=1))
    rate = statistics.median(rates)
    report.add("durable enqueue in batches of 100", rate, "tasks/s", ">= 100,000/s", rate >= 100000)


def bench_queue(build, report):
    runs = []
    for _ in range(RUNS):
        folder = tempfile.mkdtemp(prefix="platen-bench-")
        out = subprocess.run([build / "bench/queue_drain", folder], capture_output=True, text=True, check=True).stdout
        shutil.rmtree(folder)
        runs.append({line.split()[0]: [float(n) for n in re.findall(r"[\d.]+", line)] for line in out.splitlines() if line.strip()})
    middle = lambda key, index: statistics.median(r[key][index] for r in runs)
    drain = middle("drain", 0)
    report.add("no-op tasks drained, durable", drain, "tasks/s", "20,000/s", drain >= 20000,
               {"name": "enqueue and drain at once", "value": middle("both", 0)})
    p50, p99 = middle("start", 1), middle("start", 3)  # "start p50 4.31 ms p99 14.68 ms": the 50 and 99 count too
    report.add("enqueue to start at 100/s, p50", p50, "ms", "<= 2 ms", p50 <= 2)
    report.add("enqueue to start at 100/s, p99", p99, "ms", "<= 10 ms", p99 <= 10)


def make_pdfs(folder, count):
    """PDFs of a few pages each, written directly: text in one standard font."""
    dice = random.Random(7)
    return make_pdfs_of(folder, [dice.randint(4, 12) for _ in range(count)])


def make_pdfs_of(folder, page_counts):
    words = (ROOT / "README.md").read_text().split()
    dice = random.Random(7)
    for n, pages in enumerate(page_counts):
        objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
        kids = []
        for _ in range(pages):
            lines = [f"({' '.join(w for w in dice.choices(words, k=12) if w.isalnum())}) Tj 0 -14 Td" for _ in range(45)]
            stream = "BT /F1 11 Tf 50 780 Td " + "\n".join(lines) + " ET"
            objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
            objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R "
                           "/Resources << /Font << /F1 3 0 R >> >> >>")
            kids.append(f"{len(objects)} 0 R")
        objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
        out, offsets = "%PDF-1.4\n", []
        for i, body in enumerate(objects, 1):
            offsets.append(len(out))
            out += f"{i} 0 obj\n{body}\nendobj\n"
        table = "".join(f"{o:010} 00000 n \n" for o in offsets)
        xref = len(out)
        out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer << /Size {len(objects) + 1} /Root 1 0 R >>\n"
        (folder / f"{n:03}.pdf").write_text(f"{out}startxref\n{xref}\n%%EOF\n")
    return [folder / f"{n:03}.pdf" for n in range(len(page_counts))]


def through_platen(server, step, files, query=""):
    started = time.monotonic()
    local = threading.local()

    def one(path):
        if not hasattr(local, "c"):
            local.c = server.connection()
        server.run(step, path, query, local.c)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(one, files))
    return time.monotonic() - started


def real_pdfs(folder, count):
    """Copies of the corpus' readable PDFs, each with bytes of its own so that no two are one blob; [] where there is no corpus."""
    corpus = sorted((ROOT.parent / "shared/corpus/pdf").glob("*.pdf"))
    good = [p for p in corpus if subprocess.run(["pdftotext", p, "-"], capture_output=True, check=False).stdout.strip()]
    for n in range(count if good else 0):
        source = good[n % len(good)]
        (folder / f"{n:03}-{source.name}").write_bytes(source.read_bytes() + f"\n%{n}\n".encode())
    return sorted(folder.glob("*.pdf"))


def measure_pdfs(build, report, what, files):
    ours, bare, peer = [], [], []
    with Server(build) as s:
        s.run("document.extract", files[0])
        for _ in range(RUNS):
            ours.append(through_platen(s, "document.extract", files, "&format=text"))
            bare.append(float(subprocess.run([build / "bench/pdf_bare", *files], capture_output=True, text=True, check=True).stdout.split()[1]))
            started = time.monotonic()
            for f in files:
                subprocess.run(["pdftotext", f, "/dev/null"], check=True, stderr=subprocess.DEVNULL)
            peer.append(time.monotonic() - started)
    o, b, p = (len(files) / statistics.median(x) for x in (ours, bare, peer))
    report.add(f"PDF text, {what}", o, "files/s", ">= 0.7x", o / b >= 0.7, {"name": "bare library, one process", "value": b}, o / b)
    report.add(f"PDF text, {what}, to a peer", o, "files/s", ">= 2x", o / p >= 2, {"name": "pdftotext once per file", "value": p}, o / p)


def bench_pdf(build, report):
    for what, make in (("200 real files", real_pdfs), ("200 small generated files", make_pdfs)):
        folder = Path(tempfile.mkdtemp(prefix="platen-bench-"))
        files = make(folder, 200)
        if files:
            measure_pdfs(build, report, what, files)
        shutil.rmtree(folder)


def bench_image(build, report):
    folder = Path(tempfile.mkdtemp(prefix="platen-bench-"))
    photo = folder / "photo.jpg"
    subprocess.run(["convert", "-size", "4000x3000", "plasma:tomato-steelblue", "-attenuate", "0.2", "+noise", "Gaussian", "-seed", "7",
                    "-quality", "90", photo], check=True)
    count, ours, bare = 12, [], []
    with Server(build) as s:
        # Uploaded once: the figure is of the queue and the sandbox; uploads have one of their own.
        blob = s.call("POST", "/api/v1/blobs", photo.read_bytes(), {"Content-Type": "image/jpeg"})["blob"]
        request = json.dumps({"inputs": [{"blob": blob, "name": "photo.jpg"}], "params": {"format": "webp", "width": 1600}, "wait": 60})
        c = s.connection()

        def convert():
            job = s.call("POST", "/api/v1/steps/image.convert", request, {"Content-Type": "application/json"}, c)
            if job["state"] != "done":
                raise RuntimeError(f"{job.get('reason')}: {job.get('detail')}")

        convert()
        for _ in range(RUNS):
            started = time.monotonic()
            for _ in range(count):
                convert()
            ours.append((time.monotonic() - started) / count)
            out = subprocess.run([build / "bench/image_bare", photo, "1600", str(count)], capture_output=True, text=True, check=True).stdout
            bare.append(float(out.split()[0]))
    shutil.rmtree(folder)
    o, b = 1 / statistics.median(ours), 1 / statistics.median(bare)
    report.add("12 MP JPEG to 1600 px WebP", o, "images/s", ">= 0.9x", o / b >= 0.9, {"name": "bare libvips, one process", "value": b}, o / b)


def bench_sharp(build, report):
    image_sharp.bench(build, report, Server)


def bench_overhead(build, report):
    """An empty task of the test engine through channel, fork, sandbox, result and end: all of it is overhead."""
    engine = next(p for p in build.glob("tests/unit/**/platen-engine-bad") if p.is_file())
    runs = []
    for _ in range(RUNS):
        folder = tempfile.mkdtemp(prefix="platen-bench-")
        out = subprocess.run([build / "bench/engine_overhead", folder, engine.parent, "bad.empty", "200"], capture_output=True, text=True,
                             check=True).stdout
        shutil.rmtree(folder)
        runs.append(float(re.search(r"median (\d+) us", out)[1]) / 1000)
    ms = statistics.median(runs)
    report.add("sandboxed task over the same in process", ms, "ms", "<= 3 ms", ms <= 3)


def bench_idle(build, report):
    starts = []
    with Server(build) as s:
        data = s.data
        kept = Path(tempfile.mkdtemp(prefix="platen-bench-"))
        time.sleep(1)
        idle = s.rss()
        shutil.copy(data / "engines.json", kept)
    report.add("idle server, resident", idle / 1e6, "MB", "<= 25 MB", idle <= 25e6)
    for _ in range(RUNS):
        folder = Path(tempfile.mkdtemp(prefix="platen-bench-"))
        (folder / "data").mkdir(mode=0o700)
        shutil.copy(kept / "engines.json", folder / "data")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        started = time.monotonic()
        p = subprocess.Popen([build / "platen", "serve", "--data", folder / "data", "--listen", f"127.0.0.1:{port}", "--log-level", "off"],
                             stdout=subprocess.DEVNULL)
        while True:
            try:
                c = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                c.request("GET", "/health")
                if c.getresponse().status == 200:
                    break
            except OSError:
                time.sleep(0.001)
        starts.append((time.monotonic() - started) * 1000)
        p.terminate()
        p.wait()
        shutil.rmtree(folder)
    shutil.rmtree(kept)
    ms = statistics.median(starts)
    report.add("start to first answer, contracts cached", ms, "ms", "<= 150 ms", ms <= 150)


def bench_sse(build, report):
    count = 2000
    with Server(build) as s:
        job = s.call("POST", "/api/v1/steps/test.noop", json.dumps({"delay_ms": 3600000}), {"Content-Type": "application/json"})
        request = (f"GET /api/v1/jobs/{job['id']}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\n"
                   "Accept: text/event-stream\r\n\r\n").encode()

        def stream():
            c = socket.create_connection(("127.0.0.1", s.port))
            c.sendall(request)
            text = b""
            while b"job.added" not in text:
                text += c.recv(4096)
            return c

        warm = [stream() for _ in range(100)]  # what the first streams bring in is not theirs alone
        time.sleep(0.5)
        before, threads = s.rss(), s.threads()
        streams = [stream() for _ in range(count)]
        time.sleep(1)
        each = (s.rss() - before) / count
        grown = s.threads() - threads
        for c in warm + streams:
            c.close()
    report.add("2,000 idle SSE connections, each", each / 1024, "KB", "<= 2 KB, no threads", each <= 2048 and grown == 0,
               {"name": "threads more", "value": grown})


def bench_upload(build, report):
    folder = Path(tempfile.mkdtemp(prefix="platen-bench-"))
    big = folder / "big.bin"
    block = os.urandom(1 << 20)
    with big.open("wb") as f:
        for i in range(1024):
            f.write(i.to_bytes(4, "big") + block[4:])
    ours, peer, above = [], [], []
    for _ in range(RUNS):
        with Server(build, "--upload-max", "2000") as s:
            time.sleep(0.3)
            idle, top, done = s.rss(), [0], threading.Event()

            def watch():
                while not done.is_set():
                    top[0] = max(top[0], s.rss())
                    time.sleep(0.005)

            watcher = threading.Thread(target=watch)
            watcher.start()
            started = time.monotonic()
            subprocess.run(["curl", "-sf", "-T", big, "-X", "POST", "-H", "Expect:", "-H", f"Authorization: Bearer {s.key}", "-H",
                            "Content-Type: application/octet-stream", s.url + "/api/v1/blobs"], check=True, stdout=subprocess.DEVNULL)
            ours.append(time.monotonic() - started)
            done.set()
            watcher.join()
            above.append((top[0] - idle) / 1e6)
        started = time.monotonic()
        subprocess.run(["sha256sum", big], check=True, stdout=subprocess.DEVNULL)
        peer.append(time.monotonic() - started)
    size = big.stat().st_size / 1e6
    shutil.rmtree(folder)
    o, p, m = size / statistics.median(ours), size / statistics.median(peer), statistics.median(above)
    report.add("1 GB upload to a blob, hashed, durable", o, "MB/s", ">= 0.5x", o / p >= 0.5, {"name": "sha256sum of the same file", "value": p}, o / p)
    report.add("1 GB upload, resident above idle", m, "MB", "<= 20 MB", m <= 20)


def bench_documents(build, report):
    documents.measure(build, report, sys.modules[__name__])


def bench_flow(build, report):
    flow.bench_flow(Server, wrk, build, report)


def bench_million(build, report):
    flow.bench_million(Server, wrk, build, report)


def bench_peers(build, report):
    flow.bench_peers(Server, wrk, build, report)


FIGURES = {"flow": bench_flow, "million": bench_million, "peers": bench_peers, "enqueue": bench_enqueue, "bulk": bench_bulk, "queue": bench_queue, "pdf": bench_pdf, "image": bench_image, "sharp": bench_sharp,
           "documents": bench_documents, "overhead": bench_overhead,
           "idle": bench_idle, "sse": bench_sse, "upload": bench_upload, "tokens": bench_tokens, "ocr": bench_ocr, "web": bench_web}


def machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{model[1] if model else 'unknown processor'}, {os.cpu_count()} cores, Linux {os.uname().release}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build", type=Path)
    parser.add_argument("figures", nargs="*", help=", ".join(FIGURES))
    options = parser.parse_args()
    build = options.build.resolve()
    report = Report(build / "bench.jsonl")
    print(machine())
    for name in options.figures or FIGURES:
        try:
            FIGURES[name](build, report)
        except (RuntimeError, OSError, subprocess.SubprocessError, KeyError) as problem:
            report.add(name, 0, "", "to be measured", False)
            print(f"      {name}: {problem}")
    missed = [r["figure"] for r in report.rows if not r["met"]]
    print(f"\n{len(report.rows) - len(missed)} of {len(report.rows)} goals met; {report.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
