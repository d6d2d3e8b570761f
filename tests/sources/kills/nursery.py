"""A process that forks a worker for each line that it reads, once all is imported: as Celery's pool does.

Each carries out pending runs until there are none. Its process id is written as soon as it is there.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable

import django


def main() -> None:
    django.setup()
    from sources import tasks

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies: who has ended is gone
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _work(tasks.work)
        print(pid, flush=True)


def _work(work: Callable[[], object]) -> None:
    try:
        work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
