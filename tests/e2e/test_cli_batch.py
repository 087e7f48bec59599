"""platen run over many files: folders, names, lines, failures together, several files in one job; here and on a server."""

import json
import tarfile
import zipfile

import pytest

from platen import SAMPLES, cli

PHOTO, PNG, GIF = SAMPLES / "photo.jpg", SAMPLES / "picture.png", SAMPLES / "animated.gif"


def tree(root):
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


@pytest.fixture
def photos(tmp_path):
    """A folder as people have it: pictures, folders, a text, a damaged file, a hidden one."""
    root = tmp_path / "photos"
    (root / "sea" / "deep").mkdir(parents=True)
    (root / ".cache").mkdir()
    (root / "a.png").write_bytes(PNG.read_bytes())
    (root / "sea" / "a.png").write_bytes(PNG.read_bytes())
    (root / "sea" / "deep" / "b.gif").write_bytes(GIF.read_bytes())
    (root / "sea" / "cut.jpg").write_bytes(PHOTO.read_bytes()[:3000])
    (root / "readme.txt").write_text("no picture\n")
    (root / ".cache" / "x.png").write_bytes(PNG.read_bytes())
    (root / ".hidden.png").write_bytes(PNG.read_bytes())
    return root


def test_a_folder_keeps_its_folders(photos, tmp_path):
    done = cli("run", "image.convert", photos, "--width", "20", "-o", tmp_path / "web", check=1)
    assert tree(tmp_path / "web") == ["a.webp", "sea/a.webp", "sea/deep/b.webp"]
    lines = done.stderr.splitlines()
    assert [line.split("  ")[0].split(" → ")[0] for line in lines[:5] if "note" not in line] == \
        ["a.png", "readme.txt", "sea/a.png", "sea/cut.jpg", "sea/deep/b.gif"]
    assert "sea/cut.jpg  failed: input_damaged" in lines and "readme.txt  skipped: unsupported_type" in lines
    assert "3 of 4 done: 3 files" in done.stderr and "1 skipped" in done.stderr and done.stdout == ""
    assert lines[-2].startswith("platen: sea/cut.jpg: input_damaged: ") and lines[-1].startswith("        ")


def test_what_is_saved_is_told(photos, tmp_path):
    (photos / "sea" / "cut.jpg").unlink()
    done = cli("run", "image.optimize", photos, "--format", "webp", "-o", tmp_path / "web", check=0)
    assert "% saved" in done.stderr and "kept as it is" in done.stderr and "saved, " in done.stderr, done.stderr
    before = {p.name: p.stat().st_size for p in photos.rglob("*")}
    rows = [json.loads(line) for line in
            cli("run", "image.optimize", photos, "--format", "webp", "--json", "-o", tmp_path / "again", check=0).stdout.splitlines()]
    assert [r["input"] for r in rows] == ["a.png", "readme.txt", "sea/a.png", "sea/deep/b.gif"]
    assert [r["status"] for r in rows] == ["done", "skipped", "done", "done"]
    for row in rows:
        if row["status"] == "done":
            assert row["outputs"][0]["bytes"] + row["data"]["saved_bytes"] == before[row["input"].rsplit("/", 1)[-1]]
    assert rows[3]["data"]["kept_source"] and "given back" in rows[3]["notes"][0]


def test_no_input_is_written_over(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG.read_bytes())
    (tmp_path / "a.jpg").write_bytes(PHOTO.read_bytes())
    before = (tmp_path / "a.jpg").read_bytes()
    cli("run", "image.convert", tmp_path, "--format", "jpeg", "-o", tmp_path, check=0)
    assert (tmp_path / "a.jpg").read_bytes() == before
    assert tree(tmp_path) == ["a-2.jpg", "a-3.jpg", "a.jpg", "a.png"]
    done = cli("run", "image.convert", tmp_path / "a.png", "-o", tmp_path / "a.png", check=2)
    assert "is the input" in done.stderr


def test_the_place_of_the_results_is_not_read(photos, tmp_path):
    for _ in range(2):
        cli("run", "image.convert", photos, "--width", "20", "-o", photos / "web", check=1)
        assert tree(photos / "web") == ["a.webp", "sea/a.webp", "sea/deep/b.webp"]


def test_an_empty_folder_is_wrong_usage(tmp_path):
    (tmp_path / "none").mkdir()
    assert "no file" in cli("run", "image.info", tmp_path / "none", check=2).stderr


# --- one result, under the name it was given ---

@pytest.mark.parametrize("name, magic", [("x.png", b"\x89PNG"), ("x.jpg", b"\xff\xd8\xff"), ("x.tif", b"II*\0"), ("x.gif", b"GIF8")])
def test_the_name_says_the_format(name, magic, tmp_path):
    cli("run", "image.convert", PNG, "-o", tmp_path / name, check=0)
    assert (tmp_path / name).read_bytes().startswith(magic)
    cli("run", "image.convert", PNG, "--format", "webp", "-o", tmp_path / name, check=0)  # unless it was said
    assert (tmp_path / name).read_bytes()[8:12] == b"WEBP"


