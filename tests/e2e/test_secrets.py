"""Secrets: they go in and do not come out: not in answers, not in the log, not in the database, not in a backup."""

import io
import os
import pty
import subprocess
import tarfile

import platen
from platen import cli

VALUE = "correct-horse-battery-staple-\u00e4"
PASSWORD = "open-sesame-0815"


def bytes_of(server):
    """Everything the data folder holds, but for the key and the commands' own key."""
    return b"".join(p.read_bytes() for p in sorted(server.data.rglob("*"))
                    if p.is_file() and p.name not in ("secret.key", "cli-key"))


def assert_nowhere(server, *texts):
    held, log = bytes_of(server), server.log_text()
    for text in texts:
        assert text.encode() not in held and text not in log


def test_put_list_remove(server, key_of):
    editor = key_of("editor")
    made = editor.request("PUT", "/api/v1/secrets/WORDPRESS", json={"value": VALUE})
    assert made.status == 200 and made.json()["name"] == "WORDPRESS" and VALUE not in made.text()
    again = editor.request("PUT", "/api/v1/secrets/WORDPRESS", json={"value": VALUE + "2"}).json()
    assert again["created"] == made.json()["created"] and again["changed"] >= made.json()["changed"]
    listed = editor.get("/api/v1/secrets")
    assert [s["name"] for s in listed.json()["secrets"]] == ["WORDPRESS"] and VALUE not in listed.text()
    for name, body, status in (("1x", {"value": "v"}, 422), ("A", {}, 422), ("A", {"value": ""}, 422), ("A", {"value": 7}, 422),
                               ("A", {"value": "v", "more": 1}, 422), ("A", {"value": "x" * 65537}, 422)):
        answer = editor.request("PUT", f"/api/v1/secrets/{name}", json=body)
        assert answer.status == status, answer
        assert "x" * 100 not in answer.text()
    assert_nowhere(server, VALUE)
    assert editor.delete("/api/v1/secrets/WORDPRESS").status == 204
    assert editor.delete("/api/v1/secrets/WORDPRESS").status == 404
    assert editor.get("/api/v1/secrets").json() == {"secrets": []}


def test_the_key_file_is_ours_alone(server):
    assert (server.data / "secret.key").stat().st_mode & 0o777 == 0o600


def locked_pdf(client):
    job = client.run("pdf.encrypt", {"user_password": PASSWORD}, files=["report.pdf"])
    assert job["state"] == "done", job
    return job, client.output(job)


def test_passwords_of_jobs_are_sealed(new_server):
    server = new_server()
    client = server.client()
    made, locked = locked_pdf(client)
    opened = client.run("pdf.decrypt", {"password": PASSWORD}, files=[("a.pdf", locked)])
    assert opened["state"] == "done", opened
    assert opened["params"]["password"] is None and made["params"]["user_password"] is None
    assert client.job(opened["id"])["params"]["password"] is None
    for path in (f"/api/v1/jobs/{opened['id']}", "/api/v1/jobs", f"/api/v1/jobs/{opened['id']}/diagnosis", "/metrics"):
        assert PASSWORD not in client.get(path).text()
    wrong = client.run("pdf.decrypt", {"password": PASSWORD + "no"}, files=[("a.pdf", locked)])
    assert (wrong["state"], wrong["reason"]) == ("failed", "input_encrypted")
    assert PASSWORD not in str(wrong)
    again = client.post(f"/api/v1/jobs/{wrong['id']}/retry")  # the second run reads the row again
    assert again.status in (200, 202), again
    assert client.wait(wrong["id"])["reason"] == "input_encrypted"
    assert_nowhere(server, PASSWORD)
    server.stop()
    assert_nowhere(server, PASSWORD)


