"""Derives the data that pickles are judged by, from the sources of Python and of the frameworks: ``README.md``."""
