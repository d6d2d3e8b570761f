import io

from sources import uploads
from sources.models import Upload

CSV = b"id,name,price\n1,apple,2.5\n2,pear,3\n3,,4.25\n"


def make_upload(content: bytes = CSV, name: str = "prices.csv", created_by: str = "user:0") -> Upload:
    return uploads.store(io.BytesIO(content), name, "text/csv", created_by)
