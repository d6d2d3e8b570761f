"""Django's PostgreSQL backend, which gives back what connections that failed have taken.

psycopg's attempt at a server that does not answer leaves its socket in a cycle of references, and so open until the
garbage collector comes by: seldom, here (`data_handler.garbage`). Once that server goes on, it answers all of them, and
they may be all the connections that it allows.
"""

import gc
import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base

COLLECT_SECONDS = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    _collected_at = 0.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            self._collect()
            raise

    @classmethod
    def _collect(cls) -> None:
        if time.monotonic() - cls._collected_at >= COLLECT_SECONDS:
            gc.collect()
            cls._collected_at = time.monotonic()
