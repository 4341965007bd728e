"""Evidence becomes statements: what was found is put into the fields of its kind, signed and appended, once.

* Evidence that this member already recorded the same day, word for word but for its time and its attachments' salts, is
  not recorded again: the first statement is returned. So a run that was cut off can simply be run again. Evidence that
  a notice names is not the same any more, and is recorded anew.
* Attachments are stored before the statement that names them: a statement never names what was not kept.
"""

from __future__ import annotations

from watchword.record.bill import Bill, bill_of, bill_of_materials
from watchword.record.card import Card, ReleaseChanged, read_card
from watchword.record.recording import record_bill, record_first_screening, record_inspection, record_screening

__all__ = [
    "Bill",
    "Card",
    "ReleaseChanged",
    "bill_of",
    "bill_of_materials",
    "read_card",
    "record_bill",
    "record_first_screening",
    "record_inspection",
    "record_screening",
]
