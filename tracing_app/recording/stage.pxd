cimport cython

from .current_context cimport leave, with_current
from .span cimport LightSpan
from .tracer cimport LightTracer


cdef class Instruments:
    cdef public object tracer
    cdef public object redactor
    cdef public object baggage_hosts


cdef class Stage:
    cdef LightSpan _light
    cdef object _span

    @cython.locals(light=LightSpan)
    cpdef set(self, name, value)
    @cython.locals(light=LightSpan)
    cpdef set_all(self, attributes)
    @cython.locals(light=LightSpan)
    cpdef events(self, moments)


cdef class stage(Stage):
    cdef object _attributes
    cdef object _kind
    cdef object _name
    cdef object _token

    cpdef begin(self, span, context)


cpdef start_in(tracer, context, name, kind, attributes, links)
cdef _start_light(LightTracer tracer, context, name, kind, attributes, links)
cpdef under_way()
cdef _current_span()
