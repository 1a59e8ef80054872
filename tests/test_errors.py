"""Refusals: one sentence, and what is wrong with which field."""

from db.errors import Conflict, NotFound, Refused


def test_a_refusal_says_its_sentence_and_keeps_its_problems():
    problems = {"name": "请填写“器具名称”"}
    refusal = Refused("请填写“器具名称”", problems)
    problems.clear()
    assert str(refusal) == "请填写“器具名称”"
    assert refusal.problems == {"name": "请填写“器具名称”"}
    assert Refused("不行").problems == {}


def test_absent_and_out_of_reach_are_the_same_words():
    assert str(NotFound("预约单")) == "预约单不存在，或不在您的权限范围内，请返回列表刷新后重试"


def test_whoever_was_slower_is_told_to_look_again():
    assert str(Conflict()) == "记录已被他人处理，请刷新后重试"
    assert Conflict("已被修改", {"7": "压力表"}).problems == {"7": "压力表"}


def test_every_refusal_is_caught_as_one():
    assert isinstance(NotFound(), Refused) and isinstance(Conflict(), Refused)


def test_a_refusal_quotes_what_was_typed_as_far_as_it_can_be_read():
    refusal = Refused(f"没有“{'长' * 500}”这一列\x00", {"name": f"“{'长' * 500}”太长"})
    assert str(refusal) == f"没有“{'长' * 80}…”这一列\ufffd"
    assert refusal.problems == {"name": f"“{'长' * 80}…”太长"}
