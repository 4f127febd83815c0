"""A finished trace of plain spans as OTLP bytes: what ``otlp_wire`` makes of it, written at once.

Compiled only (``tracing_app.compiled``). It knows what nearly every request leaves: spans of one scope to which
nothing was dropped, linked or failed, with texts, numbers and truth values. Anything else is left to
``otlp_wire``, which a test holds equal to this, byte for byte.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItem, PyDict_Next, PyDict_SetItem
from cpython.exc cimport PyErr_Clear
from cpython.long cimport PyLong_AsUnsignedLongLong
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.object cimport PyObject
from libc.string cimport memcpy, memmove

from opentelemetry.trace import DEFAULT_TRACE_STATE

from tracing_app.recording.fixed cimport FixedAttributes
from tracing_app.recording.span cimport LightSpan

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size)
    long long PyLong_AsLongLongAndOverflow(object value, int *overflow)

cdef object _default_state = DEFAULT_TRACE_STATE
cdef dict _keys = {}  # the field of an attribute's name, by the name
cdef Py_ssize_t _MAX_KEYS = 512
cdef Py_ssize_t _ROOM = 4096  # for a span beside its texts


cdef class _Bytes:
    """Memory that grows."""

    cdef char *at
    cdef Py_ssize_t used
    cdef Py_ssize_t size

    def __cinit__(self):
        self.size = 8192
        self.used = 0
        self.at = <char *>PyMem_Malloc(self.size)
        if self.at is NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.at)

    cdef int reserve(self, Py_ssize_t more) except -1:
        """Make room for so many bytes."""
        cdef Py_ssize_t size = self.size
        cdef char *moved
        if self.used + more > size:
            while self.used + more > size:
                size *= 2
            moved = <char *>PyMem_Realloc(self.at, size)
            if moved is NULL:
                raise MemoryError
            self.at, self.size = moved, size
        return 0

    cdef inline void byte(self, int value) noexcept:
        self.at[self.used] = <char>value
        self.used += 1

    cdef inline void varint(self, unsigned long long value) noexcept:
        while value > 127:
            self.byte(<int>(value & 127) | 128)
            value >>= 7
        self.byte(<int>value)

    cdef inline void fixed64(self, unsigned long long value) noexcept:
        """Eight bytes, the lowest first."""
        cdef char *at = self.at + self.used
        cdef int index
        for index in range(8):
            at[index] = <char>(value >> 8 * index)
        self.used += 8

    cdef inline void id64(self, unsigned long long value) noexcept:
        """Eight bytes, the highest first."""
        cdef char *at = self.at + self.used
        cdef int index
        for index in range(8):
            at[index] = <char>(value >> 56 - 8 * index)
        self.used += 8

    cdef inline void copy(self, const char *source, Py_ssize_t size) noexcept:
        memcpy(self.at + self.used, source, size)
        self.used += size


cdef inline Py_ssize_t _varint_size(unsigned long long value) noexcept:
    cdef Py_ssize_t size = 1
    while value > 127:
        value >>= 7
        size += 1
    return size


def encode_plain(spans, trace_id, common_of):
    """The fields of a ``ScopeSpans`` for these spans, or None where ``otlp_wire`` is to encode them.

    ``common_of`` makes what spans of one kind have in common; it is kept with their fixed attributes.
    """
    cdef _Bytes out = _Bytes()
    cdef bytes id_bytes = trace_id.to_bytes(16, "big")
    cdef object scope = None
    cdef LightSpan span
    for each in spans:
        if type(each) is not LightSpan:
            return None
        span = each
        if scope is None:
            scope = span.scope
        if span.scope is not scope or not span.is_plain or span.trace_state is not _default_state:
            return None
        if not _append_span(out, span, id_bytes, common_of):
            return None
    return PyBytes_FromStringAndSize(out.at, out.used)


cdef bint _append_span(_Bytes out, LightSpan span, bytes trace_id, common_of) except -1:
    cdef bytes common = _common(span, common_of)
    cdef Py_ssize_t began, length, length_size
    out.reserve(_ROOM + PyBytes_GET_SIZE(common))
    out.byte(0x12)
    began = out.used + 2  # most need two bytes for their length
    out.used = began
    out.byte(0x0A)
    out.byte(16)
    out.copy(PyBytes_AS_STRING(trace_id), 16)
    out.byte(0x12)
    out.byte(8)
    out.id64(PyLong_AsUnsignedLongLong(span.span_id))
    if span.parent_span_id:
        out.byte(0x22)
        out.byte(8)
        out.id64(PyLong_AsUnsignedLongLong(span.parent_span_id))
    out.byte(0x39)
    out.fixed64(PyLong_AsUnsignedLongLong(span.start_ns))
    out.byte(0x41)
    out.fixed64(PyLong_AsUnsignedLongLong(span.end_ns))
    out.copy(PyBytes_AS_STRING(common), PyBytes_GET_SIZE(common))
    if not (_append_attributes(out, span.varied) and _append_events(out, span.raw_events)):
        return False
    out.reserve(16)
    out.byte(0x7A)
    out.byte(0)
    length = out.used - began
    length_size = _varint_size(length)
    if length_size != 2:
        memmove(out.at + began - 2 + length_size, out.at + began, length)
    out.used = began - 2
    out.varint(length)
    out.used += length
    return True


cdef bytes _common(LightSpan span, common_of):
    cdef FixedAttributes fixed = span.fixed
    cdef tuple kept = fixed.wire
    if (
        kept is not None
        and kept[0] is span.name
        and kept[1] is span.kind
        and kept[2] is span.trace_flags
        and kept[3] is span.is_parent_remote
    ):
        return kept[4]
    common = common_of(span)
    fixed.wire = (span.name, span.kind, span.trace_flags, span.is_parent_remote, common)
    return common


cdef bint _append_attributes(_Bytes out, dict attributes) except -1:
    """The field of each, ``Span.attributes``; False for a value that is not plain."""
    cdef PyObject *key
    cdef PyObject *value
    cdef Py_ssize_t position = 0
    while PyDict_Next(attributes, &position, &key, &value):
        if not _append_pair(out, <object>key, <object>value):
            return False
    return True


cdef bint _append_pair(_Bytes out, key, value) except -1:
    cdef bytes name = _key(key)
    cdef Py_ssize_t name_size = PyBytes_GET_SIZE(name)
    cdef Py_ssize_t size = 0, inner
    cdef const char *text = NULL
    cdef int overflow = 0
    cdef long long number = 0
    cdef double fraction
    cdef unsigned long long bits
    cdef object kind = type(value)
    if kind is str:
        text = PyUnicode_AsUTF8AndSize(value, &size)
        if text is NULL:
            PyErr_Clear()
            return False
        inner = 1 + _varint_size(size) + size
    elif kind is bool:
        inner = 2
    elif kind is int:
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow:
            return False
        inner = 1 + _varint_size(<unsigned long long>number)
    elif kind is float:
        inner = 9
    else:
        return False
    out.reserve(64 + name_size + size)
    out.byte(0x4A)
    out.varint(name_size + 1 + _varint_size(inner) + inner)
    out.copy(PyBytes_AS_STRING(name), name_size)
    out.byte(0x12)
    out.varint(inner)
    if kind is str:
        out.byte(0x0A)
        out.varint(size)
        out.copy(text, size)
    elif kind is bool:
        out.byte(0x10)
        out.byte(1 if value else 0)
    elif kind is int:
        out.byte(0x18)
        out.varint(<unsigned long long>number)
    else:
        fraction = value
        memcpy(&bits, &fraction, 8)
        out.byte(0x21)
        out.fixed64(bits)
    return True


cdef bytes _key(key):
    """The field of an attribute's name."""
    cdef PyObject *kept = PyDict_GetItem(_keys, key)
    cdef bytes text, field
    if kept is not NULL:
        return <bytes>kept
    text = key.encode("utf-8", "replace")
    field = b""
    if text:
        field = b"\x0a" + _varint_bytes(len(text)) + text
    if len(_keys) >= _MAX_KEYS:
        _keys.clear()
    if len(text) <= 128:
        PyDict_SetItem(_keys, key, field)
    return field


cdef bytes _varint_bytes(unsigned long long value):
    cdef _Bytes out = _Bytes()
    out.varint(value)
    return PyBytes_FromStringAndSize(out.at, out.used)


cdef bint _append_events(_Bytes out, events) except -1:
    """The field of each, ``Span.events``; False for one that says more than its name and time."""
    cdef tuple event
    cdef Py_ssize_t size = 0, field
    cdef const char *name
    cdef unsigned long long time_ns
    for each in events:
        event = each
        if event[2] or event[3]:
            return False
        name = PyUnicode_AsUTF8AndSize(event[0], &size)
        if name is NULL:
            PyErr_Clear()
            return False
        time_ns = PyLong_AsUnsignedLongLong(event[1])
        out.reserve(64 + size)
        field = 1 + _varint_size(size) + size if size else 0
        out.byte(0x5A)
        out.varint(9 + field)
        if size:
            out.byte(0x12)
            out.varint(size)
            out.copy(name, size)
        out.byte(0x09)
        out.fixed64(time_ns)
    return True
