"""Recordings: what comes out is looked at by another program (ffprobe)."""

import json
import re
import subprocess

import pytest

from platen import SAMPLES


def probe(path):
    text = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,codec_type,width,height,sample_rate,"
                           "channels,nb_read_frames:format=duration,format_name", "-count_frames", "-of", "json", str(path)],
                          capture_output=True, check=True).stdout
    return json.loads(text)


def kinds(found):
    return {s["codec_type"]: s["codec_name"] for s in found["streams"]}


@pytest.fixture
def run(client, tmp_path):
    """run(step, params, file…): the job, and its first output as a file."""
    def go(step, params=None, *files):
        job = client.run(step, params, files=list(files) or ["clip.mp4"], wait=60)
        path = None
        if job["outputs"]:
            path = tmp_path / job["outputs"][0]["name"]
            path.write_bytes(client.output(job))
        return job, path
    return go


def test_a_probe_says_what_ffprobe_says(run):
    job, _ = run("media.probe")
    data = job["data"]
    video, sound = data["streams"]
    assert (data["format"], data["has_video"], data["has_audio"]) == ("mov", True, True)
    assert (video["codec"], video["width"], video["height"], video["fps"]) == ("h264", 320, 180, 15)
    assert (sound["codec"], sound["language"], sound["sample_rate"]) == ("aac", "eng", 44100)
    assert data["tags"]["title"] == "Test pictures" and 3900 < data["duration_ms"] < 4200


@pytest.mark.parametrize("params, type, name", [({}, "image/jpeg", "mjpeg"), ({"format": "png", "at_ms": 2000}, "image/png", "png"),
                                                ({"format": "webp", "width": 100}, "image/webp", "webp")])
def test_pictures(run, params, type, name):
    job, path = run("media.thumbnail", params)
    assert (job["state"], job["outputs"][0]["type"]) == ("done", type)
    stream = probe(path)["streams"][0]
    assert (stream["codec_name"], stream["width"]) == (name, params.get("width", 320))


def test_many_pictures_are_spread_over_the_length(run):
    job, _ = run("media.thumbnail", {"count": 4, "width": 64})
    times = [p["at_ms"] for p in job["data"]["pictures"]]
    assert len(job["outputs"]) == 4 and times == sorted(times) and times[-1] - times[0] > 2000


def test_scenes_are_where_the_pictures_change(run):
    job, path = run("media.scenes")
    starts = [s["start_ms"] for s in job["data"]["scenes"]]
    assert len(starts) == 3 and abs(starts[1] - 1500) < 100 and abs(starts[2] - 3000) < 100
    assert json.loads(path.read_text()) == job["data"]["scenes"]


@pytest.mark.parametrize("format, codec", [("mp3", "mp3"), ("m4a", "aac"), ("opus", "opus"), ("flac", "flac"), ("wav", "pcm_s16le"),
                                           ("ogg", "vorbis")])
def test_sound_in_every_format(run, format, codec):
    job, path = run("media.audio", {"format": format, "start_ms": 1000, "end_ms": 2500})
    assert job["state"] == "done", job
    found = probe(path)
    assert kinds(found) == {"audio": codec}
    assert abs(float(found["format"]["duration"]) - 1.5) < 0.2


def test_sound_at_the_rate_and_loudness_that_is_asked_for(run):
    job, path = run("media.audio", {"format": "wav", "sample_rate": 16000, "channels": 1, "normalise": True, "loudness": -20})
    stream = probe(path)["streams"][0]
    assert (stream["sample_rate"], stream["channels"]) == ("16000", 1)
    said = subprocess.run(["ffmpeg", "-i", str(path), "-af", "ebur128", "-f", "null", "-"], capture_output=True, text=True).stderr
    loudness = float(re.findall(r"I:\s+(-?[\d.]+) LUFS", said)[-1])
    assert abs(loudness - -20) < 0.5, loudness
    assert abs(job["data"]["loudness"] + job["data"]["gain"] - -20) < 0.1


