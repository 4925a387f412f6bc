"""Just enough of JSON schema to hold params.schema.json against the code: whether a value is valid."""

import re

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "null": lambda value: value is None,
}
RULES = {
    "type": lambda rule, value: TYPES[rule](value),
    "enum": lambda rule, value: value in rule,
    "const": lambda rule, value: value == rule,
    "pattern": lambda rule, value: not isinstance(value, str) or re.search(rule, value) is not None,
    "minLength": lambda rule, value: not isinstance(value, str) or len(value) >= rule,
    "minimum": lambda rule, value: not _number(value) or value >= rule,
    "maximum": lambda rule, value: not _number(value) or value <= rule,
    "exclusiveMinimum": lambda rule, value: not _number(value) or value > rule,
    "exclusiveMaximum": lambda rule, value: not _number(value) or value < rule,
    "minItems": lambda rule, value: not isinstance(value, list) or len(value) >= rule,
    "maxItems": lambda rule, value: not isinstance(value, list) or len(value) <= rule,
    "uniqueItems": lambda rule, value: not isinstance(value, list) or len({repr(each) for each in value}) == len(value),
    "items": lambda rule, value: not isinstance(value, list) or all(valid(rule, each) for each in value),
    "required": lambda rule, value: not isinstance(value, dict) or set(rule) <= set(value),
    "anyOf": lambda rule, value: any(valid(each, value) for each in rule),
    "allOf": lambda rule, value: all(valid(each, value) for each in rule),
    "not": lambda rule, value: not valid(rule, value),
}
NO_RULES = {"$schema", "title", "description", "properties", "patternProperties", "additionalProperties", "if", "then"}


def valid(schema, value):
    """Whether ``value`` is valid by ``schema``; KeyError for a keyword that is none of these."""
    if isinstance(schema, bool):
        return schema
    own = all(RULES[word](rule, value) for word, rule in schema.items() if word not in NO_RULES)
    then = "if" not in schema or not valid(schema["if"], value) or valid(schema["then"], value)
    return own and then and (not isinstance(value, dict) or all(_property(schema, *item) for item in value.items()))


def _property(schema, key, value):
    if key in schema.get("properties", {}):
        return valid(schema["properties"][key], value)
    for pattern, inside in schema.get("patternProperties", {}).items():
        if re.search(pattern, key):
            return valid(inside, value)
    return schema.get("additionalProperties", True)


def _number(value):
    return type(value) in (int, float)
