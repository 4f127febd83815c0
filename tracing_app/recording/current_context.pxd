cpdef with_current(span, context)
cpdef leave(token)
