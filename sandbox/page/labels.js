/* Every word of the page, in both languages. */

const WORDS = {
  zh: {
    language: "EN", people: "人物", groups: "群组", name: "姓名", add: "添加", newGroup: "新建群组", title: "群名",
    members: "成员", admin: "机器人是管理员", create: "创建", start: "开始", write: "输入消息", send: "发送", attach: "附件",
    more: "更多", close: "关闭", back: "返回", reply: "回复", edit: "编辑", remove: "删除", cancel: "取消", edited: "已编辑",
    deleted: "消息已删除", bot: "机器人", blocked: "已停用机器人", block: "停用并屏蔽", unblock: "重新启用", clear: "清空聊天",
    typing: "正在输入…", uploading: "正在发送文件…", recording: "正在录音…", photo: "照片", file: "文件", voice: "语音",
    album: "相册", samplePhoto: "示例照片", sampleAlbum: "示例相册", contact: "我的名片", place: "位置", offline: "连接已断开，正在重连…",
    empty: "还没有消息", hello: "选一个人物，打开手机", helloMore: "左侧可以添加人物：既可以是客户，也可以是处理投诉的员工。", ok: "好",
    faults: "故障演练", works: "正常", refuse: "拒绝连接", hang: "无响应", limits: "限速", next: "接下来 3 次调用", left: "已退出", joined: "加入了群组", leftGroup: "离开了群组",
    upgraded: "群组已升级为超级群", from: "超级群由群组升级而来", today: "今天", commands: "命令", zhHans: "简体中文", zhHant: "繁體中文", en: "English", unread: "新消息",
    messenger: "平台", telegram: "Telegram", wechat: "微信", wecom: "企业微信", officialAccount: "公众号", app: "应用", follows: "已关注", stranger: "未关注",
    follow: "关注公众号", unfollow: "取消关注", menu: "菜单", details: "查看详情", placeName: "上海市黄浦区人民广场", fail: "错误 500", people_n: (n) => `${n} 人`, original: "原文",
  },
  en: {
    language: "中文", people: "People", groups: "Groups", name: "Name", add: "Add", newGroup: "New group", title: "Title",
    members: "Members", admin: "Bot is administrator", create: "Create", start: "Start", write: "Message", send: "Send", attach: "Attach",
    more: "More", close: "Close", back: "Back", reply: "Reply", edit: "Edit", remove: "Delete", cancel: "Cancel", edited: "edited",
    deleted: "Message deleted", bot: "bot", blocked: "You blocked the bot", block: "Stop and block", unblock: "Unblock", clear: "Clear chat",
    typing: "typing…", uploading: "sending a file…", recording: "recording…", photo: "Photo", file: "File", voice: "Voice",
    album: "Album", samplePhoto: "Sample photo", sampleAlbum: "Sample album", contact: "My contact", place: "Location", offline: "Connection lost, trying again…",
    empty: "No messages yet", hello: "Pick somebody to open a phone", helloMore: "Add people on the left: they may be customers as well as the agents who help them.", ok: "OK",
    faults: "What goes wrong", works: "works", refuse: "refuses", hang: "hangs", limits: "Limits", next: "Next 3 calls", left: "left", joined: "joined the group", leftGroup: "left the group",
    upgraded: "The group became a supergroup", from: "This supergroup was a group", today: "Today", commands: "Commands", zhHans: "简体中文", zhHant: "繁體中文", en: "English", unread: "new",
    messenger: "Messenger", telegram: "Telegram", wechat: "WeChat", wecom: "WeCom", officialAccount: "WeChat", app: "WeCom", follows: "follows", stranger: "does not follow",
    follow: "Follow", unfollow: "Unfollow", menu: "Menu", details: "Details", placeName: "People's Square, Shanghai", fail: "error 500", people_n: (n) => `${n} people`, original: "before",
  },
};

let language = localStorage.getItem("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");

/** Say a word in the language of the page. */
export const say = (word) => WORDS[language][word] ?? word;

export const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
}
