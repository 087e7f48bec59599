"""What the text engine does with words, over HTTP: the steps that are not chunks or tokens."""

import json


def test_iso_2022_is_read_as_japanese(client):
    body = "日本語の文章です。港に新しいクレーンが立っています。".encode("iso-2022-jp")
    job = client.run("text.language", files=[("jp.txt", body, "text/plain")])
    assert job["state"] == "done" and job["data"]["language"] == "ja", job


def test_a_difference_turns_the_first_into_the_second(client):
    first, second = "The old crane stands\nin the harbour.\n", "The new crane stands\nin a harbour now.\n"
    job = client.run("text.compare", {"text": first, "other": second})
    changes = json.loads(client.output(job))["changes"]
    assert "".join(c["text"] for c in changes if c["op"] != "insert") == first
    assert "".join(c["text"] for c in changes if c["op"] != "delete") == second


def test_what_was_learned_is_used(client):
    model = client.output(client.run("text.classify", {"train": True}, files=["labels.csv"]))
    job = client.run("text.classify", {"text": "please pay the invoice, amount due 80 euro"},
                     files=[("model.classifier", model, "application/octet-stream")])
    assert job["data"]["label"] == "invoice" and job["data"]["probability"] > 0.5
    broken = client.run("text.classify", {"text": "x"}, files=[("m", model[:40], "application/octet-stream")])
    assert (broken["state"], broken["reason"]) == ("failed", "input_damaged")


def test_keywords_and_summary_are_of_the_text(client):
    words = client.run("text.keywords", {"count": 5}, files=["report.pdf"])["data"]["keywords"]
    assert 0 < len(words) <= 5 and all(0 <= w["score"] <= 1 for w in words)
    summary = client.run("text.summarize", {"sentences": 2}, files=["report.pdf"])["data"]
    text = client.output(client.run("document.extract", {"format": "text"}, files=["report.pdf"])).decode()
    assert 0 < len(summary["sentences"]) <= 2
    for s in summary["sentences"]:
        assert " ".join(text[s["from"]:s["to"]].split()) == s["text"]
