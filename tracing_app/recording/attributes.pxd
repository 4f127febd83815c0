cimport cython


@cython.locals(cleaned=dict)
cpdef tuple clean_attributes(attributes, Py_ssize_t max_count, Py_ssize_t max_length)
cdef _clean_into(dict attributes, key, value, Py_ssize_t max_length)
cpdef clean_value(value, Py_ssize_t max_length, int depth=*)
cdef _clean_collection(value, Py_ssize_t max_length, int depth)
cpdef is_valid_key(key)
