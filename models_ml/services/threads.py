"""One thread a worker: what learns scales by processes, and its libraries are loaded after the fork.

A process that used OpenMP hangs in its forked children, and threads that wait for each other on a busy machine take
longer than one. So no parent loads LightGBM or scikit-learn, and a child says ``pin`` before it does.
"""

from __future__ import annotations

import os
from typing import Any

from sensequant.lib.fan_out import ONE_THREAD


def pin(**_: Any) -> None:
    """Keep this process to one thread, in what is loaded already and in what will be; a fork's first deed.

    Celery sends it as ``worker_process_init``.
    """
    os.environ.update(ONE_THREAD)
    from threadpoolctl import threadpool_limits  # numpy's own pool was there before the fork

    threadpool_limits(1)
