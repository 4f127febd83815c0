cpdef attribute_of(span, name)
