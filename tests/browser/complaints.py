"""What a browser has to complain about: every test fails that leaves something here."""

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

CANCELLED = "net::ERR_ABORTED"


class Complaints:
    """Errors and warnings on the console (violations of the content policy among them), exceptions, failed requests."""

    def __init__(self, context: BrowserContext) -> None:
        self.found: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        context.on("console", self._said)
        context.on("weberror", self._threw)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def allow(self, pattern: str) -> None:
        """From now on this is no complaint: the test brings it about."""
        self._allowed.append(re.compile(pattern))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._add(f"console: {message.text} ({message.location.get('url')})")

    def _threw(self, error: WebError) -> None:
        self._add(f"exception: {error.error}")

    def _failed(self, request: Request) -> None:
        if request.failure != CANCELLED:  # a page that is left drops what it was waiting for
            self._add(f"failed: {request.method} {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._add(f"status {response.status}: {response.request.method} {response.url}")

    def _add(self, text: str) -> None:
        if not any(pattern.search(text) for pattern in self._allowed):
            self.found.append(text)