def test_a_dash_is_standard_input_and_output(tmp_path):
    done = cli("run", "image.convert", "-", "--format", "png", "-o", "-", input=PHOTO.read_bytes(), text=False, check=0)
    assert done.stdout.startswith(b"\x89PNG") and done.stderr == b""
    cli("run", "image.convert", "-", "-o", tmp_path / "x.avif", input=PHOTO.read_bytes(), text=False, check=0)
    assert (tmp_path / "x.avif").read_bytes()[4:12] == b"ftypavif"
    assert "only once" in cli("run", "image.info", "-", "-", input="", check=2).stderr
    assert cli("run", "image.info", PNG, "--json", "-o", "-", check=2).stdout == ""


# --- several files in one job ---

def test_a_step_that_takes_several_gets_all(photos, tmp_path):
    sheet = tmp_path / "sheet.png"
    row = json.loads(cli("run", "image.montage", PNG, GIF, PHOTO, "--labels", "--json", "-o", sheet, check=0).stdout)
    assert row["inputs"] == ["picture.png", "animated.gif", "photo.jpg"] and row["data"]["pictures"] == 3
    assert sheet.read_bytes().startswith(b"\x89PNG")
    cli("run", "image.montage", photos, "--each", "-o", tmp_path / "each", check=1)
    assert tree(tmp_path / "each") == ["a.webp", "sea/a.webp", "sea/deep/b.webp"]


def test_a_file_that_goes_with_each(photos, tmp_path):
    cli("run", "image.watermark", photos, "--with", SAMPLES / "logo.svg", "-o", tmp_path / "out", check=1)
    assert tree(tmp_path / "out") == ["a.png", "sea/a.png", "sea/deep/b.gif"]
    done = cli("run", "image.watermark", PNG, GIF, PHOTO, "-o", tmp_path / "out", check=2)
    assert "at most 2" in done.stderr and "--each" in done.stderr
    assert "at most 1 file" in cli("run", "image.info", PNG, "--with", GIF, check=2).stderr


def test_an_archive_of_a_folder_keeps_its_paths(photos, tmp_path):
    want = ["photos/a.png", "photos/readme.txt", "photos/sea/a.png", "photos/sea/cut.jpg", "photos/sea/deep/b.gif"]
    cli("run", "archive.create", photos, "-o", tmp_path / "x.zip", check=0)
    assert sorted(zipfile.ZipFile(tmp_path / "x.zip").namelist()) == want
    cli("run", "archive.create", photos, "-o", tmp_path / "x.tar.gz", check=0)
    assert sorted(tarfile.open(tmp_path / "x.tar.gz").getnames()) == want
    cli("run", "archive.create", photos, "-o", tmp_path / "x.7z", check=0)  # its scratch file comes through the sandbox
    listed = json.loads(cli("run", "archive.list", tmp_path / "x.7z", check=0).stdout)
    assert listed["format"] == "7z" and sorted(e["path"] for e in listed["entries"]) == want
    cli("run", "archive.extract", tmp_path / "x.zip", "-o", tmp_path / "out", check=0)
    assert tree(tmp_path / "out") == want


def test_a_cut_archive_is_noted(tmp_path):
    cut = tmp_path / "cut.zip"
    cut.write_bytes((SAMPLES / "bundle.zip").read_bytes()[:700])
    done = cli("run", "archive.extract", cut, "-o", tmp_path / "out", check=0)
    assert "cut.zip: note: the ZIP is cut short" in done.stderr
    gif = tmp_path / "cut.gif"
    gif.write_bytes(GIF.read_bytes()[:500])
    done = cli("run", "image.convert", gif, "--animated", "-o", tmp_path / "x.webp", check=0)
    assert "cut.gif: note: the GIF is cut short" in done.stderr


# --- the same on a server ---

def test_a_server_gives_the_same(server, photos, tmp_path):
    target = ["--server", server.url, "--key", server.key]
    for words in (["image.convert", photos, "--width", "20"], ["image.watermark", photos, "--with", SAMPLES / "logo.svg"],
                  ["archive.create", photos], ["image.montage", PNG, GIF]):
        results = []
        for place, more in (("here", []), ("there", target)):
            out = tmp_path / words[0] / place
            done = cli("run", *words, "--json", "-o", out, *more)
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            for row in rows:
                row.pop("ms")
                for output in row["outputs"]:
                    output["path"] = output["path"].replace(str(out), "")
            results.append((done.returncode, rows, tree(out), [(out / p).read_bytes() for p in tree(out)]))
        assert results[0] == results[1], words