def test_a_batch_hands_its_password_on_sealed(new_server):
    server = new_server()
    client = server.client()
    _, locked = locked_pdf(client)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in ("one.pdf", "two.pdf"):
            entry = tarfile.TarInfo(name)
            entry.size = len(locked)
            tar.addfile(entry, io.BytesIO(locked))
    answer = client.post("/api/v1/steps/pdf.decrypt/batch", {"wait": 30}, form={"password": PASSWORD},
                         files=[("three.pdf", locked), ("more.tar", packed.getvalue())])
    job = client.wait(answer.json()["id"])
    assert job["state"] == "done", job
    assert_nowhere(server, PASSWORD)


def test_the_same_request_is_known_by_its_clear_text(new_server):
    client = new_server().client()
    _, locked = locked_pdf(client)

    def ask(password):
        return client.post("/api/v1/steps/pdf.decrypt", {"wait": 30}, form={"password": password}, files=[("a.pdf", locked)],
                           headers={"Idempotency-Key": "k1"})
    first, second, third = ask(PASSWORD), ask(PASSWORD), ask("other")
    assert first.json()["id"] == second.json()["id"]
    assert (third.status, third.json()["reason"]) == (422, "idempotency_mismatch")


def test_another_key_is_a_reason(new_server):
    server = new_server()
    client = server.client()
    _, locked = locked_pdf(client)
    job = client.add("pdf.decrypt", {"password": PASSWORD}, files=[("a.pdf", locked)], delay_ms=3000)
    client.request("PUT", "/api/v1/secrets/TOKEN", json={"value": VALUE})
    server.stop()
    (server.data / "secret.key").unlink()
    server.start()
    client = server.client()
    done = client.wait(job)
    assert (done["state"], done["reason"]) == ("failed", "secret_key"), done
    assert "secret.key" in client.get(f"/api/v1/jobs/{done['id']}/diagnosis").text()
    assert [s["name"] for s in client.get("/api/v1/secrets").json()["secrets"]] == ["TOKEN"]


def test_backups_hold_sealed_values_only(server, client):
    client.request("PUT", "/api/v1/secrets/BACKED_UP", json={"value": VALUE})
    answer = client.request("POST", "/api/v1/backup")
    key = (server.data / "secret.key").read_bytes().strip()
    assert answer.status == 200 and VALUE.encode() not in answer.body and key not in answer.body and b"BACKED_UP" in answer.body
    client.delete("/api/v1/secrets/BACKED_UP")


def test_on_the_command_line(server):
    where = ("--data", server.data)
    assert cli("secrets", "set", "CLI_TOKEN", *where, input=VALUE + "\n", check=0).stdout == "stored CLI_TOKEN\n"
    assert "CLI_TOKEN" in cli("secrets", *where, check=0).stdout
    assert VALUE not in cli("secrets", "list", "--json", *where, check=0).stdout
    assert cli("secrets", "set", "CLI_TOKEN", *where, input="", check=2).stderr
    refused = cli("secrets", "set", "CLI_TOKEN", VALUE, *where, check=2)
    assert "standard input" in refused.stderr
    assert cli("secrets", "remove", "CLI_TOKEN", *where, check=0).stdout == "removed CLI_TOKEN\n"
    assert "CLI_TOKEN" not in cli("secrets", *where, check=0).stdout
    cli("secrets", "remove", "CLI_TOKEN", *where, check=1)


def test_the_prompt_does_not_echo(server):
    ours, theirs = pty.openpty()
    asked = subprocess.Popen([platen.PLATEN, "secrets", "set", "TYPED", "--data", str(server.data)], stdin=theirs,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=platen.environment())
    while not asked.stderr.read(1):
        pass
    os.write(ours, b"typed-by-hand\n")
    out, _ = asked.communicate(timeout=20)
    os.close(theirs)
    echoed = b""
    try:
        while piece := os.read(ours, 1000):
            echoed += piece
    except OSError:
        pass
    os.close(ours)
    assert out == b"stored TYPED\n" and b"typed" not in echoed
    server.client().delete("/api/v1/secrets/TYPED")
