"""Schema and queries on a real PostgreSQL: the schema is created, every query is prepared.

A server of its own, in a temporary folder, reachable through a socket in there. Exit 77 (skipped) without PostgreSQL."""

import glob
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ["PLATEN_ROOT"])
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True
import embed_sql  # noqa: E402


def find(program):
    """The newest installed one: Debian keeps servers outside of PATH."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{program}"), key=lambda p: int(p.split("/")[4]))
    return found[-1] if found else shutil.which(program)


def user():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        except KeyError:
            continue
    return None


def script():
    """Everything as psql reads it; errors name the query by a comment in front."""
    out = ["\\set ON_ERROR_STOP 1", "SET client_min_messages = warning;"]
    queries = embed_sql.load_queries(ROOT / "sql", "pg")
    creates = [q for q in queries if q.text.startswith("CREATE")]
    out += [q.text + ";" for q in creates]
    out += [m.text for m in embed_sql.load_schema(ROOT / "sql", "pg")]
    out += [f"PREPARE {q.name} AS {q.text};" for q in queries if q not in creates]
    out.append("SELECT 'prepared=' || count(*) FROM pg_prepared_statements;")
    return "\n".join(out), len(queries) - len(creates)


def main():
    programs = {p: find(p) for p in ("initdb", "pg_ctl", "psql")}
    who = user()
    if None in programs.values() or who is None:
        print("skipped: PostgreSQL is not installed")
        return 77
    folder = tempfile.mkdtemp(prefix="platen-pg-")
    data = f"{folder}/data"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "check": True, "cwd": "/", **who}
    env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": folder}
    try:
        if who:
            os.chown(folder, who["user"], who["group"])
        subprocess.run([programs["initdb"], "-D", data, "-U", "platen", "-A", "trust", "-E", "UTF8", "--no-sync"], env=env, **quiet)
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        subprocess.run([programs["pg_ctl"], "-D", data, "-w", "-o", options, "-l", f"{folder}/log", "start"], env=env, **quiet)
        try:
            text, expected = script()
            ran = subprocess.run(
                [programs["psql"], "-X", "-q", "-A", "-t", "-h", folder, "-U", "platen", "-d", "postgres", "-f", "-"],
                input=text, text=True, capture_output=True, env=env, cwd="/", **who,
            )
        finally:
            subprocess.run([programs["pg_ctl"], "-D", data, "-w", "-m", "immediate", "stop"], env=env, **quiet)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(ran.stdout, ran.stderr)
    return 0 if ran.returncode == 0 and f"prepared={expected}" in ran.stdout else 1


if __name__ == "__main__":
    sys.exit(main())
