"""Values in messages, and what is starred of them."""

import pytest


def values(reader, text):
    return {(slot.name, slot.value) for slot in reader.read(text).slots}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("订单YX20260305-2一直没动", "order_no", "YX20260305-2"),
        ("订单号：4500123456789，少了两箱", "order_no", "4500123456789"),
        ("单号 AB12-3456 的货", "order_no", "AB12-3456"),
        ("訂單編號ＡＢ１２３４５", "order_no", "AB12345"),
        ("order PO-40912 arrived", "order_no", "PO-40912"),
        ("Order no. 77120 is late", "order_no", "77120"),
        ("快递单号SF1234567890123", "tracking_no", "SF1234567890123"),
        ("13800138000", "phone", "+8613800138000"),
        ("电话138-0013-8000", "phone", "+8613800138000"),
        ("打我 +86 138 0013 8000", "phone", "+8613800138000"),
        ("手机０９１２３４５６７８", "phone", "+886912345678"),
        ("電話 9123 4567，香港", "phone", "+85291234567"),
        ("联系电话 0755-26581234", "phone", "+8675526581234"),
        ("call me on +44 20 7946 0958", "phone", "+442079460958"),
        ("I'm in Sheffield, phone 0114 496 0000", "phone", "+441144960000"),
        ("邮箱 Xiao.Zhou@Example.com。", "email", "xiao.zhou@example.com"),
        ("微信 abc123", "wechat", "abc123"),
        ("微信号：zhou_xiao-88", "wechat", "zhou_xiao-88"),
        ("加我微信13800138000", "wechat", "+8613800138000"),
        ("周晓 微信就行", "channel", "wechat"),
        ("telegram is fine", "channel", "telegram"),
        ("付了￥2,399.00", "amount", "2399.00 CNY"),
        ("￥2,399.00元", "amount", "2399.00 CNY"),
        ("损失1.2万元", "amount", "12000.00 CNY"),
        ("损失30万", "amount", "300000.00 CNY"),
        ("NT$1,299", "amount", "1299.00 TWD"),
        ("US$ 49.99 charged twice", "amount", "49.99 USD"),
        ("I paid 120 pounds", "amount", "120.00 GBP"),
        ("HK$88", "amount", "88.00 HKD"),
        ("花了19块9", "amount", "19.90 CNY"),
        ("花了三千五百块", "amount", "3500.00 CNY"),
        ("一百二十块钱", "amount", "120.00 CNY"),
        ("退我兩萬三千元", "amount", "23000.00 TWD"),
        ("500美元", "amount", "500.00 USD"),
        ("Model QT-7.", "model", "QT-7"),
        ("型号是 AB-12，不对", "model", "AB-12"),
        ("我叫周晓，人在里斯本", "name", "周晓"),
        ("我是李明，", "name", "李明"),
        ("姓名：欧阳修远", "name", "欧阳修远"),
        ("我姓陈", "name", "陈"),
        ("我是王先生", "name", "王先生"),
        ("我叫王和平，电话晚点给", "name", "王和平"),
        ("My name is Max Hill and I am waiting", "name", "Max Hill"),
        ("my name is max hill", "name", "Max Hill"),
        ("Hi, I'm Max Hill, order late", "name", "Max Hill"),
        ("周晓 13800138000", "name", "周晓"),
        ("人在里斯本", "region", "里斯本"),
        ("我在广州，货还没到", "region", "广州"),
        ("里斯本", "region", "里斯本"),
        ("I am from Leeds", "region", "Leeds"),
        ("所在地区：廣東", "region", "广东"),
        ("要么今天送到要么重发", "remedy", "resend"),
        ("请尽快补发", "remedy", "resend"),
        ("我要退款", "remedy", "refund"),
        ("I'd like an apology", "remedy", "apology"),
        ("能不能维修一下", "remedy", "repair"),
        ("少了2件", "quantity", "2"),
    ],
)
def test_a_value_is_found_in_its_normal_form(reader, text, name, value):
    assert (name, value) in values(reader, text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I want to order 60 lamps", "order_no"),
        ("订单一直没动", "order_no"),
        ("order 2 days late", "order_no"),
        ("快递单号SF1234567890123", "order_no"),
        ("订单号13800138000", "phone"),
        ("4500123456789", "phone"),
        ("20260305", "phone"),
        ("2025-01-18 10:30 下单", "phone"),
        ("call 1-800-433-7300", "phone"),
        ("微信支付失败", "wechat"),
        ("微信很久没回", "wechat"),
        ("几百块没了", "amount"),
        ("一百多块", "amount"),
        ("三五块钱", "amount"),
        ("100-200元", "amount"),
        ("两块木板裂开了", "amount"),
        ("三元催化坏了", "amount"),
        ("元件坏了3元件", "amount"),
        ("3万件", "amount"),
        ("型号不对", "model"),
        ("the model is wrong", "model"),
        ("我是高级会员", "name"),
        ("我是老板，", "name"),
        ("名字写错了", "name"),
        ("I'm very angry", "name"),
        ("I am Furious", "name"),
        ("This is Unacceptable", "name"),
        ("高兴", "name"),
        ("马上 发货", "name"),
        ("卡在鹿特丹那边不动了", "region"),
        ("shipped from China last month", "region"),
        ("please contact us", "region"),
        ("我在广州买的包", "region"),
    ],
)
def test_what_is_not_certain_is_left_out(reader, text, name):
    assert name not in {slot.name for slot in reader.read(text).slots}


