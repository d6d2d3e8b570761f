"""A server that answers every request alike."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\n\r\n{"id":"abc"}'


@dataclass
class Server:
    port: int = 0
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def answering(answer: bytes = ACCEPTED, after_seconds: float = 0.0) -> Iterator[Server]:
    """In a thread of its own."""
    server, loop = Server(), asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split()[0])
                server.bodies.append(await reader.readexactly(length))
                await asyncio.sleep(after_seconds)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def stop() -> None:
        listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listener = asyncio.run_coroutine_threadsafe(asyncio.start_server(serve, "127.0.0.1", 0), loop).result(5)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
