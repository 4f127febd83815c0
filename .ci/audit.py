"""Asks for known vulnerabilities of every pinned package, by pip-audit, and says what could not be asked.

    .venv-audit/bin/python .ci/audit.py [OPTION OF PIP-AUDIT ...] FILE ...

Exit codes: 0 all packages were looked up and nothing is known, 1 vulnerabilities are known, 2 some or all
could not be looked up, so nothing can be said of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

NOTHING_KNOWN, VULNERABLE, NOT_LOOKED_UP = 0, 1, 2
MAX_TEXT = 300
WHERE = (
    "This is no clean result. pip-audit asks pypi.org/pypi/NAME/VERSION/json: run `make audit` where that\n"
    "can be reached, or ask another database: make audit AUDIT='--vulnerability-service osv' (api.osv.dev)."
)


def main(arguments: Sequence[str]) -> int:
    files = [word for word in arguments if word.endswith(".txt")]
    options = [word for word in arguments if word not in files]
    try:
        lines, code = judged([package for file in files for package in looked_up(file, options)])
    except NotAnswered as failed:
        lines, code = [f"Nothing was looked up: {failed}", WHERE], NOT_LOOKED_UP
    sys.stdout.write("\n".join(lines) + "\n")
    return code


class NotAnswered(Exception):
    """What pip-audit said in the place of an answer."""


def looked_up(file: str, options: Sequence[str]) -> list[dict[str, Any]]:
    """What pip-audit says of each package that a file pins. Raises NotAnswered."""
    program = Path(sys.executable).with_name("pip-audit")
    command = [program, "--require-hashes", "--disable-pip", "-f", "json", *options, "-r", file]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        packages: list[dict[str, Any]] = json.loads(asked.stdout)["dependencies"]
    except ValueError:
        last = (asked.stderr.strip().splitlines() or ["no answer"])[-1]
        raise NotAnswered(f"{file}: {last[:MAX_TEXT]}") from None
    return packages


def judged(packages: Iterable[Mapping[str, Any]]) -> tuple[list[str], int]:
    """What to say of pip-audit's answer, and the exit code."""
    known = {(package["name"], package.get("version")): package for package in packages}
    vulnerable = [
        f"{name} {version}: {found['id']}, fixed in {', '.join(found['fix_versions']) or 'no version'}"
        for (name, version), package in known.items()
        for found in package.get("vulns", [])
    ]
    skipped = [str(package["skip_reason"]) for package in known.values() if "skip_reason" in package]
    lines = [*vulnerable, f"{len(known)} packages, {len(vulnerable)} known vulnerabilities."]
    if skipped or not known:
        lines += [f"{len(skipped)} packages were not looked up: {(skipped or ['none is named'])[0]}", WHERE]
        return lines, VULNERABLE if vulnerable else NOT_LOOKED_UP
    return lines, VULNERABLE if vulnerable else NOTHING_KNOWN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
