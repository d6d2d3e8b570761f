"""Sources to look at, made by the API with an administrator's session."""

import itertools
from typing import Any

from playwright.sync_api import BrowserContext

from tests.browser.service import until

numbers = itertools.count(1)


def definition(url: str, **more: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "extract": {"kind": "http", "url": url, "attempts": 1},
        "load": {"kind": "upsert", "key": ["id"]},
        **more,
    }


class Maker:
    def __init__(self, context: BrowserContext) -> None:
        self._context = context

    def call(self, method: str, path: str, body: Any = None) -> Any:
        [token] = [cookie["value"] for cookie in self._context.cookies() if cookie["name"] == "data_handler_csrf"]
        answer = self._context.request.fetch(path, method=method, data=body, headers={"X-CSRFToken": token})
        assert answer.ok, answer.text()
        return answer.json()

    def source(self, document: dict[str, Any], **fields: Any) -> dict[str, Any]:
        given = {"name": f"source-{next(numbers)}", "definition": document, **fields}
        return dict(self.call("POST", "/api/data_sources/", given))

    def begin(self, source: dict[str, Any]) -> str:
        """The id of a run that was asked for."""
        return str(self.call("POST", f"/api/data_sources/{source['id']}/run/")["id"])

    def run(self, source: dict[str, Any]) -> str:
        """The id of a run that has ended."""
        run = self.begin(source)
        until(lambda: self.call("GET", f"/api/runs/{run}/")["status"] not in ("pending", "running"))
        return run
