"""One module for each family of formats: parsers that give facts, and readers that report them (``exhibit.Format``).

Listed in ``identify``; nothing is imported here, so that a rule may name the facts of one format alone.
"""
