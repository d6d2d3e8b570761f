"""A snapshot, in a process of its own: `python -m datasets.engine.extract`, which `datasets.children` starts.

It imports nothing of Django. Where it reads a file, it knows no secret of the service; where it reads PostgreSQL, the
database's address alone.
"""

from datasets.engine import channel
from datasets.engine.extraction import extract

if __name__ == "__main__":
    channel.serve(extract)
