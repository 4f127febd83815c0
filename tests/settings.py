"""The settings of the gateway with a var folder of their own, whatever the shell says."""

import atexit
import os
import shutil
import tempfile

_var = tempfile.mkdtemp(prefix="mizuchi-tests-")
atexit.register(shutil.rmtree, _var, ignore_errors=True)
os.environ["MIZUCHI_VAR"] = _var
os.environ.pop("MIZUCHI_CONFIG", None)

from mizuchi_site.settings import *  # noqa: E402, F403
from mizuchi_site.settings import DATABASES, STATIC_ROOT  # noqa: E402

STATIC_ROOT.mkdir()
DATABASES["traces"]["TEST"] = {"DEPENDENCIES": []}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
