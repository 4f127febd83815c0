"""``buckets[].authz``: nothing that is written there does nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from authz.config import OpaConfig, OpenFgaConfig, PolicyBreakerConfig, PolicyConfig
from mizuchi_site.bucket_policy import policies
from mizuchi_site.config import Config, ConfigError, load_config

TOKEN = "a-token-that-no-message-may-repeat"
STORE = "01HVMMBCMGZNT3SED4Z17ECXCA"
OPA = {"url": "https://opa.example.org:8181"}
FGA = {"url": "http://127.0.0.1:8080", "store_id": STORE}


def load(authz: Any, folder: Path) -> Config:
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump({"buckets": [{"name": "abc", "storage": "local", "authz": authz}]}))
    return load_config(file, {}).config


FAULTS = [
    (None, "", "has no engine: give opa, openfga or both, or leave the key out"),
    ({}, "", "has no engine"),
    ({"mode": "all_of"}, "", "has no engine"),
    ({"opa": None, "fails_open": True}, "", "has no engine"),
    ({"opa": {}}, ".opa.url", "is required"),
    ({"Opa": OPA, "openfga": FGA}, ".Opa", "did you mean opa?"),
    ({"opa": OPA, "fail_open": True}, ".fail_open", "did you mean fails_open?"),
    ({"opa": OPA, "fails_open": "yes"}, ".fails_open", "must be true or false"),
    ({"opa": OPA, "mode": "first"}, ".mode", "must be 'all_of', 'any_of' or 'shadow'"),
    ({"opa": OPA | {"timeout": 2}}, ".opa.timeout", "did you mean timeout_seconds?"),
    ({"opa": OPA | {"timeout_seconds": 0}}, ".opa.timeout_seconds", "must be at least 0.05"),
    ({"opa": OPA | {"cache_ttl_seconds": -1}}, ".opa.cache_ttl_seconds", "must be at least 0"),
    ({"opa": OPA | {"cache_ttl_seconds": 86400}}, ".opa.cache_ttl_seconds", "must be at most 3600"),
    ({"opa": OPA | {"path": "/v1/query"}}, ".opa.path", "must be the path of a decision, like"),
    ({"opa": OPA | {"path": "/v1/data/"}}, ".opa.path", "must be the path of a decision"),
    ({"opa": OPA | {"path": "/v1/data/a?b=c"}}, ".opa.path", "must be the path of a decision"),
    ({"opa": OPA | {"path": "v1/data/a"}}, ".opa.path", "must be the path of a decision"),
    ({"opa": OPA | {"token": ""}}, ".opa.token", "must not be empty"),
    ({"opa": OPA | {"ca_file": "/nowhere.pem"}}, ".opa.ca_file", "must be a file that exists"),
    ({"openfga": FGA | {"ca_file": "manage.py"}}, ".openfga", "ca_file needs an https url"),
    ({"openfga": {"url": FGA["url"]}}, ".openfga.store_id", "is required"),
    ({"openfga": FGA | {"store_id": "store"}}, ".openfga.store_id", "must be an id of OpenFGA"),
    ({"openfga": FGA | {"model_id": STORE.lower()}}, ".openfga.model_id", "must be an id of OpenFGA"),
    ({"openfga": FGA | {"relation": "a b"}}, ".openfga.relation", "must be the name of a relation"),
    (
        {"openfga": FGA | {"relations": {"UploadParts": "x"}}},
        ".openfga.relations",
        "did you mean UploadPart?",
    ),
    ({"openfga": FGA | {"relations": {"PutObject": "#"}}}, ".openfga.relations.PutObject", "name of a rel"),
    ({"openfga": FGA | {"object": []}}, ".openfga.object", "must not be empty"),
    ({"openfga": FGA | {"object": "bucket:uploads"}}, ".openfga.object[0]", "at least one field"),
    ({"openfga": FGA | {"object": "{bucket}"}}, ".openfga.object[0]", "must be a type, a colon"),
    ({"openfga": FGA | {"object": "a:{bucket}#x"}}, ".openfga.object[0]", "must be a type, a colon"),
    ({"openfga": FGA | {"object": "a:{bucket"}}, ".openfga.object[0]", "must be a type, a colon"),
    (
        {"openfga": FGA | {"object": ["a:{key}", "a:{buckt}"]}},
        ".openfga.object[1]",
        "has a field that nobody knows; known are: {bucket}, {folder}, {key}",
    ),
    ({"openfga": FGA | {"object": "a:{subject}"}}, ".openfga.object[0]", "known are: {bucket}"),
    ({"openfga": FGA | {"user": "user:{bucket}"}}, ".openfga.user", "known are: {principal}, {subject}"),
    ({"openfga": FGA | {"user": "user:*"}}, ".openfga.user", "must be a type, a colon"),
    ({"openfga": FGA | {"group": "group:{groups}"}}, ".openfga.group", "known are: {group}"),
    ({"opa": OPA, "breaker": {"failures": 0}}, ".breaker.failures", "must be at least 1"),
    ({"opa": OPA, "breaker": {"reset": 1}}, ".breaker.reset", "known are: failures, reset_seconds"),
    *(
        ({"opa": {"url": url}}, ".opa.url", "must be a URL without login and query")
        for url in (
            "opa:8181",
            "ftp://opa",
            "http://",
            f"https://user:{TOKEN}@opa",
            "https://opa/?x=y",
            "https://opa/#x",
            "http://opa:99999",
            "http://opa:0",
            "http://op a",
            "",
        )
    ),
]


@pytest.mark.parametrize(
    ("authz", "path", "message"), FAULTS, ids=[f"{row[1] or 'authz'}-{n}" for n, row in enumerate(FAULTS)]
)
def test_a_fault_names_the_key_and_what_would_be_right(
    authz: Any, path: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(authz, tmp_path)

    (fault,) = caught.value.faults
    assert str(fault).startswith(f"buckets[0].authz{path}: ")
    assert message in str(fault)
    assert TOKEN not in str(caught.value)


def test_a_bucket_without_the_key_has_no_policy(tmp_path: Path) -> None:
    assert policies(load_config(None, {}).config.buckets) == {}


def test_the_room_is_told_everything(tmp_path: Path) -> None:
    opa = {"url": "https://opa/base/", "path": "/v1/data/x/y", "token": TOKEN, "timeout_seconds": 0.5}
    fga = {
        "model_id": STORE,
        "relation": "editor",
        "relations": {"UploadPart": "writer", "s3:ListBucket": "reader"},
        "object": ["folder:{bucket}/{folder}", "bucket:{bucket}"],
        "user": "person:{principal}",
        "group": "team:{group}",
        "group_relation": "part",
        "api_token": TOKEN,
        "cache_ttl_seconds": 0,
    }
    told = load(
        {
            "mode": "any_of",
            "opa": opa,
            "openfga": FGA | fga,
            "fails_open": True,
            "breaker": {"failures": 2, "reset_seconds": 1.5},
        },
        tmp_path,
    )

    assert policies(told.buckets) == {
        "abc": PolicyConfig(
            mode="any_of",
            opa=OpaConfig("https://opa/base", "/v1/data/x/y", TOKEN, timeout_seconds=0.5),
            openfga=OpenFgaConfig(
                "http://127.0.0.1:8080",
                STORE,
                STORE,
                "editor",
                {"UploadPart": "writer", "s3:ListBucket": "reader"},
                ("folder:{bucket}/{folder}", "bucket:{bucket}"),
                "person:{principal}",
                "team:{group}",
                "part",
                TOKEN,
                cache_ttl_seconds=0.0,
            ),
            fails_open=True,
            breaker=PolicyBreakerConfig(2, 1.5),
        )
    }


def test_the_defaults_of_the_file_and_of_the_room_agree(tmp_path: Path) -> None:
    told = policies(load({"opa": OPA, "openfga": FGA}, tmp_path).buckets)

    assert told == {"abc": PolicyConfig(opa=OpaConfig(**OPA), openfga=OpenFgaConfig(**FGA))}
