"""impacket's DCE/RPC client against our server: the endpoint mapper and mgmt in both transfer syntaxes, bind variants,
levels of protection, long calls, faults.

    impacket_rpc.py HOST MAPPER_PORT PORT INTERFACE DOMAIN USER PASSWORD

INTERFACE is one that gives back what it gets, by operations 0 and 1, and is mapped to PORT. Prints a line for each check.
"""

import itertools
import sys

from impacket.dcerpc.v5 import epm, mgmt, transport
from impacket.dcerpc.v5.rpcrt import (
    DCERPCException, RPC_C_AUTHN_LEVEL_CONNECT, RPC_C_AUTHN_LEVEL_NONE, RPC_C_AUTHN_LEVEL_PKT_INTEGRITY,
    RPC_C_AUTHN_LEVEL_PKT_PRIVACY)
from impacket.uuid import bin_to_uuidtup, uuidtup_to_bin

HOST, MAPPER, PORT, INTERFACE, DOMAIN, USER, PASSWORD = sys.argv[1:]
ECHO = uuidtup_to_bin((INTERFACE, "1.0"))
NDR = ("8a885d04-1ceb-11c9-9fe8-08002b104860", "2.0")
NDR64 = ("71710533-beba-4937-8319-b5dbef9ccc36", "1.0")
LEVELS = {"none": RPC_C_AUTHN_LEVEL_NONE, "connect": RPC_C_AUTHN_LEVEL_CONNECT,
          "integrity": RPC_C_AUTHN_LEVEL_PKT_INTEGRITY, "privacy": RPC_C_AUTHN_LEVEL_PKT_PRIVACY}


def connect(port, level="none", password=PASSWORD):
    rpc = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{HOST}[{port}]")
    rpc.set_credentials(USER, password, DOMAIN)
    dce = rpc.get_dce_rpc()
    if LEVELS[level] != RPC_C_AUTHN_LEVEL_NONE:
        dce.set_auth_level(LEVELS[level])
    dce.connect()
    return dce


def bound(port, interface, level="none", syntax=NDR, **named):
    dce = connect(port, level)
    dce.bind(interface, transfer_syntax=syntax, **named)
    return dce


def mapper(syntax):
    """For impacket's helpers, which bind what they are given themselves, and in NDR only."""
    dce = bound(MAPPER, epm.MSRPC_UUID_PORTMAP, syntax=syntax)
    dce.bind = lambda *_: None
    return dce


def echo(dce, stub, opnum=0):
    dce.call(opnum, stub)
    return dce.recv()


def fails(act, status):
    """Holds that this ends in an exception of this status: a number, or a part of impacket's text for it."""
    try:
        act()
    except DCERPCException as error:
        said = error.error_code if isinstance(status, int) else f"{error} {error.error_string}"
        assert status == said or str(status) in str(said), (said, error.error_string)
        return
    raise AssertionError("no exception")


def mapped(syntax):
    found = epm.hept_map(HOST, ECHO, protocol="ncacn_ip_tcp", dce=mapper(syntax))
    assert found == f"ncacn_ip_tcp:{HOST}[{PORT}]", found


def unmapped(syntax):
    unknown = uuidtup_to_bin(("0b6edbfa-4a24-4fc6-8a23-942b1eca65d1", "9.0"))
    dce = mapper(syntax)
    fails(lambda: epm.hept_map(HOST, unknown, protocol="ncacn_ip_tcp", dce=dce), 0x16c9a0d6)


def looked_up(syntax):
    dce = mapper(syntax)
    entries = epm.hept_lookup(None, dce=dce)
    towers = [entry["tower"]["Floors"] for entry in entries]
    assert len(entries) == 10, len(entries)
    assert {epm.PrintStringBinding(floors) for floors in towers} == {f"ncacn_ip_tcp:{HOST}[{PORT}]"}
    notes = {bytes(entry["annotation"]) for entry in entries}
    assert notes == {b"an interface that gives back what it gets\0"}, notes


def looked_up_by_interface(syntax):
    dce = mapper(syntax)
    entries = epm.hept_lookup(None, inquiry_type=epm.RPC_C_EP_MATCH_BY_IF, ifId=ECHO, dce=dce)
    assert len(entries) == 1, len(entries)


