"""When customers want to be called: a time is taken where it is one, and a wish, and certain."""

import time

import pytest


def moments(reader, text):
    return [slot.value for slot in reader.read(text).slots if slot.name == "moment"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("合同MJ-20250211-07 长沙雨花区万家丽路xx栋1203 我上班 晚上七点半给我回话", "19:30"),
        ("明天上午10点给我打电话", "+1 10:00"),
        ("下午3点后联系我", "15:00"),
        ("今晚8点回电", "+0 20:00"),
        ("今晚八點打電話給我", "+0 20:00"),
        ("明早9点回我", "+1 09:00"),
        ("后天下午两点再打", "+2 14:00"),
        ("下周一上午十点一刻给我回电话", "n1 10:15"),
        ("周五下午3点联系我", "w5 15:00"),
        ("3月10日下午三点二十打给我", "03-10 15:20"),
        ("2025-03-10 19:30 联系我", "2025-03-10 19:30"),
        ("中午12点半给我回话", "12:30"),
        ("我白天没空，晚上8点给我打电话", "20:00"),
        ("下午3点到5点之间联系我", "15:00"),
        ("１９：３０回电", "19:30"),
        ("call me at 7:30 pm", "19:30"),
        ("Please call me tomorrow 9am", "+1 09:00"),
        ("Call me back tonight at 8", "+0 20:00"),
        ("ring me on Friday at 15:00", "w5 15:00"),
        ("call me at noon tomorrow", "+1 12:00"),
        ("晚上七点半", "19:30"),
        ("明天上午10点以后吧", "+1 10:00"),
        ("19:30", "19:30"),
    ],
)
def test_a_wish_to_be_called_is_read_with_its_time(reader, text, value):
    assert moments(reader, text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "说好下午3点给我回电话，到现在没打",
        "昨天下午3点给我打电话了",
        "别在晚上8点给我打电话",
        "为什么晚上11点给我打电话",
        "我下午3点打电话给你们没人接",
        "快一点给我回电话",
        "有一点问题，给我回话",
        "3点给我回电话",
        "7点半",
        "下午3点前给我回电话",
        "25点给我回话",
        "晚上99点给我回话",
        "下午3点75分给我回话",
        "凌晨12点给我回话",
        "周五或者周六下午3点给我打电话",
        "13月40日下午3点给我打电话",
        "灯晚上8点自己灭了",
        "订单 2025-03-10 没到，给我回话",
        "给我回话 13812345678",
        "they promised to call me at 3pm",
        "The driver came at 3pm",
        "I called at 7:30 pm and nobody answered",
        "do not call me at 8 pm",
        "call me by 5pm",
        "Model 12:30 broken",
    ],
)
def test_what_is_no_wish_or_not_certain_is_left_out(reader, text):
    assert moments(reader, text) == []


def test_a_time_does_not_take_a_telephone_number_away(reader):
    found = {(slot.name, slot.value) for slot in reader.read("晚上七点半打我手机13812345678").slots}
    assert ("phone", "+8613812345678") in found
    assert ("moment", "19:30") in found


@pytest.mark.parametrize(
    "text",
    ["下午3点 " * 1600 + "给我回话", "给我回话" * 1000 + "下午3点" * 1000, "1" * 8000, "晚上" * 4000, "12:" * 2600],
)
def test_a_long_text_takes_no_long_time(reader, text):
    begun = time.process_time()
    reader.read(text)
    assert time.process_time() - begun < 5


def test_an_amount_without_its_unit_is_one_where_nothing_else_is_said(reader):
    assert [(slot.name, slot.value) for slot in reader.read("3.2万").slots] == [("amount", "32000.00 CNY")]
    assert not [slot for slot in reader.read("5个工人来了3万次").slots if slot.name == "amount"]
