cimport cython


@cython.final
cdef class TraceBuffer:
    cdef public object settings
    cdef public object clock
    cdef public object trace_id
    cdef public Py_ssize_t dropped_spans
    cdef public Py_ssize_t events_left
    cdef public Py_ssize_t spans_left
    cdef readonly Py_ssize_t max_attributes
    cdef readonly Py_ssize_t max_events
    cdef readonly Py_ssize_t max_length
    cdef list _spans
    cdef bint _is_closed

    cpdef keep(self, span)
    cpdef close(self, local_root)
