from celery import shared_task

from monitor import feed
from monitor.batches import Announcement


@shared_task(name="monitor.broadcast", ignore_result=True)
def broadcast(announcement: Announcement) -> None:
    """Show newly accepted events to everybody who watches."""
    feed.publish(announcement)
