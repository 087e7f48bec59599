"""PDF tools as people use them; other programs (poppler, qpdf) say whether the results are what was asked for."""

import json
import re
import shutil
import struct
import subprocess
import zlib

import pytest

import platen

pytestmark = pytest.mark.skipif(not all(map(shutil.which, ("qpdf", "pdfinfo", "pdftotext"))), reason="needs qpdf and poppler-utils")


def tool(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def sound(path):
    code, said = tool("qpdf", "--check", path)
    assert code == 0, said
    return path


def info(path):
    code, said = tool("pdfinfo", path)
    assert code == 0, said
    return dict(re.split(r":\s*", line, maxsplit=1) for line in said.splitlines() if ":" in line)


def text(path, *options):
    code, said = tool("pdftotext", *options, path, "-")
    assert code == 0, said
    return said


def make(client, tmp_path, step, params=None, files=("report.pdf",)):
    """The result's data and its files, written down, each of them sound."""
    job = client.run(step, params, files=list(files))
    assert job["state"] == "done", job
    paths = []
    for i, output in enumerate(job["outputs"]):
        path = tmp_path / output["name"]
        path.write_bytes(client.output(job, i))
        paths.append(path)
    return job["data"], paths


def form(name, value, extra=""):
    """A page with one text field, its name, and a bookmark by named destination."""
    objects = [
        "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/DA(/Helv 12 Tf)>>/Outlines 5 0 R/Names<</Dests<</Names[(there)[3 0 R/Fit]]>>>>"
        + extra + ">>",
        "<</Type/Pages/Count 1/Kids[3 0 R]>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Annots[4 0 R 7 0 R]>>",
        f"<</Type/Annot/Subtype/Widget/FT/Tx/T({name})/V({value})/Rect[9 9 99 40]/P 3 0 R>>",
        "<</Type/Outlines/First 6 0 R/Last 6 0 R/Count 1>>",
        f"<</Title(Chapter {value})/Parent 5 0 R/Dest(there)>>",
        "<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/GoTo/D(there)>>>>",
    ]
    out = b"%PDF-1.6\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body.encode())
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1) + b"".join(b"%010d 00000 n \n" % p for p in places)
    return out + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, start)


