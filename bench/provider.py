"""`python -m bench.provider FOLDER`: what sources pull from: the folder's files, and `/small/NAME` for any name.

Prints its port, and serves until its standard input ends. `/asked` tells how often each path was asked for.
"""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson

from bench.stack import HOST, PROJECT

SMALL_ROWS = 10


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: Counter[str] = Counter()

    def do_GET(self) -> None:
        if self.path == "/asked":
            return self._answer(self.asked)
        self.asked[self.path] += 1
        if self.path.startswith("/small/"):
            return self._answer([{"id": number, "name": self.path, "value": 0.5} for number in range(SMALL_ROWS)])
        return super().do_GET()

    def _answer(self, value: object) -> None:
        body = orjson.dumps(value)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def providing(folder: Path) -> Iterator[str]:
    """In a process of its own; its URL."""
    command = [sys.executable, "-m", "bench.provider", str(folder)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as popen:
        assert popen.stdout is not None
        try:
            yield f"http://{HOST}:{int(popen.stdout.readline())}"
        finally:
            popen.terminate()


def main() -> None:
    server = ThreadingHTTPServer((HOST, 0), partial(_Handler, directory=sys.argv[1]))
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
