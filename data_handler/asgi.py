"""The ASGI application: ingestion first, then Django; WebSockets beside them."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "data_handler.settings")
django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from data_handler.bounded import Bounded  # noqa: E402
from ingest.endpoint import IngestEndpoint  # noqa: E402
from monitor.routing import websocket_urlpatterns  # noqa: E402

bounded_django = Bounded(django_application, settings.MOST_DJANGO_REQUESTS)
ingest_endpoint = IngestEndpoint(bounded_django)
application = ProtocolTypeRouter(
    {"http": ingest_endpoint, "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns))}
)
