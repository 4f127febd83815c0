"""The example file and the documentation have the keys of the model: all of them and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from mizuchi_site.config import Config, load_config
from mizuchi_site.config.explain import models_in
from mizuchi_site.config.places import PROJECT_ROOT

EXAMPLE = PROJECT_ROOT / "config.example.yaml"
DOCUMENT = PROJECT_ROOT / "docs" / "configuration.md"


PATHS = {
    "storages": "storages.NAME",
    "buckets": "buckets[]",
    "access_keys": "access_keys[]",
    "webhooks": "webhooks[]",
    "rules": "rules[]",
    "cors": "cors[]",
    "principals": "principals.NAME",
}


def model_keys(model: type[BaseModel] = Config, above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kinds = list(models_in([field.annotation]))
        path = PATHS.get(name, name)
        if not kinds:
            yield f"{above}{name}"
        for kind in kinds:
            yield from model_keys(kind, f"{above}{path}.")


def example_keys(value: object, above: str = "") -> Iterator[str]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        for item in value:
            yield from example_keys(item, f"{above}[]")
    elif isinstance(value, dict) and value and not above.endswith(".options"):
        for key, child in value.items():
            name = "NAME" if above == "storages" or above.endswith(".principals") else key
            yield from example_keys(child, f"{above}.{name}" if above else name)
    else:
        yield above


def uncommented() -> str:
    """The example with its sample access key and rules in force."""
    text = EXAMPLE.read_text()
    samples = r"^( *)(access_keys|rules|webhooks|cors|principals): (?:\[\]|\{\}).*$"
    text = re.sub(samples, r"\1\2:", text, flags=re.MULTILINE)
    return re.sub(r"^#(  .*)$", r"\1", text, flags=re.MULTILINE)


def test_the_models_have_keys() -> None:
    assert {"server.bind", "storages.NAME.location", "buckets[].auth.sigv4.enabled"} <= set(model_keys())


def test_the_example_has_every_key() -> None:
    assert set(example_keys(yaml.safe_load(uncommented()))) == set(model_keys())


def test_the_documentation_has_every_key() -> None:
    documented = re.findall(r"^\| `([^`]+)` \|", DOCUMENT.read_text(), re.MULTILINE)
    keys = [key for key in documented if not key.startswith("$") and not key.isupper()]  # no variables
    assert sorted(keys) == sorted(set(model_keys()))


@pytest.mark.parametrize("text", [EXAMPLE.read_text(), uncommented()], ids=["as-it-is", "with-the-key"])
def test_the_example_loads(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    secrets = {"UPLOADER_SECRET": "0123456789-abcdef", "WEBHOOK_SECRET": "whsec_" + 32 * "A"}
    load_config(file, secrets)


def test_the_example_shows_the_defaults() -> None:
    example, defaults = load_config(EXAMPLE, {}).config, load_config(None, {}).config
    kept = {"storages"}
    assert example.model_dump(exclude=kept) == defaults.model_dump(exclude=kept)
    assert example.storages["local"] == defaults.storages["local"]


def test_the_documentation_shows_the_defaults() -> None:
    rows = re.findall(
        r"^\| `((?:server|multipart|logging)\.\w+)` \| .*? \| `?(.*?)`? \|", DOCUMENT.read_text(), re.M
    )
    config = load_config(None, {}).config
    assert len(rows) == 15
    for path, default in rows:
        section, _, name = path.partition(".")
        value = getattr(getattr(config, section), name)
        read = yaml.safe_load(default)
        assert (tuple(read) if isinstance(read, list) else read) == value, path
