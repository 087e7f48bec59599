"""Batches: many files or an archive, one job, one archive of results."""

import concurrent.futures
import io
import zipfile

from platen import SAMPLES, until

DETECT = "/api/v1/steps/file.detect/batch"
CONVERT = "/api/v1/steps/image.convert/batch"
FILES = ["report.pdf", "photo.jpg", "plain.txt", "people.csv"]


def finished(client, job, seconds=60):
    return client.wait(job["id"], seconds)


def archive_of(client, job):
    answer = client.get(f"/api/v1/jobs/{job['id']}/archive")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    return zipfile.ZipFile(io.BytesIO(answer.body))


def test_waiting_for_a_batch_costs_no_memory_with_each_item_that_ends(client):
    files = [(f"a{n}.txt", b"w", "text/plain") for n in range(500)]
    batch = client.post("/api/v1/steps/queue.send/batch", form={"to": "many-files"}, files=files).json()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"/api/v1/jobs/{batch['id']}", {"wait": 60})
        while tasks := client.post("/api/v1/queues/many-files/lease", json={"max": 100}).json()["tasks"]:
            for task in tasks:
                client.post(f"/api/v1/tasks/{task['id']}/complete", json={"attempt": 1})
        answer = waiting.result()
    assert (answer.status, answer.json()["items"]["done"]) == (200, 500)


def test_many_files_are_one_job(client):
    answer = client.post(DETECT, files=FILES)
    batch = answer.json()
    assert answer.status == 202 and batch["items"]["total"] == 4
    batch = finished(client, batch)
    assert (batch["state"], batch["data"]) == ("done", {"items": 4, "done": 4, "failed": 0, "canceled": 0})
    assert batch["progress"] == {"done": 4, "total": 4}
    items = client.get(f"/api/v1/jobs/{batch['id']}/items").json()["items"]
    assert [i["inputs"][0]["name"] for i in items] == FILES
    assert items[0]["data"]["type"] == "application/pdf"
    assert {i["batch"] for i in items} == {batch["id"]}
    types = client.event_types(batch["id"])
    assert types == ["job.added"] + ["job.item"] * 4 + ["job.done"]
    listed = [j["id"] for j in client.get("/api/v1/jobs").json()["jobs"]]
    assert batch["id"] in listed and not set(listed) & {i["id"] for i in items}


def test_results_come_as_one_archive_and_equal_names_do_not_meet(client):
    photo = (SAMPLES / "photo.jpg").read_bytes()
    picture = (SAMPLES / "picture.png").read_bytes()
    files = [("a/photo.jpg", photo, "image/jpeg"), ("photo.jpg", photo, "image/jpeg"), ("picture.png", picture, "image/png")]
    batch = client.post(CONVERT, {"wait": 60, "width": 40, "format": "webp"}, files=files).json()
    assert batch["state"] == "done", batch
    with archive_of(client, batch) as z:
        assert z.testzip() is None
        names = z.namelist()
        assert len(names) == len(set(names)) == 3
        assert all(z.read(n)[8:12] == b"WEBP" for n in names)
    again = archive_of(client, batch)
    assert again.namelist() == names


def test_an_archive_becomes_its_files(client):
    batch = client.post(DETECT, {"wait": 60}, files=["bundle.zip", "plain.txt"]).json()
    assert batch["state"] == "done", batch
    items = client.get(f"/api/v1/jobs/{batch['id']}/items").json()["items"]
    assert [i["step"] for i in items[:2]] == ["archive.extract", "file.detect"]
    assert len(items) == batch["items"]["total"] == 7
    assert all(i["step"] == "file.detect" for i in items[1:])
    kept = client.post(DETECT, {"wait": 60, "keep_archives": "true"}, files=["bundle.zip"]).json()
    assert kept["items"]["total"] == 1


def test_one_bad_file_fails_alone_and_the_reason_is_there(client):
    files = [("photo.jpg", (SAMPLES / "photo.jpg").read_bytes(), "image/jpeg"), ("noise.jpg", b"\0" * 99, "image/jpeg")]
    batch = client.post(CONVERT, {"wait": 60, "width": 40}, files=files).json()
    assert (batch["state"], batch["reason"]) == ("failed", "items_failed")
    assert batch["items"]["done"] == batch["items"]["failed"] == 1
    failed = client.get(f"/api/v1/jobs/{batch['id']}/items", {"state": "failed"}).json()["items"]
    assert [f["inputs"][0]["name"] for f in failed] == ["noise.jpg"]
    assert failed[0]["reason"] and failed[0]["hint"]
    with archive_of(client, batch) as z:
        assert len(z.namelist()) == 1
    again = client.post(f"/api/v1/jobs/{batch['id']}/retry").json()
    assert again["state"] == "running" and again["items"]["done"] == 1
    assert finished(client, batch)["state"] == "failed"
    diagnosis = client.get(f"/api/v1/jobs/{batch['id']}/diagnosis").json()
    assert diagnosis["reason"] == "items_failed" and diagnosis["remedy"]


def test_cancel_ends_all_items(client):
    batch = client.post("/api/v1/steps/test.sleep/batch", json={"params": {"ms": 100}}).json()
    assert batch["reason"] in ("bad_request", "input_missing")  # a step that takes no file
    files = [(f"{i}.txt", b"%d" % i, "text/plain") for i in range(40)]
    batch = client.post(DETECT, {"delay_ms": 600000}, files=files).json()
    ended = client.post(f"/api/v1/jobs/{batch['id']}/cancel").json()
    assert ended["state"] == "canceled" and ended["items"]["canceled"] == 40
    assert client.post(f"/api/v1/jobs/{batch['id']}/cancel").status == 409


def test_items_are_paged_in_order(client):
    files = [(f"{i:03}.txt", b"words %d" % i, "text/plain") for i in range(45)]
    batch = client.post(DETECT, {"wait": 60}, files=files).json()
    names, cursor = [], ""
    while True:
        page = client.get(f"/api/v1/jobs/{batch['id']}/items", {"limit": 20, "cursor": cursor}).json()
        names += [i["inputs"][0]["name"] for i in page["items"]]
        cursor = page.get("next")
        if not cursor:
            break
    assert names == [f[0] for f in files]


def test_dry_run_and_idempotency(client):
    dry = client.post(DETECT, {"dry_run": "true"}, files=FILES)
    assert dry.status == 200 and dry.json()["items"]["total"] == 4
    assert client.get(f"/api/v1/jobs/{dry.json()['id']}").status == 404
    first = client.post(DETECT, files=FILES, headers={"Idempotency-Key": "batch-1"}).json()
    second = client.post(DETECT, files=FILES, headers={"Idempotency-Key": "batch-1"}).json()
    assert first["id"] == second["id"]
    other = client.post(DETECT, files=FILES[:2], headers={"Idempotency-Key": "batch-1"})
    assert other.json()["reason"] == "idempotency_mismatch"
    finished(client, first)


def test_a_batch_survives_a_kill(new_server):
    own_server = new_server()
    client = own_server.client()
    files = [(f"{i}.txt", b"words %d" % i, "text/plain") for i in range(60)]
    batch = client.post(DETECT, {"attempts": 10}, files=files).json()
    until(lambda: client.job(batch["id"])["progress"]["done"] > 0, why="the first item")
    own_server.kill()
    own_server.start()
    batch = finished(own_server.client(), batch)
    assert (batch["state"], batch["data"]["done"]) == ("done", 60)
