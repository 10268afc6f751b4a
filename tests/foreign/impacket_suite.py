"""impacket's own tests of DCE/RPC, its endpoint mapper and its management interface, from its source archive.

    impacket_suite.py SOURCE HOST DOMAIN USER PASSWORD

Says a line for each of them: its name and "ok", or what went wrong. Those over SMB and by Kerberos are left out, since
there is neither here; upstream they are run by pytest, of which they need no more than a name for their mark.
"""
import binascii
import sys
import types
import unittest

SOURCE, HOST, DOMAIN, USER, PASSWORD = sys.argv[1:]
sys.path.insert(0, SOURCE)
sys.modules["pytest"] = types.SimpleNamespace(mark=types.SimpleNamespace(remote=lambda tests: tests))

from impacket import ntlm  # noqa: E402
from tests import RemoteTestCase  # noqa: E402
from tests.SMB_RPC import test_rpcrt  # noqa: E402
from tests.dcerpc import test_epm, test_mgmt  # noqa: E402


def target(self, **_):
    """What upstream reads from a configuration file."""
    self.machine = self.serverName = HOST
    self.domain, self.username, self.password = DOMAIN, USER, PASSWORD
    hashes = ntlm.compute_lmhash(PASSWORD), ntlm.compute_nthash(PASSWORD)
    self.lmhash, self.nthash = (binascii.hexlify(octets).decode() for octets in hashes)


class Lines(unittest.TestResult):
    """Tells of each test in a line of its own on stderr; impacket fills stdout with what it hears."""

    def line(self, test, outcome):
        print(f"{type(test).__name__}.{test._testMethodName}: {outcome}", file=sys.stderr)

    def addSuccess(self, test):
        self.line(test, "ok")

    def addFailure(self, test, error):
        self.line(test, f"{error[0].__name__}: {error[1]}")

    addError = addFailure


RemoteTestCase.set_transport_config = target
CLASSES = [
    test_epm.EPMTestsTCPTransport,
    test_epm.EPMTestsTCPTransport64,
    test_mgmt.MGMTTestsTCPTransport,
    test_mgmt.MGMTTestsTCPTransport64,
    test_rpcrt.RPCRTTestsTCPTransport,
]
# This one logs on by Kerberos, too.
KERBEROS = ["Kerberos", "test_bigRequestMustFragment"]
found = [test for tests in map(unittest.defaultTestLoader.loadTestsFromTestCase, CLASSES) for test in tests]
fit = [test for test in found if not any(name in test._testMethodName for name in KERBEROS)]
unittest.TestSuite(fit).run(Lines())
