"""Whoever starts the demo sees the whole story on one page: complaint, work, proposal, survey, another customer."""

import asyncio
import os
import re
import socket
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.demo.stage import CHROMIUM, Handset, browsing, free_ports, move_clock, number_in, running, start

needs_browser = pytest.mark.skipif(
    not CHROMIUM.exists() and os.environ.get("CI") != "true", reason="needs Debian's chromium at /usr/bin/chromium"
)


@needs_browser
@pytest.mark.xdist_group("browser")
async def test_the_demo_tells_the_whole_story(tmp_path: Path):
    async with running(tmp_path) as demo, browsing() as browser:
        wang_id, li_id = demo.people["王岚"], demo.people["小李"]
        page = await browser.tab(f"{demo.phones}/#{wang_id},{li_id}")
        wang, li = Handset(page, wang_id), Handset(page, li_id)

        said = await wang.hears("投诉编号是")
        number = number_in(said.text)
        assert "莱比锡" in (await wang.messages())[0].text
        assert said.buttons == ["同意", "不同意"]

        await wang.press("同意")
        await wang.hears("怎么称呼您")
        await wang.say("王岚")
        await wang.hears("怎么联系您")
        await wang.say("微信就行")
        said = await wang.hears("？")
        if "哪个城市" in said.text:
            await wang.say("马德里")
            said = await wang.hears("？")
        assert "型号" in said.text, "the order number was given and is not asked"
        await wang.press("跳过")
        await wang.hears("希望我们怎么解决")
        await wang.press("补发或重发")
        await wang.hears("有照片、视频或单据吗", "20 MB")
        await wang.attach("示例照片")
        await wang.hears("收到了", "还有吗")
        await wang.press("就这些")
        said = await wang.hears("请核对投诉", "联系方式：微信就行", "订单号：YX20250118-3", "1 个文件")
        assert "跳过" not in said.text
        await wang.press("没问题，提交")
        await wang.hears(number, "已受理", "给您方案")

        alert = await li.hears("新投诉", number)
        assert "王岚" not in alert.text, "who it is stands behind the button"
        assert {"我来处理", "打开投诉"} <= {*alert.buttons}
        await li.show("客诉处理群")
        alert = await li.hears("新投诉", number)
        assert "王岚" not in alert.text
        await li.press("我来处理")
        await li.hears(number, "由小李负责", "正在调查")
        await li.show("Plaint")
        await wang.hears("已经有人在调查")
        await li.say(number)
        await li.hears("找到了")
        await li.press(number)
        await li.hears(number, "正在调查", "王岚", "微信就行")

        await li.press("问客户")
        await li.hears("想问客户什么")
        await li.say("外包装上的运单号是多少？")
        await wang.hears(number, "运单号是多少")
        await wang.say("上面写着 LB-889")
        await wang.hears("转给同事")
        await li.hears("有新消息", "LB-889")

        await li.press("提出方案")
        await li.hears("请写下给客户的方案")
        await li.say("给您一张 5% 的优惠券")
        offer = await wang.hears("5% 的优惠券")
        assert offer.buttons == ["同意这个方案", "不同意，说说原因"]
        await wang.press("不同意，说说原因")
        await wang.hears("哪里不合适")
        await wang.say("优惠券不行，我要货")
        await wang.hears("新方案")
        await li.hears("没有接受", "我要货")
        await li.press("提出方案")
        await li.hears("请写下给客户的方案")
        await li.say("今天空运补发，运费我们出")
        await wang.hears("空运补发")
        await wang.press("同意这个方案")
        await wang.hears("马上落实")
        await li.hears("接受了")
        await li.press("已办完")
        await li.hears("请写下给客户的处理结果")
        await li.say("空运件已经签收")
        done = await wang.hears("已经办完", "空运件已经签收")
        assert done.buttons == ["还有问题没解决"]

        clock = await browser.tab(f"{demo.service}/demo")
        for _ in range(7):  # holidays are not counted
            await move_clock(clock, "+1 day")
            if asked := await wang.heard(number, "办完了", "几分", within=1.5):
                break
        await page.bring_to_front()
        assert asked is not None
        assert asked.buttons == ["1", "2", "3", "4", "5"]
        await wang.press("4")
        await wang.hears("结果")
        await wang.press("5")
        await wang.hears("想说的")
        await wang.say("就是慢了点，人挺好")
        await wang.hears("谢谢")
        await wang.say("/status")
        await wang.hears(number, "已办完")
        await li.say("/cases")
        assert len((await li.hears("未结的投诉")).buttons) > 3, "a month has passed before the demo opened"

        await page.locator("input[name=name]").fill("Tom Price")
        await page.locator("form.add select[name=language]").select_option("en")
        await page.get_by_role("button", name="添加", exact=True).click()
        root = page.locator('.phone[aria-label="Tom Price"]')
        await root.get_by_role("button", name="开始").click()
        tom = Handset(page, int(await root.get_attribute("data-person") or 0))
        await tom.hears("complaint desk of our trading company")
        await tom.say("14 of the 60 lamps in order PO-88213 arrived broken. I want replacements.")
        said = await tom.hears("Its number is", "Do you agree?")
        assert number_in(said.text) != number
        assert not re.search(r"[\u4e00-\u9fff]", said.text)

        await expect(page.locator("#offline")).to_be_hidden()
        assert browser.problems == []
        assert [url for url in browser.asked if not url.startswith((demo.phones, demo.service, "data:", "blob:"))] == []
        assert await demo.stop() == 0
    assert "Traceback" not in demo.written
    assert not re.search(r"\[(error|critical) *\]|\bERROR\b", demo.written), demo.written
    assert demo.written.rstrip().endswith("The demo has stopped.")


async def test_a_port_that_is_taken_is_named(tmp_path: Path):
    with socket.socket() as other:
        port = free_ports()
        other.bind(("127.0.0.1", port + 1))
        other.listen()
        demo = await start(tmp_path, port)
        async with asyncio.timeout(60):
            assert await demo.process.wait() == 2
    assert f"Port {port + 1} of 127.0.0.1" in demo.written
    assert "PLAINT_PORT" in demo.written
    assert "Traceback" not in demo.written
