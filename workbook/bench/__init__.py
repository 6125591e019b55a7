"""What `make` runs: notebooks built, merged, checked and exported."""

import sys

# jsonschema would build a grammar of international URLs at its import: two seconds in
# each process that reads a notebook, and no notebook has a field of that kind.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