def managed(syntax):
    dce = bound(PORT, mgmt.MSRPC_UUID_MGMT, syntax=syntax)
    ids = mgmt.hinq_if_ids(dce)["if_id_vector"]
    known = {bin_to_uuidtup(entry["Data"].getData())[0].lower() for entry in ids["if_id"]}
    assert INTERFACE in known and len(known) == 11, known
    assert mgmt.his_server_listening(dce)["status"] == 0
    assert len(mgmt.hinq_stats(dce)["statistics"]) == 4
    name = mgmt.hinq_princ_name(dce, 9, 100)
    assert (name["status"], b"".join(name["princ_name"])) == (0, b"host/localhost\0"), name.dump()
    assert mgmt.hinq_princ_name(dce, 99, 100)["status"] == 0x6d3
    assert mgmt.hinq_princ_name(dce, 9, 14)["status"] == 122
    fails(lambda: mgmt.hstop_server_listening(dce), 5)


def levels(level, syntax):
    dce = bound(PORT, ECHO, level, syntax)
    # Around the alignment of stubs and trailers, in one fragment and in many.
    for count in itertools.chain(range(70), (2000, 5792, 5793, 20_000, 300_001)):
        stub = bytes(n % 251 for n in range(count))
        assert echo(dce, stub, count % 2) == stub, count


def small_fragments(level):
    dce = bound(PORT, ECHO, level)
    dce.set_max_fragment_size(64)
    stub = bytes(range(256)) * 20
    assert echo(dce, stub) == stub


def bogus_binds(level):
    dce = bound(PORT, ECHO, level, bogus_binds=20)
    assert echo(dce, b"abc") == b"abc"


def altered(level):
    dce = bound(PORT, ECHO, level)
    other = dce.alter_ctx(mgmt.MSRPC_UUID_MGMT)
    assert mgmt.his_server_listening(other)["status"] == 0
    assert echo(dce, b"abc") == b"abc"


def unknown_interface():
    dce = connect(PORT)
    unknown = uuidtup_to_bin(("0b6edbfa-4a24-4fc6-8a23-942b1eca65d1", "9.0"))
    fails(lambda: dce.bind(unknown), "abstract_syntax_not_supported")


def unknown_syntax():
    dce = connect(PORT)
    unknown = ("b4537da9-3d03-4f6b-b594-52b2874ee9d0", "1.0")
    fails(lambda: dce.bind(ECHO, transfer_syntax=unknown), "proposed_transfer_syntaxes_not_supported")


def wrong_password(level):
    dce = connect(PORT, level, "wrong")
    # The third token has no answer: what is wrong with it shows at the next request.
    dce.bind(ECHO)
    fails(lambda: echo(dce, b"abc"), "rpc_s_access_denied")


def faults(level):
    dce = bound(PORT, ECHO, level)
    fails(lambda: echo(dce, b"", 2), "nca_s_op_rng_error")
    assert echo(dce, b"abc") == b"abc"
    dce = bound(PORT, mgmt.MSRPC_UUID_MGMT, level)
    fails(lambda: echo(dce, b"\0", mgmt.inq_stats.opnum), "rpc_x_bad_stub_data")
    dce = bound(MAPPER, epm.MSRPC_UUID_PORTMAP, level)
    handle = b"\0\0\0\0" + bytes(range(16))
    fails(lambda: echo(dce, handle, 4), "nca_s_fault_context_mismatch")
    fails(lambda: echo(dce, b"", 0), "nca_s_op_rng_error")


def main():
    both = [(NDR,), (NDR64,)]
    some = [(level,) for level in LEVELS]
    known = [(level,) for level in LEVELS if level != "none"]
    checks = [(mapped, both), (unmapped, both), (looked_up, both), (looked_up_by_interface, both), (managed, both),
              (levels, [(level, syntax) for level in LEVELS for syntax in (NDR, NDR64)]), (small_fragments, some),
              (bogus_binds, some), (altered, some), (unknown_interface, [()]), (unknown_syntax, [()]),
              (wrong_password, known), (faults, some)]
    for check, variants in checks:
        for args in variants:
            try:
                check(*args)
                print("ok", check.__name__, *args, flush=True)
            except Exception as error:
                print("failed", check.__name__, *args, type(error).__name__, error, flush=True)


if __name__ == "__main__":
    main()
