cimport cython


cdef class FixedAttributes(dict):
    cdef dict _together
    cdef readonly object number
    cdef public object weight
    cdef public tuple wire

    cpdef FixedAttributes plus(self, FixedAttributes others)
    cdef FixedAttributes _put_together(self, FixedAttributes others)
