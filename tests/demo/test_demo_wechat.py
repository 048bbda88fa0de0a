"""The same story on a phone with WeChat, where there are no buttons, and an agent with WeCom."""

import os
import re
from pathlib import Path

import pytest

from tests.demo.stage import CHROMIUM, Handset, Typing, browsing, move_clock, number_in, running


@pytest.mark.skipif(
    not CHROMIUM.exists() and os.environ.get("CI") != "true", reason="needs Debian's chromium at /usr/bin/chromium"
)
@pytest.mark.xdist_group("browser")
async def test_the_whole_story_on_a_phone_with_wechat(tmp_path: Path):
    async with running(tmp_path) as demo, browsing() as browser:
        page = await browser.tab(f"{demo.phones}/#{demo.people['李娜']},{demo.people['周敏']}")
        li, zhou = Typing(page, demo.people["李娜"]), Handset(page, demo.people["周敏"])
        await li.hears("请用自己的话说说发生了什么")
        await li.say("你好，订单 YX20250119-2 的灯到货就碎了两盏，我要补发")
        said = await li.hears("投诉编号是", "微信", "1. 同意", within=15)
        number = number_in(said.text)
        await li.choose("同意")
        await li.hears("怎么称呼您")
        await li.say("李娜")
        await li.hears("怎么联系您")
        await li.say("微信就行")
        for _ in range(4):
            said = await li.hears("")
            if "请核对投诉" in said.text:
                break
            await li.say("马德里" if "哪个城市" in said.text else "跳过")
        assert "订单号：YX20250119-2" in said.text
        await li.choose("没问题，提交")
        await li.hears(number, "已受理")
        await zhou.hears("新投诉", number)
        await zhou.press("我来处理")
        await li.hears("已经有人在调查")
        await zhou.hears("正在调查")
        await zhou.press("提出方案")
        await zhou.hears("请写下给客户的方案")
        await zhou.say("两盏灯今天空运补发，运费我们出")
        await li.hears("空运补发")
        await li.say("1")
        await li.hears("马上落实")
        await zhou.hears("接受了")
        await zhou.press("已办完")
        await zhou.hears("请写下给客户的处理结果")
        await zhou.say("补发的灯已经签收")
        await li.hears("已经办完", "补发的灯已经签收")
        await page.screenshot(path=str(tmp_path / "wechat.png"))
        clock = await browser.tab(f"{demo.service}/demo")
        await move_clock(clock, "+1 week")
        await page.bring_to_front()
        await li.say("我的投诉")
        await li.hears("几分", within=15)
        await li.say("5")
        await li.hears("结果")
        await li.say("4")
        await li.hears("想说的")
        await li.say("没有了")
        await li.hears("谢谢")
        assert browser.problems == []
        assert await demo.stop() == 0
    assert "Traceback" not in demo.written
    assert not re.search(r"\[(error|critical) *\]|\bERROR\b", demo.written), demo.written
