"""The exercise, and the simulated alliance (``world``, ``simulate``).

The exercise: five members answer, for a real model, "may we use this, and who says so?".

Every member is a separate process that runs the public commands in a folder of its own; nothing passes between them
but files. What is shown is what the commands printed.
"""
