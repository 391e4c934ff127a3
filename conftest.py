"""What every test may rely on: a data folder of its own and a clock that can be stopped."""

import os
import tempfile

os.environ.setdefault("STADTHERZ_DATA", tempfile.mkdtemp(prefix="stadtherz-test-"))
os.environ.setdefault("STADTHERZ_SECRET_KEY", "only-for-tests-" + "x" * 40)
