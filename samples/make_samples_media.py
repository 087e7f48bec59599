#!/usr/bin/env python3
"""Make the picture, archive and video samples: clip.mp4 photo.jpg logo.svg animated.gif picture.png bundle.zip backup.tar.gz nested.7z.

The results are in the repository; run this only to change them. Needs ImageMagick (convert),
libarchive-tools (bsdtar) and ffmpeg. Everything is computed, nothing is anybody's photo."""
import gzip, io, os, random, struct, subprocess, tarfile, tempfile, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
WHEN = (2026, 5, 17, 18, 42, 10)


def path(name):
    return os.path.join(HERE, name)


def run(args, data=None):
    return subprocess.run(args, input=data, stdout=subprocess.PIPE, check=True).stdout


def ridge(rng, width, low, high, rough):
    """Heights of a mountain ridge, by halving and displacing."""
    points, spread = [rng.uniform(low, high), rng.uniform(low, high)], (high - low) / 2
    while len(points) < width + 1:
        grown = []
        for a, b in zip(points, points[1:]):
            grown += [a, (a + b) / 2 + rng.uniform(-spread, spread)]
        points, spread = grown + [points[-1]], spread * rough
    return points[:width]


def landscape(width, height):
    """Evening light over three ridges and a lake: smooth sky, sharp edges, noise, as in a photo. PPM bytes."""
    rng = random.Random(17)
    ridges = [(ridge(rng, width, 0.30 + 0.12 * i, 0.52 + 0.12 * i, 0.55), (118 - 34 * i, 92 - 24 * i, 124 - 30 * i))
              for i in range(3)]
    sun_x, sun_y = 0.68 * width, 0.30 * height
    rows = bytearray()
    for y in range(height):
        lake = y > 0.82 * height
        sample_y = int(0.82 * height - (y - 0.82 * height) * 1.6) if lake else y
        f = sample_y / height
        for x in range(width):
            shift = int(4 * rng.random() * (y - 0.82 * height) / 20) if lake else 0
            at = min(width - 1, x + shift)
            colour = None
            for heights, tint in reversed(ridges):
                if f > heights[at]:
                    haze = min(1.0, (f - heights[at]) * 3)
                    colour = [t + 60 * haze * (1 - k * 0.2) for k, t in enumerate(tint)]
                    break
            if colour is None:
                glow = 1 / (1 + ((at - sun_x) ** 2 + (sample_y - sun_y) ** 2) / 9000)
                colour = [70 + 150 * f + 150 * glow, 105 + 60 * f + 110 * glow, 190 - 70 * f + 40 * glow]
            if lake:
                colour = [0.72 * v + 10 for v in colour]
            grain = rng.gauss(0, 2.2)
            rows += bytes(max(0, min(255, int(v + grain))) for v in colour)
    return b"P6 %d %d 255\n" % (width, height) + bytes(rows)


def exif(orientation):
    """An EXIF block with orientation, camera, time and position (a square in Vienna)."""
    def ifd(entries, base, following):
        out, extra = struct.pack("<H", len(entries)), b""
        start = base + 2 + 12 * len(entries) + 4
        for tag, kind, count, value in sorted(entries):
            if len(value) <= 4:
                out += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
            else:
                out += struct.pack("<HHII", tag, kind, count, start + len(extra))
                extra += value + b"\0" * (len(value) % 2)
        return out + struct.pack("<I", following) + extra

    def text(s):
        return s.encode() + b"\0"

    def degrees(d, m, s):
        return struct.pack("<6I", d, 1, m, 1, int(s * 100), 100)

    def long(v):
        return struct.pack("<I", v)

    main = lambda sub, gps: [(0x010F, 2, 7, text("Platen")), (0x0110, 2, 9, text("Sample 1")),
                             (0x0112, 3, 1, struct.pack("<H", orientation)), (0x8769, 4, 1, long(sub)),
                             (0x8825, 4, 1, long(gps))]
    taken = text("%04d:%02d:%02d %02d:%02d:%02d" % WHEN)
    sub = [(0x9000, 7, 4, b"0232"), (0x9003, 2, len(taken), taken), (0x9011, 2, 7, text("+02:00"))]
    gps = [(0, 1, 4, bytes([2, 3, 0, 0])), (1, 2, 2, text("N")), (2, 5, 3, degrees(48, 12, 31.5)), (3, 2, 2, text("E")),
           (4, 5, 3, degrees(16, 22, 21.0))]
    sub_at = 8 + len(ifd(main(0, 0), 8, 0))
    gps_at = sub_at + len(ifd(sub, sub_at, 0))
    tiff = b"II*\0" + long(8) + ifd(main(sub_at, gps_at), 8, 0) + ifd(sub, sub_at, 0) + ifd(gps, gps_at, 0)
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def photo():
    # The camera was held upright: the file lies on its side and says so (orientation 6).
    jpeg = run(["convert", "ppm:-", "-rotate", "-90", "-strip", "-sampling-factor", "4:2:0", "-quality", "84", "jpg:-"],
               landscape(780, 1040))
    assert jpeg[:2] == b"\xff\xd8"
    return jpeg[:2] + exif(6) + jpeg[2:]


LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 80" width="240" height="80">
  <title>platen</title>
  <defs>
    <linearGradient id="ink" x1="0" y1="0" x2="1" y2="1">
      <stop offset="0" stop-color="#1f4e79"/>
      <stop offset="1" stop-color="#0b7a75"/>
    </linearGradient>
  </defs>
  <rect x="8" y="30" width="64" height="20" rx="10" fill="url(#ink)"/>
  <circle cx="18" cy="40" r="4" fill="#fff"/>
  <circle cx="62" cy="40" r="4" fill="#fff"/>
  <path d="M20 30 V10 H60 V30" fill="none" stroke="#1f4e79" stroke-width="4"/>
  <text x="86" y="52" font-family="sans-serif" font-size="40" font-weight="bold" fill="#1f2933">platen</text>
</svg>
"""


def animated():
    frames = []
    for i in range(6):
        frames += ["(", "-size", "96x64", "xc:#f4f1ea", "-fill", "#1f4e79", "-draw",
                   "roundrectangle %d,24 %d,40 6,6" % (4 + 12 * i, 28 + 12 * i), ")"]
    return run(["convert", "-delay", "12", "-loop", "0"] + frames + ["-layers", "optimize", "gif:-"])


def picture():
    return run(["convert", "-size", "320x200", "xc:none", "-fill", "#0b7a75c0", "-draw", "circle 120,100 120,20", "-fill",
                "#d9480fa0", "-draw", "circle 200,100 200,20", "-strip", "-depth", "8", "png:-"])


FILES = {
    "readme.txt": "What is in this bundle\n\nTwo texts, a table and a folder.\n",
    "letters/march.md": "# March\n\nThe harbour froze over twice, and twice it let go again.\n",
    "letters/april.md": "# April\n\nNothing to report but swallows.\n",
    "data/tides.csv": "day,high_m,low_m\n" + "".join("2026-04-%02d,%.2f,%.2f\n" % (d, 3 + d % 7 / 10, 0.4 + d % 5 / 10)
                                                   for d in range(1, 29)),
    "names/Grüße aus Kyōto.txt": "A name beyond ASCII, in UTF-8.\n",
}


def bundle():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in FILES.items():
            info = zipfile.ZipInfo(name, WHEN)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            z.writestr(info, text)
    return out.getvalue()


def backup():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, text in FILES.items():
            info = tarfile.TarInfo("backup/" + name)
            info.size, info.mtime, info.mode = len(text.encode()), 1779036130, 0o644
            t.addfile(info, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("backup/latest.md")
        link.type, link.linkname, link.mtime = tarfile.SYMTYPE, "letters/april.md", 1779036130
        t.addfile(link)
    return gzip.compress(out.getvalue(), 9, mtime=1779036130)


def nested():
    with tempfile.TemporaryDirectory() as d:
        for name, data in (("notes.txt", b"Two archives lie beside this note.\n"), ("bundle.zip", bundle()),
                           ("backup.tar.gz", backup())):
            with open(os.path.join(d, name), "wb") as f:
                f.write(data)
            os.utime(os.path.join(d, name), (1779036130, 1779036130))
        made = os.path.join(d, "nested.7z") # to a file: a pipe would be padded to whole blocks
        run(["bsdtar", "-C", d, "--format", "7zip", "--options", "7zip:compression=lzma1", "-cf", made, "notes.txt",
             "bundle.zip", "backup.tar.gz"])
        with open(made, "rb") as f:
            return f.read()


def clip():
    """Three scenes and a tone: test card, fractal, dark blue."""
    scene = ["testsrc2=size=320x180:rate=15:duration=1.5", "mandelbrot=size=320x180:rate=15",
             "color=c=0x204060:size=320x180:rate=15:duration=1", "sine=frequency=440:duration=4"]
    inputs = [word for s in scene for word in ("-f", "lavfi", "-i", s)]
    graph = "[1]trim=duration=1.5,setpts=PTS-STARTPTS[m];[0][m][2]concat=n=3:v=1:a=0[v]"
    with tempfile.TemporaryDirectory() as d:
        made = os.path.join(d, "clip.mp4")
        run(["ffmpeg", "-v", "error", *inputs, "-filter_complex", graph, "-map", "[v]", "-map", "3:a", "-c:v", "libx264",
             "-crf", "30", "-preset", "veryslow", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "48k", "-metadata",
             "title=Test pictures", "-metadata:s:a", "language=eng", "-shortest", made])
        with open(made, "rb") as f:
            return f.read()


TALK = """1
00:00:00,500 --> 00:00:01,900
Good evening from the <i>harbour</i>.

2
00:00:02,000 --> 00:00:03,200
The ferry is late;
the fish are not.
"""


def main():
    made = {"photo.jpg": photo(), "logo.svg": LOGO.encode(), "animated.gif": animated(), "picture.png": picture(),
            "bundle.zip": bundle(), "backup.tar.gz": backup(), "nested.7z": nested(),
            "clip.mp4": clip(), "talk.srt": TALK.encode()}
    for name, data in made.items():
        with open(path(name), "wb") as f:
            f.write(data)
        print("%8d %s" % (len(data), name))


main()
