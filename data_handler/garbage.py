"""The garbage collector in a process that makes hundreds of thousands of short-lived tuples.

Left alone it walks all of them, and all of Django, again and again: a third of the flush worker's time, measured.
"""

import gc


def collect_rarely() -> None:
    """Call once the process has imported what it needs: that is never looked at again, and the rest seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
