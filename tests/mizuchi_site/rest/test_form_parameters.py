"""Forms as parameters of the API's description."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from mizuchi_site.rest.form_parameters import form_parameters


class Asked(forms.Form):
    kind = forms.ChoiceField(label="Which kind", choices=[("", "any"), ("a", "A")], required=False)
    must = forms.ChoiceField(choices=[("a", "A"), ("b", "B")])
    status = forms.IntegerField(required=False, min_value=100, max_value=599)
    slower = forms.FloatField(required=False, min_value=0)
    since = forms.DateTimeField(required=False)
    bucket = forms.CharField(required=False, max_length=63)
    code = forms.CharField(required=False, validators=[RegexValidator(r"\A[0-9a-f]{4}\Z")])


def schemas() -> dict[str, Any]:
    return {parameter.name: parameter.type for parameter in form_parameters(Asked)}


def test_each_field_is_described_with_its_bounds() -> None:
    found = schemas()
    pattern = found.pop("code")["pattern"]
    assert found == {
        "kind": {"type": "string", "enum": ["", "a"]},
        "must": {"type": "string", "enum": ["a", "b"]},
        "status": {"type": "integer", "minimum": 100, "maximum": 599},
        "slower": {"type": "number", "minimum": 0},
        "since": {"type": "string", "format": "date-time"},
        "bucket": {"type": "string", "maxLength": 63},
    }
    assert [bool(re.match(pattern, text)) for text in ("", "00ff", "00fg", "00ff0")] == [
        True,
        True,
        False,
        False,
    ]


def test_labels_and_what_is_required_are_told() -> None:
    kind, must, *_ = form_parameters(Asked)
    assert (kind.description, kind.required, must.required) == ("Which kind", False, True)
