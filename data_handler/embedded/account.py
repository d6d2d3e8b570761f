"""Whom PostgreSQL runs as, and folders that are ours alone."""

import os
import pwd
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from data_handler.embedded.errors import EmbeddedError

UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user that processes run as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def ourselves(cls) -> Self:
        return cls("this user", os.geteuid(), os.getegid())

    @classmethod
    def for_postgres(cls) -> Self:
        """Ourselves; as root, which PostgreSQL refuses to run as, an unprivileged user that exists."""
        if os.geteuid() != 0:
            return cls.ourselves()
        for name in UNPRIVILEGED:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name, entry.pw_uid, entry.pw_gid)
        raise EmbeddedError(
            "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as:"
            " start as an ordinary user."
        )

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    def popen_options(self) -> dict[str, Any]:
        if not self.is_other:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, *command: str) -> bool:
        """Whether this command succeeds for the account."""
        try:
            done = subprocess.run(command, capture_output=True, timeout=30, **self.popen_options())
        except PermissionError:
            return False
        return done.returncode == 0

    def folder(self, path: Path, mode: int = 0o700) -> Path:
        """Make the folder, with this owner and mode; or make sure that it is one.

        Raises EmbeddedError when something else has the name: anyone may make things in shared folders.
        """
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
            path.chmod(mode)
        status = path.lstat()
        is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid in (os.geteuid(), self.uid)
        if not is_ours or status.st_mode & 0o777 != mode:
            raise EmbeddedError(
                f"{path} is not a folder of mode {mode:o} that belongs to {self.name}: somebody else may have"
                " made it. Look at it and remove it, or set TMPDIR to a folder of your own."
            )
        if status.st_uid != self.uid:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        return path
