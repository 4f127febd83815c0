cimport cython

from .span cimport LightSpan
from .trace_buffer cimport TraceBuffer


@cython.final
cdef class LightTracer:
    cdef object _decided
    cdef object _head
    cdef object _new_span_id
    cdef object _scope
    cdef readonly object settings

    cpdef start_in(self, context, name, kind, attributes, links, start_time)
    @cython.locals(buffer=TraceBuffer)
    cdef _start_below(self, LightSpan parent, context, name, kind, attributes, links, start_time)
    @cython.locals(buffer=TraceBuffer)
    cdef _start_decided(self, parent, context, name, kind, attributes, links, start_time)
    cdef TraceBuffer _buffer_of(self, parent)
