"""What a configuration may not say, and the words in which it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from mizuchi_site.config import ConfigError, load_config

SECRET = "correct-horse-battery-staple-0123456789"  # a secret that no message may repeat

KEY = f"{{access_key_id: AK1, secret_access_key: {SECRET}, principal: ci}}"
BUCKETS = "storages: {local: {backend: filesystem, location: var/x}}\nbuckets: "
STORAGE = "buckets: [{name: uploads, storage: s}]\nstorages: {s: "

FAULTS = [
    # Keys nobody knows, and what was meant.
    ("serverr: {}", "serverr", "is not a known key; did you mean server?"),
    ("server: {wokers: 2}", "server.wokers", "is not a known key; did you mean workers?"),
    ("server: {zero_copy: true}", "server.zero_copy", "is not a known key; known are: allowed_hosts,"),
    ("cache: {url: 'memcached://c'}", "cache.url", "must be redis://"),
    ("throttle: {burst: 5}", "throttle", "has a burst, but no requests_per_second"),
    (
        "throttle: {principals: {ci: {concurrent_uploads: 0}}}",
        "throttle.principals.ci.concurrent_uploads",
        "1",
    ),
    (
        BUCKETS + "[{name: abc, storage: local, quota: {max_byte: 1}}]",
        "buckets[0].quota.max_byte",
        "max_bytes?",
    ),
    (
        BUCKETS + "[{name: abc, storage: local, quota: {per: week}}]",
        "buckets[0].quota.per",
        "'month' or 'day'",
    ),
    (
        BUCKETS
        + "[{name: abc, storage: local, cors: [{allowed_origins: [a.example/], allowed_methods: [PUT]}]}]",
        "buckets[0].cors[0].allowed_origins[0]",
        "must be an origin",
    ),
    (
        BUCKETS + "[{name: abc, storage: local, cors: [{allowed_origins: ['*'], allowed_methods: [PATCH]}]}]",
        "buckets[0].cors[0].allowed_methods[0]",
        "'PUT'",
    ),
    (
        BUCKETS + "[{name: abc, storage: local, cors: [{allowed_origins: ['*']}]}]",
        "buckets[0].cors[0].allowed_methods",
        "is required",
    ),
    ("tracing: {sampler: always}", "tracing.sampler", "is not a known key"),
    ("tracing: {otlp: {endpoint: collector:4317}}", "tracing.otlp.endpoint", "http://"),
    ("tracing: {otlp: {endpoint: 'http://c:4318'}}", "tracing.otlp.endpoint", "4317"),
    (
        "tracing: {otlp: {protocol: http/protobuf, endpoint: 'http://c:4317'}}",
        "tracing.otlp.endpoint",
        "4318",
    ),
    ("tracing: {otlp: {protocol: thrift}}", "tracing.otlp.protocol", "grpc"),
    ("tracing: {otlp: {headers: {grpc-timeout: s3cr3t-value}}}", "tracing.otlp.headers", "exporter itself"),
    ("tracing: {sampling: {ratio: 1.5}}", "tracing.sampling.ratio", "at most 1"),
    ("tracing: {spool: {max_bytes: 10}}", "tracing.spool.max_bytes", "1048576"),
    ("tracing: {redaction: {keys: none}}", "tracing.redaction.keys", "prefix"),
    ("tracing: {ui_url: 'http://jaeger:16686/trace/'}", "tracing.ui_url", "{trace_id}"),
    ("tracing: {service_name: ''}", "tracing.service_name", "1 to 128"),
    ("tracing: {resource: {1x: y}}", "tracing.resource.1x", "attribute name"),
    ("logging: {format: text}", "logging.format", "must be 'console' or 'json'"),
    ("logging: {filter: 'info,uploads=loud'}", "logging.filter", "item 2 does not end in a level"),
    ("logging: {otlp: true}", "logging.otlp", "set tracing.otlp.endpoint"),
    (BUCKETS + "[{name: abc, storage: local, limit: {}}]", "buckets[0].limit", "did you mean limits?"),
    (
        BUCKETS + "[{name: abc, storage: local, browser_uploads: true}]",
        "buckets[0].browser_uploads",
        "did you mean browser_upload?",
    ),
    (
        BUCKETS + '[{name: abc, storage: local, browser_upload: "yes"}]',
        "buckets[0].browser_upload",
        "true or false",
    ),
    (
        BUCKETS + "[{name: abc, storage: local, browser_upload: true, "
        "auth: {sigv4: {enabled: false}, anonymous: true}}]",
        "buckets[0].browser_upload",
        "set auth.sigv4.enabled to true",
    ),
    (
        BUCKETS + "[{name: abc, storage: local, limits: {max_object_byte: 1}}]",
        "buckets[0].limits.max_object_byte",
        "did you mean max_object_bytes?",
    ),
    (
        BUCKETS + "[{name: abc, storage: local, auths: {anonymous: true}}]",
        "buckets[0].auths",
        "did you mean auth",
    ),
    (
        STORAGE + "{backend: filesystem, location: x, locaton: x}}",
        "storages.s.locaton",
        "did you mean location?",
    ),
    (STORAGE + "{backend: s3, bucket: x}}", "storages.s.bucket", "is not a known key"),
    (STORAGE + "{backend: a.B, option: {}}}", "storages.s.option", "did you mean options?"),
    (f"access_keys: [{KEY[:-1]}, bucket: [x]}}]", "access_keys[0].bucket", "did you mean buckets?"),
    # Types.
    ("server: []", "server", "must be a mapping of keys to values"),
    ("server:", "server", "must be a mapping of keys to values"),
    ("server: {workers: '2'}", "server.workers", "must be a whole number"),
    ("server: {workers: 2.0}", "server.workers", "must be a whole number"),
    ("server: {workers: true}", "server.workers", "must be a whole number"),
    ("server: {workers: null}", "server.workers", "must be a whole number"),
    ("server: {bind: 8080}", "server.bind", "must be text; put it in quotes"),
    ("server: {drain_seconds: soon}", "server.drain_seconds", "must be a number"),
    ("server: {drain_seconds: .inf}", "server.drain_seconds", "must be a number"),
    ("server: {trusted_proxies: 10.0.0.1}", "server.trusted_proxies", "must be a list"),
    ("server: {trusted_proxies: {a: 1}}", "server.trusted_proxies", "must be a list"),
    ("storages: [x]", "storages", "must be a mapping of names to values"),
    ("buckets: {a: b}", "buckets", "must be a list"),
    ("buckets: [uploads]", "buckets[0]", "must be a mapping of keys to values"),
    (
        BUCKETS + "[{name: abc, storage: local, auth: {anonymous: yes}}]",
        "buckets[0].auth.anonymous",
        "must be true or false",
    ),
    # Ranges.
    ("server: {workers: 0}", "server.workers", "must be at least 1"),
    ("server: {threads: 5000}", "server.threads", "must be at most 4096"),
    ("server: {max_connections: -1}", "server.max_connections", "must be at least 1"),
    ("server: {body_stall_seconds: 0}", "server.body_stall_seconds", "must be at least 1"),
    ("multipart: {expiry_hours: 0.5}", "multipart.expiry_hours", "must be at least 1"),
    (
        BUCKETS + "[{name: abc, storage: local, limits: {max_part_bytes: 1024}}]",
        "buckets[0].limits.max_part_bytes",
        "must be at least 5242880",
    ),
    (
        BUCKETS + "[{name: abc, storage: local, limits: {max_parts: 10001}}]",
        "buckets[0].limits.max_parts",
        "must be at most 10000",
    ),
    # Server.
    ("server: {bind: localhost}", "server.bind", 'must be "host:port"'),
    ("server: {bind: 'localhost:0'}", "server.bind", 'must be "host:port"'),
    ("server: {bind: 'localhost:65536'}", "server.bind", 'must be "host:port"'),
    ("server: {bind: '::1:80'}", "server.bind", 'must be "host:port"'),
    ("server: {bind: 'http://localhost:80'}", "server.bind", 'must be "host:port"'),
    ("server: {domain: 'https://s3.example.org'}", "server.domain", "must be a host name without scheme"),
    ("server: {domain: ''}", "server.domain", "must be a host name without scheme"),
    (
        "server: {trusted_proxies: [10.0.0.1/8]}",
        "server.trusted_proxies[0]",
        "must be an IP address or a net",
    ),
    (
        'server: {trusted_proxies: ["::1", proxy]}',
        "server.trusted_proxies[1]",
        "must be an IP address or a net",
    ),
    ("server: {allowed_hosts: ['a.example:80']}", "server.allowed_hosts[0]", "must be a host name without"),
    # Secrets and keys.
    ("security: {secret_keys: [short]}", "security.secret_keys[0]", "must have at least 32 characters"),
    (f"security: {{secret_keys: [{'a' * 40}]}}", "security.secret_keys[0]", "10 of them different"),
    ("access_keys: [{access_key_id: AK1, principal: ci}]", "access_keys[0].secret_access_key", "is required"),
    (
        f"access_keys: [{{access_key_id: A/1, secret_access_key: {SECRET}, principal: ci}}]",
        "access_keys[0].access_key_id",
        "must be 3 to 128 letters",
    ),
    (
        "access_keys: [{access_key_id: AK1, secret_access_key: tooshort, principal: ci}]",
        "access_keys[0].secret_access_key",
        "must be 16 to 128 printable",
    ),
    (
        f"access_keys: [{{access_key_id: AK1, secret_access_key: {SECRET}, principal: ''}}]",
        "access_keys[0].principal",
        "must be 1 to 128 printable",
    ),
    (
        f"access_keys: [{{access_key_id: AK1, secret_access_key: {SECRET}, principal: anonymous}}]",
        "access_keys[0].principal",
        'must not be "anonymous"',
    ),
    (f"access_keys: [{KEY}, {KEY}]", "access_keys[1].access_key_id", "is used above already"),
    (f"access_keys: [{KEY[:-1]}, buckets: []}}]", "access_keys[0].buckets", "must not be empty"),
    (f"access_keys: [{KEY[:-1]}, buckets: [uplods]}}]", "access_keys[0].buckets[0]", "did you mean uploads?"),
    # Database.
    ("database: {url: mysql://u@h/db}", "database.url", "must be sqlite:///relative/path"),
    ("database: {url: 'sqlite://:memory:'}", "database.url", "must be sqlite:///relative/path"),
    ("database: {url: 'sqlite:///'}", "database.url", "must be sqlite:///relative/path"),
    (f"database: {{url: 'postgres://u:{SECRET}@h:x/db'}}", "database.url", "must be sqlite:///relative/path"),
    (f"database: {{url: '{SECRET}'}}", "database.url", "must be sqlite:///relative/path"),
    # Storages.
    ("storages: {}", "storages", "must not be empty"),
    ("storages: {a b: {backend: filesystem, location: x}}", "storages.a b", "must be a name of letters"),
    ("storages: {s: null}", "storages.s", "must be a mapping of keys to values"),
    (STORAGE + "{location: x}}", "storages.s.backend", "is required: filesystem, s3, or the dotted path"),
    (STORAGE + "{backend: gcs}}", "storages.s.backend", "must be filesystem, s3, or the dotted path"),
    (STORAGE + "{backend: [s3]}}", "storages.s.backend", "must be text"),
    (STORAGE + "{backend: filesystem}}", "storages.s.location", "is required"),
    (STORAGE + "{backend: filesystem, location: ''}}", "storages.s.location", "must be the path of a file"),
    (
        STORAGE + "{backend: s3, endpoint: s3.example.org}}",
        "storages.s.endpoint",
        "must be a URL without path",
    ),
    (STORAGE + "{backend: s3, endpoint: 'http://h/b'}}", "storages.s.endpoint", "must be a URL without path"),
    (STORAGE + "{backend: s3, endpoint: 'http://h:99999'}}", "storages.s.endpoint", "must be a URL without"),
    (
        STORAGE + f"{{backend: s3, endpoint: 'http://u:{SECRET}@h'}}}}",
        "storages.s.endpoint",
        "must be a URL without path and login",
    ),
    (
        STORAGE + "{backend: s3, addressing: dns}}",
        "storages.s.addressing",
        "must be 'path', 'virtual' or 'auto'",
    ),
    (STORAGE + "{backend: s3, access_key: AK}}", "storages.s", "access_key and secret_key go together"),
    (
        STORAGE + f"{{backend: s3, secret_key: {SECRET}}}}}",
        "storages.s",
        "access_key and secret_key go together",
    ),
    (STORAGE + f"{{backend: s3, session_token: {SECRET}}}}}", "storages.s", "session_token needs access_key"),
    (
        STORAGE + "{backend: s3, ca_file: /nowhere/ca.pem}}",
        "storages.s.ca_file",
        "must be a file that exists",
    ),
    (
        STORAGE + "{backend: s3, endpoint: 'http://h', ca_file: manage.py}}",
        "storages.s",
        "ca_file needs an https endpoint",
    ),
    (STORAGE + "{backend: s3, secret_key: ''}}", "storages.s.secret_key", "must not be empty"),
    # Buckets.
    ("buckets: []", "buckets", "must not be empty"),
    ("buckets: [{storage: local}]", "buckets[0].name", "is required"),
    ("buckets: [{name: ab, storage: local}]", "buckets[0].name", "must be a bucket name"),
    ("buckets: [{name: Uploads, storage: local}]", "buckets[0].name", "must be a bucket name"),
    ("buckets: [{name: a..b, storage: local}]", "buckets[0].name", "must be a bucket name"),
    ("buckets: [{name: 10.0.0.1, storage: local}]", "buckets[0].name", "must be a bucket name"),
    ("buckets: [{name: xn--abc, storage: local}]", "buckets[0].name", "that S3 keeps for itself"),
    ("buckets: [{name: abc-s3alias, storage: local}]", "buckets[0].name", "that S3 keeps for itself"),
    ("buckets: [{name: admin, storage: local}]", "buckets[0].name", "is a path of the gateway itself"),
    (
        "buckets: [{name: abc, storage: local}, {name: abc, storage: local}]",
        "buckets[1].name",
        "is used above already",
    ),
    ("buckets: [{name: abc, storage: lcal}]", "buckets[0].storage", "did you mean local?"),
    ("storages: {s: {backend: s3}}", "buckets[0].storage", "is not one of the storages; known are: s"),
    (
        "buckets: [{name: abc, storage: local, target: ../x}]",
        "buckets[0].target",
        "must be the name of a bucket",
    ),
    (
        "buckets: [{name: abc, storage: local, target: .x}]",
        "buckets[0].target",
        "must be the name of a bucket",
    ),
    (
        "buckets: [{name: abc, storage: local, prefix: a/../b}]",
        "buckets[0].prefix",
        "must be a relative path",
    ),
    ("buckets: [{name: abc, storage: local, prefix: /a}]", "buckets[0].prefix", "must be a relative path"),
    ("buckets: [{name: abc, storage: local, prefix: a//b}]", "buckets[0].prefix", "must be a relative path"),
    (
        'buckets: [{name: abc, storage: local, prefix: "a\\n"}]',
        "buckets[0].prefix",
        "must be a relative path",
    ),
    (
        "buckets: [{name: abc, storage: local, limits: {key_pattern: '['}}]",
        "buckets[0].limits.key_pattern",
        "must be a regular expression",
    ),
    (
        "buckets: [{name: abc, storage: local, limits: {content_types: [png]}}]",
        "buckets[0].limits.content_types[0]",
        "must be a content type in lower case",
    ),
    (
        "buckets: [{name: abc, storage: local, auth: {sigv4: {enabled: false}}}]",
        "buckets[0].auth",
        "lets nobody in",
    ),
    ("logging: {level: verbose}", "logging.level", "must be 'debug', 'info', 'warning' or 'error'"),
    # Variables.
    ("server: {bind: '${NOT_SET}'}", "server.bind", "environment variable NOT_SET is not set"),
    ("server: {workers: '${WORD}'}", "server.workers", "must be a whole number (the value comes from WORD)"),
    ("server: {bind: '${WORD:-x}'}", "server.bind", 'or "[::]:8080" (the value comes from WORD)'),
    ("database: {url: '${A_SECRET}'}", "database.url", "(the value comes from A_SECRET)"),
    ("buckets: [{name: abc, storage: '${A_SECRET}'}]", "buckets[0].storage", "is not one of the storages"),
    ("server: {bind: '${'}", "server.bind", "has a malformed variable"),
]

ENVIRON = {"WORD": "word", "A_SECRET": SECRET}


def faults_of(text: str, folder: Path) -> ConfigError:
    file = folder / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file, ENVIRON)
    return caught.value


@pytest.mark.parametrize(
    ("text", "path", "message"), FAULTS, ids=[f"{row[1]}-{n}" for n, row in enumerate(FAULTS)]
)
def test_names_the_key_and_what_would_be_right(text: str, path: str, message: str, tmp_path: Path) -> None:
    error = faults_of(text, tmp_path)
    assert len(error.faults) == 1, str(error)
    shown = str(error.faults[0])
    assert shown.startswith(f"{path}: ")
    assert message in shown


@pytest.mark.parametrize("text", [row[0] for row in FAULTS if SECRET in row[0] or "A_SECRET" in row[0]])
def test_no_message_repeats_a_secret(text: str, tmp_path: Path) -> None:
    error = faults_of(text, tmp_path)
    assert SECRET not in str(error) + repr(error)
    assert error.__context__ is None


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = """
        server: {workers: 0, bnd: x, domain: '${NOT_SET}'}
        storages: {local: {backend: filesystem}, s: {backend: s3, access_key: '${ALSO_NOT_SET}'}}
        access_keys: [{access_key_id: a, principal: b}]
        buckets: [{name: abc, storage: local}, {name: abc, storage: s}]
    """
    assert [str(fault).split(": ")[0] for fault in faults_of(text, tmp_path).faults] == [
        "server.domain",
        "storages.s.access_key",
        "server.workers",
        "server.bnd",
        "storages.local.location",
        "access_keys[0].access_key_id",
        "access_keys[0].secret_access_key",
        "buckets[1].name",
    ]


def test_the_error_names_the_file_and_counts_the_faults(tmp_path: Path) -> None:
    shown = str(faults_of("server: {workers: 0}", tmp_path)).splitlines()
    assert shown[0] == f"The configuration {tmp_path / 'config.yaml'} has 1 fault:"
    assert shown[1] == "  server.workers: must be at least 1"
