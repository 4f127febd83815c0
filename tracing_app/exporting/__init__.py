from tracing_app.compiled import beside

__path__ = beside(__name__, __path__)
