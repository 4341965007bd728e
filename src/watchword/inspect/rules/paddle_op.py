"""paddle-op: A PaddlePaddle program does more than compute."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.paddle import PaddleFacts
from watchword.inspect.rules.rule import Rule

_ACTS_TEXT = """
    py_func py_layer run_program load load_combine save save_combine send recv send_v2 recv_v2 listen_and_serv
    fetch_barrier send_barrier c_gen_nccl_id gen_nccl_id checkpoint_notify prefetch distributed_lookup_table
    read_from_file create_custom_reader
"""
_ACTS = frozenset(_ACTS_TEXT.split())


def check(facts: PaddleFacts) -> Iterator[Oddity]:
    for op, offset in facts.operators.items():
        if op in _ACTS:
            given = next((value for other, _, value, _ in facts.texts if other == op), "")
            yield Oddity(RULE.id, offset, f"the operator {op} does more than compute", given)


RULE = Rule(
    id="paddle-op",
    title="A PaddlePaddle program does more than compute",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0018.001", "AML.T0011.000"),
    why=(
        "Operators that load or save files at a path of their own, call Python functions, or speak to other "
        "machines run with the rights of whoever runs the program."
    ),
    remediation="Do not run the program. Ask the supplier for one exported for inference.",
    reads=(PaddleFacts,),
    check=check,
)
