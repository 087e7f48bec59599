"""12 MP JPEG to 1600 px WebP: through queue, sandbox and store of platen, and by sharp (npm) in its own process.

Both make one picture after the other, at their own defaults, and at the same quality; the picture is upright and the
file is read and written each time. sharp is installed in bench/sharp by npm when it is missing.
"""
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent / "sharp"
COUNT, RUNS, WIDTH = 6, 3, 1600


def install():
    if not (HERE / "node_modules/sharp/package.json").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, capture_output=True, check=True)


def make_photo(path):
    """Noise like a sensor's over clouds: 12 MP."""
    subprocess.run(["convert", "-size", "4000x3000", "plasma:tomato-steelblue", "-attenuate", "0.2", "+noise", "Gaussian", "-seed", "7",
                    "-quality", "90", path], check=True)


def by_sharp(photo, quality=None):
    out = subprocess.run(["node", HERE / "sharp.js", photo, str(WIDTH), str(COUNT), *([str(quality)] if quality else [])],
                         capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), int(out[1])


def by_platen(server, photo, quality=None):
    blob = server.call("POST", "/api/v1/blobs", photo.read_bytes(), {"Content-Type": "image/jpeg"})["blob"]
    params = {"format": "webp", "width": WIDTH, **({"quality": quality} if quality else {})}
    request = json.dumps({"inputs": [{"blob": blob, "name": "photo.jpg"}], "params": params, "wait": 60})
    connection = server.connection()

    def once():
        job = server.call("POST", "/api/v1/steps/image.convert", request, {"Content-Type": "application/json"}, connection)
        if job["state"] != "done":
            raise RuntimeError(f"{job.get('reason')}: {job.get('detail')}")
        return job["data"]["bytes"]

    size = once()
    started = time.monotonic()
    for _ in range(COUNT):
        once()
    return (time.monotonic() - started) / COUNT, size


def bench(build, report, server_class):
    install()
    folder = Path(tempfile.mkdtemp(prefix="platen-bench-"))
    photo = folder / "photo.jpg"
    make_photo(photo)
    try:
        with server_class(build) as s:
            for name, quality in (("defaults", None), ("quality 80", 80)):
                pairs = [(by_platen(s, photo, quality), by_sharp(photo, quality)) for _ in range(RUNS)]
                ours, theirs = (1 / statistics.median(p[i][0] for p in pairs) for i in (0, 1))
                more = pairs[0][0][1] / pairs[0][1][1] - 1
                report.add(f"12 MP JPEG to 1600 px WebP, {name}", ours, "images/s", f">= 1.5x and <= 5 % more bytes ({100 * more:+.1f} %)",
                           ours >= 1.5 * theirs and more <= 0.05, {"name": "sharp", "value": theirs}, ours / theirs)
    finally:
        shutil.rmtree(folder)
