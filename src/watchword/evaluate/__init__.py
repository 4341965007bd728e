"""How a system behaves under attack: a plan fixed beforehand, a run that anybody can repeat, counts with intervals.

* ``plan``      what is fixed before the run, and what in it cannot work (docs/protocol.md, section 12)
* ``draw``      the seed and the sample, from a head that nobody knew when the plan was made
* ``samples``   the data, as instances
* ``subjects``  what is evaluated: ONNX, a Python factory in a sandbox, HTTP endpoints
* ``attacks``   what it is attacked with: with gradients; ``fab``, ``blackbox``, ``ensemble``; ``edits`` for texts and
  files
* ``run``       a run: resumed where it was cut off, within bounded memory
* ``flags``     what makes a result suspect

A figure here is a bound for the attacks that were tried, and no more: another attack can only lower it. Knows nothing
of ledgers, keys or policy; ``record.evaluating`` makes statements of what is found.
"""
