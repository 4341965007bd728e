"""The figures that watchword promises, measured on this machine beside a peer: ``make bench``.

A benchmark is a module here with ``run() -> list[Row]`` (see ``table``). It is found by being here.
"""