def test_a_list_of_answers_is_read_part_by_part(reader):
    assert {("name", "Ann Lee"), ("email", "ann@lee.example"), ("region", "Leeds"), ("model", "QT-9")} <= values(
        reader, "Ann Lee, ann@lee.example, Leeds. Model QT-9"
    )
    assert {("name", "陈思"), ("channel", "wechat"), ("region", "巴塞罗那"), ("remedy", "resend")} <= values(
        reader, "陈思 微信就行 人在巴塞罗那 要么快点到要么补发"
    )
    assert {("order_no", "CN-5512"), ("region", "纽约")} <= values(reader, "损失太大 订单CN-5512 纽约 今天给说法")


def test_several_remedies_are_all_heard_and_a_refused_one_is_not(reader):
    wished = reader.read("I want replacements or a refund").slots
    assert {(s.value, s.confidence) for s in wished if s.name == "remedy"} == {("replace", 0.9), ("refund", 0.9)}
    assert {s.value for s in reader.read("不要退款，我要换货").slots if s.name == "remedy"} == {"replace"}


def test_the_surest_value_of_a_name_is_the_one_given(reader):
    assert reader.read("订单CN-77411，型号 ZX-1").slot("order_no").value == "CN-77411"


def test_a_code_alone_may_be_any_code_that_was_asked_for(reader):
    assert {("order_no", "QT-90"), ("model", "QT-90")} <= values(reader, "QT-90")


def test_an_identity_number_is_kept_only_in_stars(reader):
    text = "身份证11010519491231002X，请查"
    slot = reader.read(text).slot("id_card")

    assert slot.value == "**************002X"
    assert text[slot.start : slot.end] == "11010519491231002X"


def test_a_number_with_a_wrong_check_digit_is_no_identity_number(reader):
    assert reader.read("流水号110105194912310021").slot("id_card") is None


def test_masking_stars_whoever_could_be_recognised_and_nothing_else(reader):
    text = "我叫王小岚，电话13800138000，微信号zhouxiao_88，邮箱lan@example.com，订单CN-77411破损"
    masked = reader.mask(text, reader.read(text))

    for secret in ("小岚", "0013800", "houxiao", "lan@", "example"):
        assert secret not in masked
    assert "订单CN-77411破损" in masked
    assert masked.startswith("我叫王**，电话138")


def test_masking_reaches_values_written_full_width(reader):
    text = "手机１３８００１３８０００"

    assert "００１３８" not in reader.mask(text, reader.read(text))
