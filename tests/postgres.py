"""A PostgreSQL server of the tests' own: Debian's package, started in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = "zxqvuser"
PASSWORD = "Zxqv-hemlig-987654"  # planted: tests look for it in all that is told


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, of the newest version that is there."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def server(folder_of_programs: Path) -> Iterator[str]:
    """Run a server until the end of the block, and give its address."""
    with tempfile.TemporaryDirectory(prefix="evaluate-pg-", ignore_cleanup_errors=True) as name:
        folder, owner = Path(name), _unprivileged()
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        data, secret = folder / "data", folder / "secret"
        secret.write_text(PASSWORD)

        def run(program: str, *arguments: str | Path) -> None:
            subprocess.run(
                [folder_of_programs / program, "--pgdata", data, *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                **owner,
            )

        run("initdb", "--username", USER, "--pwfile", secret, "--auth", "scram-sha-256",
            "--encoding", "UTF8", "--locale", "C", "--no-sync")  # fmt: skip
        options = f"-k {folder} -c listen_addresses= -c fsync=off"  # no port to fight over
        run("pg_ctl", "start", "--wait", "--log", folder / "log", "-o", options)
        try:
            yield f"postgresql://{USER}:{PASSWORD}@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "--wait", "--mode", "immediate")


def _unprivileged() -> dict[str, Any]:
    """Return who runs the server: PostgreSQL refuses root, as whom the tests may run."""
    if os.geteuid() != 0:
        return {}
    import pwd

    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres", names["nobody"])
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
