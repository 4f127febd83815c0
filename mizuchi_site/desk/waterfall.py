"""One trace as a waterfall: every span of every request that shares its id."""

from __future__ import annotations

from .page import DeskView


class Waterfall(DeskView):
    """A trace of the store."""

    title = "Trace"
    permission = "mizuchi_site.view_traces"
    template_name = "desk/waterfall.html"
