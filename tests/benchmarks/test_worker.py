from __future__ import annotations

import os
import resource

import numpy as np

from benchmarks.worker import worker

NBYTES = 256 * 2**20


def faults_of_filling(nbytes: int) -> int:
    """Fill as much memory; return how often the kernel had to give a page for it."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.full(nbytes, 1, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_a_worker_is_another_process_and_keeps_the_memory_it_has_had() -> None:
    environment = dict(os.environ)
    with worker() as process:
        assert process.submit(os.getpid).result() != os.getpid()
        first, *later = [process.submit(faults_of_filling, NBYTES).result() for _ in range(3)]
    assert first >= NBYTES // 2**21  # a huge page each, at least
    assert max(later) < 16
    assert dict(os.environ) == environment
