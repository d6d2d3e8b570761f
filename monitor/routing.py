from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path, re_path

from monitor.consumers import EventsConsumer


class Nothing(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Every other address: refused with HTTP 403, the one refusal that Daphne knows."""

    channel_layer_alias = ""

    async def connect(self) -> None:
        await self.close()


websocket_urlpatterns = [path("ws/events/", EventsConsumer.as_asgi()), re_path("", Nothing.as_asgi())]
