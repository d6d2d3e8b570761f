"""The kernel's own wall around a process that works on data of users: Landlock, of Linux since 5.13.

Once inside, this thread and all that it starts read only what they are given and what Python runs from, write only
below what is given for writing, and, since Linux 6.7, open no TCP connection. There is no way out. What was open before
stays open. See https://docs.kernel.org/userspace-api/landlock.html.
"""

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG, PATH_BENEATH = 1, 1
PR_SET_NO_NEW_PRIVS = 38
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE, IOCTL_DEV = (1 << bit for bit in (0, 1, 2, 3, 14, 15))
READING = EXECUTE | READ_FILE | READ_DIR
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many kinds of access to files each version of Landlock knows; later ones 16."""
TCP, NET_SINCE = 0b11, 4
SYSTEM = ("/usr", "/lib", "/lib64", "/etc/localtime", "/dev/null", "/dev/urandom")
LIMITS = ("/proc/self/cgroup", "/sys/fs/cgroup")
"""DuckDB looks there for those of its control group."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64))


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


def confine(readable: Iterable[Path], writable: Iterable[Path]) -> bool:
    """Go inside, with these files and folders. False where the kernel has no Landlock, and all is as before.

    What is imported later comes from packages that are loaded already, or from where Python is installed.
    """
    version = version_of_kernel()
    if version < 1:
        return False
    handled = (1 << RIGHTS.get(version, 16)) - 1
    attributes = _Ruleset(handled, TCP)
    size = ctypes.sizeof(_Ruleset) if version >= NET_SINCE else 8
    ruleset = _called(CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), 0)
    try:
        for path in (*readable, *_runs_from()):
            _allow(ruleset, path, READING & handled)
        for path in writable:
            _allow(ruleset, path, handled & ~EXECUTE)
        _libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _called(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return True


def version_of_kernel() -> int:
    """0 or less: there is none."""
    if sys.platform != "linux":
        return 0
    return int(_libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_FLAG))


def _runs_from() -> set[Path]:
    """Where Python and what is imported so far are."""
    installed = {Path(path) for path in (sys.prefix, sys.base_prefix, *SYSTEM, *LIMITS) if Path(path).exists()}
    loaded = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and "." not in name:
            path = Path(file).resolve()
            loaded.add(path.parent if path.name == "__init__.py" else path)
    return installed | {path for path in loaded if path.exists()}


def _allow(ruleset: int, path: Path, access: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _Rule(access if path.is_dir() else access & OF_FILES, descriptor)
        _called(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)


def _called(number: int, *arguments: object) -> int:
    result = int(_libc().syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
