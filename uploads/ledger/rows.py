"""Upload records as rows, inserted by a statement that Django compiles once.

``Model.objects.create`` compiles the same INSERT again for each record, which costs more than the database
does. The columns, their defaults and how a value is prepared for the database are the model's all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql import InsertQuery

from uploads.models import UploadRecord, WebhookDelivery

Row = Mapping[str, Any]
"""Values by the names of their fields, each of the very type of its field; what it lacks has its default."""


class AnnouncedRow(dict[str, Any]):
    """A row, and the deliveries that are written in the same transaction."""

    __slots__ = ("deliveries",)

    def __init__(self, values: Row, deliveries: Sequence[WebhookDelivery]) -> None:
        super().__init__(values)
        self.deliveries = deliveries


MAX_ROWS: Final = 32
"""So many at once."""

_SAMPLES: Final[Mapping[str, object]] = {
    "CharField": "text",
    "TextField": "text",
    "IntegerField": 1 << 20,
    "BigIntegerField": 1 << 40,
    "FloatField": 0.5,
}
_MOMENT: Final = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)
_FIELDS: Final = [field for field in UploadRecord._meta.concrete_fields if not field.primary_key]
_Prepare = Callable[[Any, BaseDatabaseWrapper], Any]


class _Statement:
    """The INSERT as one kind of database wants it."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        query = InsertQuery(UploadRecord)
        query.insert_values(_FIELDS, [UploadRecord()])
        ((sql, _),) = query.get_compiler(connection=connection).as_sql()
        self._sql: str = sql
        self._sqlite_sql = sql.replace("%s", "?")
        self._is_sqlite = connection.vendor == "sqlite"
        self._defaults = {field.attname: getattr(UploadRecord(), field.attname) for field in _FIELDS}
        self._preparations = [
            (position, prepare)
            for position, field in enumerate(_FIELDS)
            if (prepare := _preparation(field, connection)) is not None
        ]
        self._one_more = f", ({', '.join(['%s'] * len(_FIELDS))})"
        if not self._sql.endswith(self._one_more[2:]):
            raise RuntimeError(f"an INSERT that nobody foresaw: {self._sql}")

    def execute(self, rows: Sequence[Row], connection: BaseDatabaseWrapper) -> None:
        values = [self._values(row, connection) for row in rows]
        if not self._is_sqlite or connection.queries_logged or connection.execute_wrappers:
            with connection.cursor() as cursor:
                cursor.execute(self._sql + self._one_more * (len(rows) - 1), [*chain.from_iterable(values)])
            return
        # Django looks for its placeholders again each time, and for an event loop three times, which takes
        # longer than the database does.
        connection.validate_no_broken_transaction()
        if connection.connection is None:
            connection.ensure_connection()
        with connection.wrap_database_errors:
            self._execute_in_sqlite(values, connection)

    def _execute_in_sqlite(self, rows: Sequence[list[Any]], connection: BaseDatabaseWrapper) -> None:
        """By one small statement, however many there are: each connection keeps those that it executed, and
        one of 32 rows takes 120 KiB."""
        sqlite = connection.connection
        if len(rows) == 1:
            sqlite.execute(self._sqlite_sql, rows[0]).close()
        elif connection.in_atomic_block:
            with transaction.atomic(using=connection.alias):  # a savepoint
                sqlite.executemany(self._sqlite_sql, rows).close()
        else:
            with sqlite:  # commits what it finds begun, or rolls it back
                sqlite.execute("BEGIN IMMEDIATE").close()
                sqlite.executemany(self._sqlite_sql, rows).close()

    def _values(self, row: Row, connection: BaseDatabaseWrapper) -> list[Any]:
        values = [*{**self._defaults, **row}.values()]  # what the defaults have stays in their order
        if len(values) != len(_FIELDS):
            raise KeyError(*row.keys() - self._defaults)
        for position, prepare in self._preparations:
            values[position] = prepare(values[position], connection)
        return values


def _preparation(field: Any, connection: BaseDatabaseWrapper) -> _Prepare | None:
    """None when this database takes a value of the field's type as it is; where Django does something
    simple in many calls, the same in one."""
    prepare: _Prepare = field.get_db_prep_save
    match field.get_internal_type():
        case "DateTimeField":
            return _moments(prepare, prepare(_MOMENT, connection))
        case "JSONField":
            return _documents(prepare, prepare({}, connection))
        case kind:
            sample = _SAMPLES.get(kind)
            return None if sample is not None and prepare(sample, connection) is sample else prepare


def _moments(prepare: _Prepare, sample: object) -> _Prepare | None:
    if sample is _MOMENT:
        return None
    if sample != str(_MOMENT.replace(tzinfo=None)):
        return prepare

    def as_text(value: datetime | None, connection: BaseDatabaseWrapper) -> Any:
        if value is not None and value.tzinfo is UTC:
            return str(value.replace(tzinfo=None))
        return prepare(value, connection)

    return as_text


def _documents(prepare: _Prepare, empty: object) -> _Prepare:
    return lambda value, connection: prepare(value, connection) if value else empty


_statements: dict[str, _Statement] = {}


def insert(rows: Sequence[Row], using: str | None = None) -> None:
    """Insert at most ``MAX_ROWS`` records, all or none, in one transaction; with deliveries to webhooks, in
    one with those.

    ``using`` is the database, the one of records unless named. Raises DatabaseError, and ValueError for
    what no database can hold.
    """
    connection = connections[using or router.db_for_write(UploadRecord)]
    statement = _statements.get(connection.alias)
    if statement is None:
        statement = _statements[connection.alias] = _Statement(connection)
    deliveries = [each for row in rows if type(row) is AnnouncedRow for each in row.deliveries]
    if not deliveries:
        statement.execute(rows, connection)
        return
    with transaction.atomic(using=connection.alias):
        statement.execute(rows, connection)
        WebhookDelivery.objects.using(connection.alias).bulk_create(deliveries)
