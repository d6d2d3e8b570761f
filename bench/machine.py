"""On what it was measured."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psycopg
import redis

from data_handler.embedded.home import Home


def facts(home: Home) -> dict[str, str]:
    """Needs the services running."""
    with psycopg.connect(home.database_url) as connection:
        postgres = connection.info.parameter_status("server_version") or "?"
    with redis.Redis.from_url(home.buffer_url) as client:
        server: dict[str, str] = client.info("server")
    return {
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "processor": processor(),
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "Python": platform.python_version(),
        "PostgreSQL": postgres,
        "Valkey": str(server.get("valkey_version", server["redis_version"])),
        "Daphne": version("daphne"),
        "Django": version("django"),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
