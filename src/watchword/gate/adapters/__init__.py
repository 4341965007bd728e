"""Tools of agent frameworks behind the Python door: one module for each framework, which is imported where it is used.

* The tool that comes back has the name, the description and the arguments of the one that went in; its card is of that
  name, for the server ``python``.
* It runs with the arguments of exactly the bytes that the gate released. What is denied, or waits for people, is told
  to the agent as the tool's answer; the same call made again goes once people have approved.
* Not seen: tools that are given to the agent without ``gated``, and what a tool is handed beside its arguments.
"""