def picture(width, height):
    """A PNG whose neighbouring pixels differ a little, as in a photo."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((x * 5 + y * 3 + ch * 70 + (x * y) % 23) // 8 % 256 for x in range(width) for ch in range(3))
                    for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def objects(path):
    code, said = tool("qpdf", "--json=2", "--json-key=qpdf", path)
    assert code == 0, said
    return [o for o in json.loads(said)["qpdf"][1].values() if isinstance(o.get("value"), dict)]


def test_merge_keeps_order_bookmarks_forms_and_links(client, tmp_path):
    files = ["report.pdf", ("one.pdf", form("name", "first")), ("two.pdf", form("name", "second"))]
    data, (path,) = make(client, tmp_path, "pdf.merge", {"pages": "3,1;;", "title": "All of it"}, files)
    sound(path)
    assert (data["pages"], [f["first_page"] for f in data["files"]]) == (4, [1, 3, 4])
    about = info(path)
    assert (about["Pages"], about["Title"], about["PDF version"], about["Form"]) == ("4", "All of it", "1.6", "AcroForm")
    assert "Next year" in text(path, "-f", "1", "-l", "1") and "Harbour Report" in text(path, "-f", "2", "-l", "2")
    values = [o["value"] for o in objects(path)]
    titles = [v["/Title"] for v in values if "/Title" in v and "/Parent" in v]
    assert set(titles) == {"u:report", "u:one", "u:two", "u:Harbour Report 2026", "u:Next year", "u:Chapter first", "u:Chapter second"}
    fields = {v["/T"]: v["/V"] for v in values if v.get("/FT") == "/Tx"}
    assert len(fields) == 2 and set(fields.values()) == {"u:first", "u:second"}, "each field keeps its value under a name of its own"
    assert not any(isinstance(v.get("/A", {}).get("/D"), str) for v in values if "/A" in v), "names of destinations became places"


def test_merge_says_which_file_is_wrong(client):
    job = client.run("pdf.merge", None, files=["report.pdf", "photo.jpg"])
    assert (job["state"], job["reason"]) == ("failed", "unsupported_type") and "photo.jpg" in job["detail"]
    job = client.run("pdf.merge", {"pages": "1;9"}, files=["report.pdf", "report.pdf"])
    assert job["reason"] == "bad_param"


def test_merge_of_a_hundred(client, tmp_path):
    data, (path,) = make(client, tmp_path, "pdf.merge", None, ["report.pdf"] * 100)
    assert data["pages"] == 300 and info(sound(path))["Pages"] == "300"


def test_attachments_go_along(client, tmp_path):
    source, note = tmp_path / "with.pdf", tmp_path / "note.txt"
    note.write_text("hello")
    assert tool("qpdf", platen.SAMPLES / "report.pdf", "--add-attachment", note, "--", source)[0] == 0
    _, (path,) = make(client, tmp_path, "pdf.merge", None, [("a.pdf", source.read_bytes()), ("b.pdf", source.read_bytes())])
    assert sorted(line.split(" ->")[0] for line in tool("qpdf", "--list-attachments", sound(path))[1].splitlines()) \
        == ["note.txt", "note.txt (2)"]


def test_split(client, tmp_path):
    data, paths = make(client, tmp_path, "pdf.split", {"at": "bookmarks"})
    assert [f["title"] for f in data["files"]] == ["Harbour Report 2026", "Traffic", "Next year"]
    assert [p.name for p in paths] == ["report-001.pdf", "report-002.pdf", "report-003.pdf"]
    assert all(info(sound(p))["Pages"] == "1" for p in paths) and "Ferries" in text(paths[1])
    data, paths = make(client, tmp_path, "pdf.split", {"ranges": "2-,1"})
    assert [info(sound(p))["Pages"] for p in paths] == ["2", "1"]


def test_rotate(client, tmp_path):
    _, (path,) = make(client, tmp_path, "pdf.rotate", {"angle": "270", "pages": "last"})
    said = tool("pdfinfo", "-f", "1", "-l", "3", sound(path))[1]
    assert re.findall(r"rot:\s+(\d+)", said) == ["0", "0", "270"]


@pytest.mark.parametrize("word", ["DRAFT", "Πρόχειρο", "Черновик", "مسودة"])
def test_watermark_in_any_script(client, tmp_path, word):
    params = {"text": word, "position": "bottom", "size": 20, "opacity": 1, "pages": "2"}
    _, (path,) = make(client, tmp_path, "pdf.watermark", params)
    found = text(sound(path), "-f", "2", "-l", "2")
    plain = "".join(ch for ch in found if ch not in "\u202a\u202b\u202c")
    assert word in plain or word[::-1] in plain, "the text can be found again"
    assert word not in text(path, "-f", "1", "-l", "1")
    fonts = tool("pdffonts", path)[1].splitlines()
    assert any("PLATEN+" in line and re.search(r"yes yes yes", line) for line in fonts), "the font is embedded, a part of it, searchable"


def test_stamp_of_a_picture_and_a_page(client, tmp_path):
    _, (path,) = make(client, tmp_path, "pdf.watermark", {"position": "top-right"}, ["report.pdf", "picture.png"])
    assert "image" in tool("pdfimages", "-list", sound(path))[1]
    _, (path,) = make(client, tmp_path, "pdf.watermark", {"layer": "under", "opacity": 1}, ["report.pdf", "script.pdf"])
    sound(path)
    job = client.run("pdf.watermark", None, files=["report.pdf", "animated.gif"])
    assert (job["reason"], "image.convert" in job["hint"]) == ("unsupported_type", True)


def test_encrypt_and_decrypt(client, tmp_path):
    params = {"user_password": "u", "owner_password": "o", "forbid": ["copy", "print"]}
    _, (path,) = make(client, tmp_path, "pdf.encrypt", params)
    code, said = tool("qpdf", "--show-encryption", "--password=u", path)
    assert code == 0 and "extract for any purpose: not allowed" in said and "print low resolution: not allowed" in said
    assert "stream encryption method: AESv3" in said and tool("qpdf", "--check", path)[0] != 0
    job = client.run("pdf.decrypt", {"password": "wrong"}, files=[("x.pdf", path.read_bytes())])
    assert job["reason"] == "input_encrypted" and "wrong" not in json.dumps(job)
    _, (back,) = make(client, tmp_path, "pdf.decrypt", {"password": "u"}, [("x.pdf", path.read_bytes())])
    assert info(sound(back))["Encrypted"] == "no"


def test_optimize_pictures(client, tmp_path):
    """A photo of many pixels on a small page: scaled down, still there, and smaller."""
    big = tmp_path / "big.png"
    big.write_bytes(picture(1200, 900))
    _, (stamped,) = make(client, tmp_path, "pdf.watermark", {"fill": 0.5, "opacity": 1}, ["report.pdf", big])
    data, (path,) = make(client, tmp_path, "pdf.optimize", {"dpi": 100, "quality": 70}, [("x.pdf", stamped.read_bytes())])
    assert (data["pictures_changed"], data["smaller"]) == (1, True) and data["bytes"] * 10 < data["source_bytes"]
    widths = [int(line.split()[3]) for line in tool("pdfimages", "-list", sound(path))[1].splitlines()[2:]]
    assert widths and max(widths) <= 500
    data, (again,) = make(client, tmp_path, "pdf.optimize", None, [("x.pdf", path.read_bytes())])
    assert again.stat().st_size <= path.stat().st_size
    _, (fast,) = make(client, tmp_path, "pdf.optimize", {"linearize": True})
    assert "no linearization errors" in tool("qpdf", "--check-linearization", fast)[1]


def test_metadata(client, tmp_path):
    params = {"title": "Ebbe & Flut", "keywords": "tide, moon", "custom": {"Department": "Harbour"}, "created": "2026-01-02T03:04:05Z"}
    data, (path,) = make(client, tmp_path, "pdf.metadata", params)
    about = info(sound(path))
    assert (about["Title"], about["Keywords"], about["Metadata Stream"]) == ("Ebbe & Flut", "tide, moon", "yes")
    assert "<rdf:li>moon</rdf:li>" in tool("pdfinfo", "-meta", path)[1]
    assert "Harbour" in tool("pdfinfo", "-custom", path)[1] and data["custom"] == {"Department": "Harbour"}
    data, (bare,) = make(client, tmp_path, "pdf.metadata", {"remove": True}, [("x.pdf", path.read_bytes())])
    about = info(sound(bare))
    assert "Title" not in about and about["Metadata Stream"] == "no" and "title" not in data


def test_on_the_command_line(server, tmp_path):
    report = platen.SAMPLES / "report.pdf"
    done = platen.cli("run", "pdf.merge", report, report, "-o", tmp_path / "both.pdf", check=0)
    assert info(sound(tmp_path / "both.pdf"))["Pages"] == "6", done.stdout
