"""Whether what an audit would build on is whole: the ledger as it was read last, and the release in force."""

from __future__ import annotations

from releases.core.audit_flags import Flag
from releases.selectors import ledger
from releases.services.audit_parts import Part, as_json
from trading.selectors import releases as pointers
from trading.services import release_gate


def collect() -> Part:
    """Return a flag for a ledger that was found broken, and one for a release in force that is not what was signed."""
    check, row = ledger.checks().filter(done_at__isnull=False).first(), pointers.pointer()
    differs = release_gate.verified(row) if row is not None else []
    flags = []
    if check is not None and not check.sound:
        told = "; ".join(f"entry {each['seq']}: {each['why']}" for each in check.result.get("breaks", ())[:3])
        flags.append(Flag("ledger_broken", "ledger", f"the ledger is not as it was written: {told}"[:400]))
    if row is not None and differs:
        told = f"what is in force is not {row.release_id}: {'; '.join(differs)}"
        flags.append(Flag("release_differs", row.release_id, told[:400]))
    found = {
        "ledger": check.result if check is not None else None, "release": row.release_id if row is not None else None,
        "differences": differs,
    }  # fmt: skip
    return Part(flags=flags, files={"validation_results/integrity.json": as_json(found)})
