cimport cython

from tracing_app.recording.span cimport has_failed


cdef class TailSampler:
    cdef public object policy
    cdef public object _sink
    cdef object _uploads
    cdef object _on_upload_kept
    cdef object _lock
    cdef object _kept_ids
    cdef object _kept
    cdef object _dropped

    cpdef offer(self, trace)
    cdef _judge(self, trace)
    cdef _late(self, trace_id)
    cdef _drop(self, trace, verdict, bint may_hold)
    cdef list _keep(self, trace, verdict, bint is_upload)
    cdef list _release(self, trace_id)
    cdef _remember(self, trace_id)


cdef _mark(root, verdict)
