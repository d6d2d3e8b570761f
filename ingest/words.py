"""Words within the texts of a jsonb column, by PostgreSQL's full-text search."""

from dataclasses import dataclass

from ingest.members import Sql

LARGE_BYTES, LARGE_CHARACTERS = 200_000, 50_000
"""jsonb of so many bytes as text may make a tsvector of more than 1 MiB, which PostgreSQL refuses; texts of so many
characters do not."""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of the column hold these words, in the language of PostgreSQL's websearch_to_tsquery.

    Of a column of more than LARGE_BYTES the first LARGE_CHARACTERS of its texts are looked at.
    """

    text: str

    def sql(self, column: str, for_index: bool = False) -> Sql:
        found = f"jsonb_path_query({column}, 'strict $.** ? (@.type() == \"string\")')"
        texts = f"(SELECT string_agg(one #>> '{{}}', ' ') FROM {found} AS one)"
        return Sql(
            f"(CASE WHEN octet_length({column}::text) <= {LARGE_BYTES} THEN to_tsvector('simple', {column})"
            f" ELSE to_tsvector('simple', left({texts}, {LARGE_CHARACTERS})) END"
            " @@ websearch_to_tsquery('simple', %s))",
            [self.text],
        )
