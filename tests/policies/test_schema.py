"""The published shape of a policy file."""

from policies.schema import json_schema


def test_the_schema_lets_a_policy_use_its_short_forms() -> None:
    definitions = json_schema()["$defs"]

    assert {"type": "string"} in definitions["Keyword"]["anyOf"]
    assert {"type": "string"} in definitions["Notice"]["properties"]["to"]["anyOf"]
    assert {"type": "string"} in definitions["Hours"]["properties"]["quiet"]["anyOf"]
    assert "not" in definitions["Predicate"]["properties"]


def test_the_schema_speaks_the_keys_of_the_file() -> None:
    schema = json_schema()

    assert "schema" in schema["properties"]
    assert "version" not in schema["properties"]
    assert "from" in schema["$defs"]["Move"]["properties"]
    assert "zh-Hant" in schema["$defs"]["Sentence"]["required"]


def test_an_unknown_key_is_a_mistake_everywhere() -> None:
    definitions = json_schema()["$defs"]

    open_ones = {
        name
        for name, each in definitions.items()
        if "anyOf" not in each and each.get("additionalProperties") is not False
    }

    assert open_ones == {"Predicate"}
    assert definitions["Keyword"]["anyOf"][-1]["additionalProperties"] is False


def test_the_schema_offers_every_way_to_set_a_limit() -> None:
    limit = json_schema()["$defs"]["Limit"]["properties"]

    assert {"workday", "month_day", "month_end", "appointment"} < {*limit["unit"]["enum"]}
    assert {"ends", "start_counts", "month", "strictly_before", "tolerance"} < limit.keys()
