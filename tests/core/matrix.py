"""An approval over amount, risk, borders and lawsuits, as a rule book may have it."""


def title(text):
    return {"zh-Hans": text, "zh-Hant": text, "en": text}


MATRIX = {
    "id": "plan",
    "clause": "X-1",
    "title": title("方案审批"),
    "on": "approving",
    "before": [
        {"clause": "X-3", "when": {"amount": {"gt": 500000}}, "steps": ["legal"]},
        {"when": {"flags": "cross_border"}, "steps": [{"all": ["local_legal", "legal"]}]},
    ],
    "matrix": [
        {"when": {"amount": {"ge": 0, "le": 0}}, "steps": []},
        {"when": {"amount": {"gt": 0, "le": 20000}}, "steps": ["head"]},
        {"when": {"amount": {"gt": 0, "le": 50000}, "risk": "low"}, "steps": ["head"]},
        {"when": {"amount": {"gt": 0, "le": 500000}}, "steps": ["head", "director"]},
        {"when": {"amount": {"gt": 0, "le": 5000000}}, "steps": ["head", "director", "deputy"]},
        {"when": {"amount": {"gt": 0}}, "steps": ["head", "director", "deputy", "office"], "expedited": True},
    ],
    "after": [{"when": {"flags": "cross_border"}, "steps": ["office"], "expedited": True}],
    "instead": [
        {
            "clause": "X-4",
            "when": {"flags": "lawsuit"},
            "steps": ["legal", "gm"],
            "expedited": True,
            "form": {"zh-Hans": "异常审批申请表", "zh-Hant": "異常簽核申請表", "en": "Application for an exception"},
        }
    ],
    "keeps": [{"when": {"flags": "cross_border"}, "steps": [{"all": ["local_legal", "legal"]}]}],
}
