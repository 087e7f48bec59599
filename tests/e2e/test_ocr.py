"""OCR as a person meets it: a scan goes in, a searchable PDF and its text come out."""
import json
import re
import subprocess

import pytest

from platen import SAMPLES


def outputs(client, job):
    assert job["state"] == "done", job
    return {o["type"]: client.get(o["url"] if "url" in o else f"/api/v1/blobs/{o['blob']}").body for o in job["outputs"]}


def words_of(pdf, path):
    path.write_bytes(pdf)
    html = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, text=True, check=True).stdout
    return [(m[5], *(float(m[i]) for i in range(1, 5)))
            for m in re.finditer(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>', html)]


def test_scan_becomes_searchable(client, tmp_path):
    job = client.run("ocr.document", {"format": ["pdf", "text", "json"]}, files=["scan.pdf"], wait=60)
    made = outputs(client, job)
    assert job["data"]["pages_read"] == 1 and job["data"]["pages_with_text"] == 1
    text = made["text/plain"].decode()
    assert "until the end of May." in text and "its text is its own" in text and text.count("\f") == 1

    # Every word lies where the JSON says, in points from the top left.
    page = json.loads(made["application/json"])["pages"][0]
    assert (page["page"], page["language"], page["width"], page["height"]) == (1, "eng", 595.2, 842)
    found = words_of(made["application/pdf"], tmp_path / "made.pdf")
    for line in page["lines"]:
        for word in line["words"]:
            x0, _, x1, _ = word["box"]
            middle = (line["box"][1] + line["box"][3]) / 2
            assert any(w == word["text"].replace("&", "&amp;") and abs(a - x0) < 1.5 and abs(c - x1) < 1.5 and b - 2 < middle < d + 2
                       for w, a, b, c, d in found), word

    # What was there is still there: the same pictures, and a second page that nobody touched.
    before, after = (subprocess.run(["pdftoppm", "-r", "50", p], capture_output=True, check=True).stdout
                     for p in (SAMPLES / "scan.pdf", tmp_path / "made.pdf"))
    assert before == after
    subprocess.run(["qpdf", "--check", tmp_path / "made.pdf"], check=True, capture_output=True)


def test_turned_pages_can_be_shown_upright(client, tmp_path):
    lying = tmp_path / "lying.pdf"
    subprocess.run(["qpdf", SAMPLES / "scan.pdf", "--pages", ".", "1", "--", "--rotate=+90:1", lying], check=True)
    job = client.run("ocr.document", {"rotate_pages": True}, files=[("lying.pdf", lying.read_bytes(), "application/pdf")], wait=60)
    assert job["data"]["rotation"] == 270
    made = tmp_path / "upright.pdf"
    found = words_of(outputs(client, job)["application/pdf"], made)
    assert [w[0] for w in found][:3] == ["Hansen", "&amp;", "Lund"]
    assert "595.2 x 842" in subprocess.run(["pdfinfo", made], capture_output=True, text=True, check=True).stdout


def test_pictures_become_a_pdf(client, tmp_path):
    job = client.run("ocr.document", {}, files=["scan.png"], wait=60)
    found = words_of(outputs(client, job)["application/pdf"], tmp_path / "made.pdf")
    assert ("harbour" in [w[0] for w in found]) and job["data"]["pages"] == 1
    images = subprocess.run(["pdfimages", "-list", tmp_path / "made.pdf"], capture_output=True, text=True, check=True).stdout
    assert "1240" in images and "1150" in images


def test_encrypted(client, tmp_path):
    locked = tmp_path / "locked.pdf"
    subprocess.run(["qpdf", "--encrypt", "secret", "owner", "256", "--", SAMPLES / "scan.pdf", locked], check=True)
    send = {"files": [("locked.pdf", locked.read_bytes(), "application/pdf")], "wait": 60}
    refused = client.run("ocr.document", {}, **send)
    assert (refused["state"], refused["reason"]) == ("failed", "input_encrypted") and "password" in refused["hint"]
    job = client.run("ocr.document", {"password": "secret", "format": ["text", "pdf"]}, **send)
    made = outputs(client, job)
    assert b"Hansen & Lund" in made["text/plain"]
    (tmp_path / "made.pdf").write_bytes(made["application/pdf"])
    assert subprocess.run(["pdftotext", tmp_path / "made.pdf", "-"], capture_output=True, check=False).returncode != 0
    assert b"secret" not in json.dumps(job).encode()


@pytest.mark.parametrize("step, args, reason, hint", [
    ("ocr.image", {"languages": ["Klingon"]}, "bad_param", "installed"),
    ("ocr.document", {"pages": "7"}, "bad_param", ""),
    ("ocr.document", {"format": ["docx"]}, "bad_param", ""),
])
def test_refusals(client, step, args, reason, hint):
    job = client.run(step, args, files=["scan.pdf" if step == "ocr.document" else "scan.png"], wait=60)
    assert (job["state"], job["reason"]) == ("failed", reason) and hint in job.get("hint", "")


def test_nothing_to_read(client):
    white = b"P5\n300 300\n255\n" + b"\xff" * 90000
    job = client.run("ocr.image", {}, files=[("white.pgm", white, "image/x-portable-graymap")], wait=60)
    assert (job["state"], job["reason"]) == ("failed", "no_text") and "sparse" in job["hint"]
