"""Rows from databases: PostgreSQL, MySQL, MariaDB, and SQLite files that were uploaded.

place        which database a URL means
line         cuts connections that give no answer
postgresql, mysql, sqlite   how each is connected to
session      one of them, connected
statement    what it is asked
values       what it gives, as JSON
position     how far it was read
refusals     what its errors mean
query        all of it together
"""

from sources.sql.check import Checked, check, check_definition
from sources.sql.query import Query

__all__ = ["Checked", "Query", "check", "check_definition"]
