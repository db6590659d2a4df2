"""What Schemathesis is told beside fuzz.toml."""

import schemathesis

# A media type that it cannot write by itself.
schemathesis.serializer.alias("application/x-ndjson", "text/plain")
