"""What a process does, told to those who run it: as lines of a log, as counts and times, as traces.

* ``steps``     what is told: a step with its name, outcome and duration; nothing where nobody watches
* ``lines``     one JSON object for each, on stderr
* ``counts``    for Prometheus (extra ``observe``)
* ``spans``     to an OpenTelemetry collector (extra ``otel``)

It says how the machine does, and never what was asked, answered or held, by whom or of what.
"""
