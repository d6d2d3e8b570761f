import logging

from celery import current_app

logger = logging.getLogger(__name__)


def ring() -> None:
    """Ask a worker to look for pending tasks. One that does not hear it finds them at the next tick."""
    try:
        current_app.send_task("datasets.work", queue="analyses", expires=30.0, ignore_result=True)
    except Exception as error:  # whatever the broker has, the task is in the database
        logger.warning("The broker could not be told of a new analysis; it starts at the next tick: %s", error)
