"""Does anything in a delivery look planted? Screens that rank, list and say with how much power. Needs numpy.

Layers 1 and 2 of ``watchword data``: what provenance and exact differences (layer 0) leave open.
"""
