"""A view that was decided in is found again, and a list of heads that nobody signed is no view."""

from __future__ import annotations

from pathlib import Path

import pytest
from alliance import MAIL, RELEASE, make_alliance, quick_disk

from watchword.node import NotHere
from watchword.node.viewing import NoView, view_of
from watchword.policy.admission import admit
from watchword.statements.times import rfc3339


def test_the_view_of_a_decision_is_found_by_the_decision_and_by_its_digest(tmp_path: Path) -> None:
    """As it was, though more is known by now; what was decided in no view, or is not held, has none.

    Seen to fail with the comparison of heads removed: a view object with another root was then taken for proven.
    """
    with quick_disk():
        alfa = make_alliance(tmp_path / "alliance", ("ALFA",)).nodes["ALFA"]
        view = alfa.latest_view()
        now = rfc3339(alfa.clock.now())
        admission = admit(alfa.charter, view, alfa.facts(view), now, RELEASE, MAIL)
        made = alfa.record_decision(admission.decision, admission.objects)
        alfa.publish()
        assert alfa.latest_view().digest != view.digest
        assert view_of(alfa, made.locator) == view_of(alfa, made.id) == view_of(alfa, view.digest) == view
        forged = view.value()
        forged["heads"]["alfa.example/ledger"]["root"] = "A" * 43 + "="
        digest = alfa.keep_object(forged)
        with pytest.raises(NotHere):
            view_of(alfa, "sha256:" + "0" * 64)
        with pytest.raises(NoView, match="not kept here with its signed heads"):
            view_of(alfa, digest)
        alfa.store._view_notes[digest] = alfa.store.view_notes(view.digest) or {}
        with pytest.raises(NoView, match=r"no signed head of .* is kept here"):
            view_of(alfa, digest)
        alfa.close()
