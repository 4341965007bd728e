"""The main job, ``watchword assure``: inspect, bill of materials, sign, append, decide, explain, write the page."""

from watchword.assure.embedded import InTheWay, embedded_node
from watchword.assure.job import Assured, assure, decide, decision_page, render_text

__all__ = ["Assured", "InTheWay", "assure", "decide", "decision_page", "embedded_node", "render_text"]
