cimport cython

from .attributes cimport clean_attributes, clean_value
from .fixed cimport FixedAttributes

from .trace_buffer cimport TraceBuffer


@cython.final
cdef class LightSpan:
    cdef object __weakref__
    cdef public TraceBuffer buffer
    cdef bint _is_local_root
    cdef bint _has_ended
    cdef bint _records_exception
    cdef bint _sets_status_on_exception
    cdef public bint is_plain
    cdef public bint is_parent_remote
    cdef public unsigned int dropped_attributes
    cdef public unsigned int dropped_events
    cdef public unsigned int dropped_links
    cdef public object scope
    cdef public object span_id
    cdef public object trace_flags
    cdef public object trace_state
    cdef public object parent_span_id
    cdef public object name
    cdef public object kind
    cdef public object start_ns
    cdef public object end_ns
    cdef public object status_code
    cdef public object status_description
    cdef public object links
    cdef public object raw_events
    cdef public FixedAttributes fixed
    cdef public dict varied
    cdef public object later
    cdef object _context
    cdef list _links

    cpdef begin(
        self,
        TraceBuffer buffer,
        bint is_local_root,
        scope,
        span_id,
        trace_flags,
        trace_state,
        parent_span_id,
        bint is_parent_remote,
        name,
        kind,
        attributes,
        start_time,
    )
    @cython.locals(buffer=TraceBuffer)
    cdef _keep_attributes(self, attributes)
    cdef _drop_attributes(self, int count)
    cdef _replace_oldest_event(self, list events, event)
    cdef _description(self, code, description)
    cdef _warn_ended(self, call)
    @cython.locals(attributes=dict, buffer=TraceBuffer)
    cpdef set_attribute(self, key, value)
    @cython.locals(present=dict, cleaned=dict, buffer=TraceBuffer)
    cpdef set_attributes(self, attributes)
    cpdef add_fixed(self, attributes)
    @cython.locals(events=list, buffer=TraceBuffer, count=Py_ssize_t)
    cpdef add_moments(self, moments)
    cpdef update_name(self, name)
    cpdef describe_later(self, make)
    @cython.locals(buffer=TraceBuffer)
    cpdef complete(self)
    cpdef bint is_recording(self)
    @cython.locals(buffer=TraceBuffer, varied=dict, fixed=FixedAttributes)
    cpdef end(self, end_time=*)


cpdef bint has_failed(spans)
cdef bint _is_plain(LightSpan span)
