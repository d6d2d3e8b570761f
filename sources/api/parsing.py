from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from sources.decode import json_values


class ExactParser(JSONParser):
    """JSON bodies of which no number loses a digit, read as runs read what they pull."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return json_values.loads(stream.read())
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is no JSON: {error}.") from error
