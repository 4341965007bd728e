"""watchword: AI-security assurance for an alliance. See docs/ for what each room answers."""

__version__ = "0.1.0"