@pytest.mark.parametrize("params, want", [
    ({"width": 160, "end_ms": 1500}, {"video": "h264", "audio": "aac"}),
    ({"format": "webm", "end_ms": 800, "width": 64}, {"video": "vp9", "audio": "opus"}),
    ({"format": "mkv", "video": "av1", "sound": "none", "end_ms": 800, "width": 160}, {"video": "av1"}),
    ({"format": "mov", "video": "copy", "sound": "copy"}, {"video": "h264", "audio": "aac"}),
    ({"format": "gif", "width": 80, "end_ms": 1000}, {"video": "gif"}),
])
def test_videos_in_every_format(run, params, want):
    job, path = run("media.transcode", params)
    assert job["state"] == "done", job
    found = probe(path)
    assert kinds(found) == want
    if "end_ms" in params:
        assert abs(float(found["format"]["duration"]) - params["end_ms"] / 1000) < 0.25
    if "width" in params:
        assert found["streams"][0]["width"] == params["width"]


def test_an_mp4_begins_with_its_index(run):
    _, path = run("media.transcode", {"width": 64, "end_ms": 500})
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_a_turned_video_comes_out_upright(run, tmp_path):
    turned = tmp_path / "turned.mp4"
    flags = ["-metadata:s:v:0", "rotate=90"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", SAMPLES / "clip.mp4", "-c", "copy", *flags, turned], check=True)
    upload = ("turned.mp4", turned.read_bytes(), "video/mp4")
    job, _ = run("media.probe", None, upload)
    assert job["data"]["streams"][0]["rotation"] == 270  # ffmpeg counts the other way round
    for step, params in (("media.transcode", {"end_ms": 500}), ("media.thumbnail", {})):
        _, path = run(step, params, upload)
        stream = probe(path)["streams"][0]
        assert (stream["width"], stream["height"]) == (180, 320), step


def test_subtitles_keep_times_and_words(run):
    want = (SAMPLES / "talk.srt").read_text().strip()
    _, ass = run("media.subtitles", {"format": "ass"}, "talk.srt")
    _, back = run("media.subtitles", {"format": "srt"}, ("talk.ass", ass.read_bytes(), "text/x-ssa"))
    assert back.read_text().strip() == want
    _, vtt = run("media.subtitles", {"format": "vtt", "shift_ms": 1000}, "talk.srt")
    assert vtt.read_text().startswith("WEBVTT\n\n00:00:01.500 --> 00:00:02.900\n")


def test_subtitles_are_drawn_into_the_pictures(run, client):
    plain = client.run("media.transcode", {"end_ms": 0, "width": 320}, files=["clip.mp4"], wait=60)
    job, path = run("media.subtitles", {"burn": True}, "clip.mp4", "talk.srt")
    assert job["state"] == "done", job
    def bottom(data):
        return subprocess.run(["ffmpeg", "-v", "error", "-ss", "1", "-i", "pipe:0", "-frames:v", "1", "-vf", "crop=320:30:0:150",
                               "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"], input=data, capture_output=True, check=True).stdout
    a, b = bottom(client.output(plain)), bottom(path.read_bytes())
    assert sum(abs(x - y) > 60 for x, y in zip(a, b)) > 200


@pytest.mark.parametrize("step", ["media.probe", "media.thumbnail", "media.audio", "media.transcode", "media.subtitles"])
def test_what_is_no_recording_says_so(client, step):
    clip = (SAMPLES / "clip.mp4").read_bytes()
    for name, data in (("noise.mp4", bytes(range(256)) * 40), ("cut.mp4", clip[:1500]), ("empty.mp4", b"")):
        job = client.run(step, files=[(name, data, "video/mp4")], wait=30)
        assert job["state"] == "failed" and job["hint"], (name, job)
        assert job["reason"] in ("unsupported_type", "input_damaged", "input_empty"), job


def test_a_playlist_opens_nothing(client):
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    job = client.run("media.probe", files=[("list.m3u8", playlist, "video/mp4")], wait=30)
    assert job["state"] == "failed" and job["reason"] in ("unsupported_type", "input_damaged")
