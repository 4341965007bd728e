"""What may it be used for? Requirement tables, red lines, admission, and why.

* ``use_case``   the intended use, from a file a person writes
* ``pack``       requirement tables and red lines that people read and edit
* ``table``      the decision, as docs/protocol.md section 8 states it; pure
* ``cedar``      the same rows as Cedar policies, judged by an engine of others
* ``admission``  both; where they differ there is no decision
* ``explain``    why, who owes what, and what speaks to each principle
"""
