#!/usr/bin/python3
"""Runs Samba's black-box suite of DCE/RPC (samba.tests.dcerpc.raw_protocol, in Debian's python3-samba) against a server
on 127.0.0.1:135, and says for each test how it went.

  raw_protocol.py [--only GLOB] [--user U --password P --domain D] [--max-auth N] CLASS...

A test belongs to the classes of the facilities that its source mentions; it is run if all of them are given:

  plain     (every test) mgmt and epmapper on port 135
  ntlm      NTLM or SPNEGO with a user's credentials
  anonymous NTLM or SPNEGO without
  netlogon  the tests of fragments and cancels, which Samba runs against netlogon. Here they go to mgmt's inq_stats: it
            ignores what its stub has too much, and answers 12 octets that end in a zero status when asked for no counters
  krb5, smb never given: a KDC, a named pipe
"""
import argparse
import ast
import fnmatch
import importlib
import os
import signal
import sys
import tempfile
import unittest

MENTIONS = (
    ("reconnect_smb_pipe", "smb"), ("\\\\pipe", "smb"), ("AUTH_TYPE_KRB5", "krb5"),
    ("AUTH_TYPE_NTLMSSP", "ntlm"), ("AUTH_TYPE_SPNEGO", "ntlm"), ("get_user_creds", "ntlm"),
    ("get_anon_creds", "anonymous"), ("_get_netlogon_ctx", "netlogon"),
)
# NTLM signs headers whether it was agreed or not: what this one expects of an end that does not, only Kerberos does.
KRB5_IN_FACT = "test_spnego_multiple_auth_hdr_signing"
LIMIT_S = 60


def classes(path):
    """Test -> classes, by the source of the test and of what it calls."""
    source = open(path, encoding="utf-8").read()
    functions = {}
    for top in ast.parse(source).body:
        if isinstance(top, ast.ClassDef):
            functions.update((f.name, f) for f in top.body if isinstance(f, ast.FunctionDef))

    def reached(name, seen):
        if name in functions and name not in seen:
            seen.add(name)
            for node in ast.walk(functions[name]):
                if isinstance(node, ast.Attribute):
                    reached(node.attr, seen)
        return seen

    found = {}
    for name in functions:
        if name.startswith("test_"):
            text = "\n".join(ast.get_source_segment(source, functions[f]) for f in reached(name, set()) if f != "setUp")
            found[name] = {"plain"} | {tag for word, tag in MENTIONS if word in text}
            if name == KRB5_IN_FACT:
                found[name].add("krb5")
    return found


def netlogon_by_mgmt(suite, raw):
    """Sends the requests that are for netlogon's opnum 4 to mgmt's opnum 1."""
    from samba.dcerpc import base, mgmt

    def context(self):
        ctx, ack = self.prepare_presentation(
            mgmt.abstract_syntax(), base.transfer_syntax_ndr(), context_id=0, return_ack=True)
        self.by_mgmt = True
        return ctx, ack, b"\0" * 128

    generate = raw.RawDCERPCTest.generate_request

    def request(self, *args, **named):
        if getattr(self, "by_mgmt", False) and named.get("opnum") == 4:
            named["opnum"] = 1
        return generate(self, *args, **named)

    suite.TestDCERPC_BIND._get_netlogon_ctx = context
    raw.RawDCERPCTest.generate_request = request


def environment(args):
    place = tempfile.mkdtemp(prefix="despool-raw.")
    conf = os.path.join(place, "smb.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write("[global]\n")
        for kind in ("lock", "state", "cache"):
            file.write(f"\t{kind} directory = {place}\n")
        file.write(f"\tprivate dir = {place}\n\tworkgroup = {args.domain}\n\tlog level = 0\n")
    os.environ.update(
        SMB_CONF_PATH=conf, SERVER="127.0.0.1", TARGET_HOSTNAME="127.0.0.1", DOMAIN=args.domain,
        REALM=args.domain, USERNAME=args.user, PASSWORD=args.password, MAX_NUM_AUTH=args.max_auth)


def on_alarm(_signal, _frame):
    raise TimeoutError(f"not done within {LIMIT_S} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="*")
    parser.add_argument("--user", default="u")
    parser.add_argument("--password", default="p")
    parser.add_argument("--domain", default="WORKGROUP")
    parser.add_argument("--max-auth", default="8")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("classes", nargs="+")
    args = parser.parse_args()
    environment(args)
    suite = importlib.import_module("samba.tests.dcerpc.raw_protocol")
    raw = importlib.import_module("samba.tests.dcerpc.raw_testcase")
    suite.global_ndr_print = suite.global_hexdump = args.verbose
    if not args.verbose:
        # The suite tells of every wait that it expects to time out.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")
    belongs = classes(suite.__file__)
    given = set(args.classes)
    if "netlogon" in given:
        netlogon_by_mgmt(suite, raw)
    signal.signal(signal.SIGALRM, on_alarm)
    passed = failed = 0
    for name in sorted(belongs):
        if not belongs[name] <= given or not fnmatch.fnmatch(name, args.only):
            continue
        result = unittest.TestResult()
        signal.alarm(LIMIT_S)
        try:
            suite.TestDCERPC_BIND(name).run(result)
        finally:
            signal.alarm(0)
        bad = result.errors + result.failures + [(None, f"skipped: {why}") for _, why in result.skipped]
        if bad:
            failed += 1
            lines = bad[0][1].strip().splitlines()
            where = [line.strip() for line in lines if "raw_protocol.py" in line or "raw_testcase.py" in line]
            print(f"failed {name}: {lines[-1]}", *where, sep="\n    ", flush=True)
        else:
            passed += 1
    print(f"passed {passed} failed {failed}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
