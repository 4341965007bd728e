"""What a strict Ed25519 verifier refuses before it computes anything (docs/protocol.md, section 2).

Libraries disagree on encodings that are not canonical and on points of small order; with such a key or
signature two honest verifiers could differ. So all of watchword's verifiers refuse them alike:

* S at or above the group order L;
* A or R that is not the canonical encoding of its point (y at or above p, or a negative zero);
* A or R of small order (order dividing 8).

Not checked here: that A and R lie on the curve, and the equation itself. The library does both.
"""

from __future__ import annotations

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493

# The y coordinates of the eight points whose order divides 8: (0, 1), (0, -1), two with y = 0, and four of order 8 with
# y = ± the value below. A test multiplies random points by L and finds the same set.
_Y_OF_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
SMALL_ORDER_Y = frozenset({0, 1, P - 1, _Y_OF_ORDER_8, P - _Y_OF_ORDER_8})



def trouble(public: bytes, signature: bytes) -> str:
    """Why (public key, signature) is refused unread, or the empty text when nothing speaks against it."""
    if len(public) != 32:
        return f"public key has {len(public)} bytes, not 32"
    if len(signature) != 64:
        return f"signature has {len(signature)} bytes, not 64"
    if int.from_bytes(signature[32:], "little") >= L:
        return "S is not below the group order"
    for name, point in (("A", public), ("R", signature[:32])):
        number = int.from_bytes(point, "little")
        y = number & (2**255 - 1)
        if y >= P:
            return f"{name} is not canonically encoded"
        if y in SMALL_ORDER_Y:
            # Covers negative zero too: x = 0 only where y = ±1.
            return f"{name} has small order"
    return ""
