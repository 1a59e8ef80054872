"""Long work beside the pages: begun once, watched, and its failures told."""

import logging
import threading
import time

import pytest

from db import jobs
from db.errors import Refused


def over(job):
    """The job once it has ended."""
    deadline = time.monotonic() + 20
    while not job.is_over:
        assert time.monotonic() < deadline, "the job never ended"
        time.sleep(0.01)
    return job


def test_a_job_reports_how_far_it_has_come():
    go_on = threading.Event()

    def work(report):
        report("读取", 1000)
        assert go_on.wait(20)

    job = jobs.start("reports", work)
    while job.count != 1000:
        time.sleep(0.01)
    assert (job.phase, job.is_over, jobs.find("reports")) == ("读取", False, job)
    go_on.set()
    assert over(job).refusal == ""


def test_a_job_under_way_is_not_begun_twice():
    go_on = threading.Event()
    first = jobs.start("once", lambda report: go_on.wait(20))
    assert jobs.start("once", lambda report: pytest.fail("began again")) is first
    go_on.set()
    over(first)
    assert jobs.start("once", lambda report: None) is not first


def test_a_refusal_is_kept_in_its_own_words():
    def refuse(report):
        raise Refused("请先选择文件")

    assert over(jobs.start("refused", refuse)).refusal == "请先选择文件"


def test_a_failure_is_told_by_a_number_that_stands_in_the_log(caplog):
    with caplog.at_level(logging.ERROR, "yuejian"):
        job = over(jobs.start("failed", lambda report: {}["secret"]))
    number = job.refusal.split("错误编号 ")[1][:6]
    assert number in caplog.text
    assert "secret" not in job.refusal


def test_a_job_that_is_over_may_be_forgotten():
    job = over(jobs.start("gone", lambda report: None))
    assert jobs.find("gone") is job
    jobs.forget("gone")
    assert jobs.find("gone") is None
