"""Long work beside the pages: one thread a job, known by its key, so that a person may leave and come back.

Nothing is kept here that matters: what a job has done stands in the database. A job that died with its
process is simply not running, and the record it worked on says how far it came.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from db import audit
from db.errors import Refused

AT_ONCE = 2
# The phase of a job that waits for its turn.
QUEUED = "排队"
FAILED = "系统出现错误，没有完成。请稍后重试；如仍出现，请把错误编号 {number} 告知管理员"

# Hears the phase, how many rows it has done, and of how many: 0 while nobody knows.
Report = Callable[[str, int, int], None]

log = logging.getLogger("yuejian")
_jobs: dict[str, "Job"] = {}
_lock = threading.Lock()
_turns = threading.Semaphore(AT_ONCE)


@dataclass
class Job:
    """Work that goes on: which phase it is in, how many rows that has done of how many, and how it ended.

    `total` is 0 while nobody knows it.
    """

    phase: str = QUEUED
    count: int = 0
    total: int = 0
    is_over: bool = False
    refusal: str = ""

    def report(self, phase: str, count: int, total: int = 0) -> None:
        """Note how far the work has come."""
        self.phase, self.count, self.total = phase, count, total


def start(key: str, work: Callable[[Report], object], address: str = "") -> Job:
    """Begin `work` in a thread of its own, unless a job of that key is under way; the job either way.

    `address` is where the person sits who began it, for the audit log. `work` is given a function to report
    its phase, count and total to. A refusal it raises becomes the job's
    `refusal`; any other failure is logged under a number, which the refusal names.
    """
    with _lock:
        known = _jobs.get(key)
        if known and not known.is_over:
            return known
        job = _jobs[key] = Job()
    threading.Thread(target=_run, args=(job, work, address), name=f"job {key}", daemon=True).start()
    return job


def find(key: str) -> Job | None:
    """The newest job of that key in this process."""
    return _jobs.get(key)


def forget(key: str) -> None:
    """Drop a job that is over."""
    with _lock:
        if (job := _jobs.get(key)) and job.is_over:
            del _jobs[key]


def _run(job: Job, work: Callable[[Report], object], address: str) -> None:
    # A thread has a context of its own.
    audit.FROM.set(address)
    try:
        with _turns:
            job.report("准备", 0)
            work(job.report)
    except Refused as refusal:
        job.refusal = str(refusal)
    except Exception as problem:
        number = secrets.token_hex(3).upper()
        log.error("错误编号 %s", number, exc_info=problem)
        job.refusal = FAILED.format(number=number)
    finally:
        job.is_over = True
